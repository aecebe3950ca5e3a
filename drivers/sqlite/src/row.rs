use std::borrow::Cow;

use rusqlite::types::ValueRef as Stored;
use rusqlite::{Statement, StatementStatus};
use underpin_core::driver::RowSink;
use underpin_core::{Class, Column, Columns, Error, Result, Row, ValueRef};

/// How the values of a column are read, by its declared type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Stored,
    Bool,
    Json,
}

/// The columns of a result.
struct Shape {
    columns: Columns,
    kinds: Vec<Kind>,
}

impl Shape {
    fn of(stmt: &Statement<'_>) -> Self {
        let count = stmt.column_count();
        let mut columns = Vec::with_capacity(count);
        let mut kinds = Vec::with_capacity(count);
        for column in stmt.columns() {
            let declared = column.decl_type().unwrap_or("any");
            kinds.push(kind(declared));
            columns.push(Column {
                name: column.name().to_owned(),
                type_name: type_name(declared),
            });
        }
        Shape {
            columns: Columns(columns),
            kinds,
        }
    }
}

fn kind(declared: &str) -> Kind {
    if declared.eq_ignore_ascii_case("BOOLEAN") || declared.eq_ignore_ascii_case("BOOL") {
        Kind::Bool
    } else if declared.eq_ignore_ascii_case("JSON") {
        Kind::Json
    } else {
        Kind::Stored
    }
}

fn type_name(declared: &str) -> Cow<'static, str> {
    const USUAL: [&str; 8] = [
        "any", "INTEGER", "TEXT", "REAL", "BLOB", "NUMERIC", "BOOLEAN", "JSON",
    ];
    match USUAL.iter().find(|usual| **usual == declared) {
        Some(usual) => Cow::Borrowed(usual),
        None => Cow::Owned(declared.to_owned()),
    }
}

/// A row that SQLite holds until the next step.
struct SqliteRow<'a, 's> {
    row: &'a rusqlite::Row<'s>,
    shape: &'a Shape,
}

impl Row for SqliteRow<'_, '_> {
    fn columns(&self) -> &Columns {
        &self.shape.columns
    }

    fn value(&self, index: usize) -> Result<ValueRef<'_>> {
        let Some(kind) = self.shape.kinds.get(index) else {
            return Err(self.shape.columns.no_such_index(index));
        };
        let Ok(stored) = self.row.get_ref(index) else {
            return Err(self.shape.columns.no_such_index(index));
        };
        Ok(match stored {
            Stored::Null => ValueRef::Null,
            Stored::Integer(v @ (0 | 1)) if *kind == Kind::Bool => ValueRef::Bool(v == 1),
            Stored::Integer(v) => ValueRef::I64(v),
            Stored::Real(v) => ValueRef::F64(v),
            Stored::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) if *kind == Kind::Json => ValueRef::Json(text),
                Ok(text) => ValueRef::Text(text),
                Err(error) => return Err(not_utf8(&self.shape.columns.0[index], index, error)),
            },
            Stored::Blob(bytes) => ValueRef::Bytes(bytes),
        })
    }

    fn integer(&self, index: usize) -> Option<i64> {
        match self.stored(index)? {
            Stored::Integer(v) => Some(v),
            _ => None,
        }
    }

    fn float(&self, index: usize) -> Option<f64> {
        match self.stored(index)? {
            Stored::Real(v) => Some(v),
            _ => None,
        }
    }

    fn text(&self, index: usize) -> Option<&str> {
        match self.stored(index)? {
            Stored::Text(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    fn bytes(&self, index: usize) -> Option<&[u8]> {
        match self.stored(index)? {
            Stored::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }
}

impl SqliteRow<'_, '_> {
    /// SQLite's value, if the declared type gives it no other meaning.
    #[inline]
    fn stored(&self, index: usize) -> Option<Stored<'_>> {
        match self.shape.kinds.get(index)? {
            Kind::Stored => self.row.get_ref(index).ok(),
            Kind::Bool | Kind::Json => None,
        }
    }
}

/// The error about a value with the table that the value is stored in.
#[cold]
fn in_table(error: Error, row: &rusqlite::Row<'_>, shape: &Shape) -> Error {
    let Some(column) = error.column() else {
        return error;
    };
    let at = shape.columns.iter().position(|one| one.name == column);
    match at.and_then(|at| table(row.as_ref(), at)) {
        Some(table) => {
            let what = format!("The table {table:?} holds a value that cannot be read.");
            error.with_context(what).with_table(table)
        }
        None => error,
    }
}

#[cfg(feature = "bundled")]
fn table(stmt: &Statement<'_>, column: usize) -> Option<String> {
    let column = stmt.columns_with_metadata().nth(column)?;
    column.table_name().map(str::to_owned)
}

/// The system's library may have been built without the metadata.
#[cfg(not(feature = "bundled"))]
fn table(_: &Statement<'_>, _: usize) -> Option<String> {
    None
}

#[cold]
fn not_utf8(column: &Column, index: usize, error: std::str::Utf8Error) -> Error {
    Error::new(
        Class::Data,
        format!(
            "The text in column {:?} (number {}, of type {}) is not UTF-8: {error}.",
            column.name,
            index + 1,
            column.type_name
        ),
    )
    .with_column(column.name.as_str())
    .with_hint("Read it as bytes, with CAST(… AS BLOB).")
    .with_source(error)
}

/// Reads the rows of one result into a sink.
pub(crate) struct Reader {
    shape: Shape,
    sink: Box<dyn RowSink>,
    prepared: i32,
    stepped: bool,
}

impl Reader {
    /// Creates a reader for a statement that has not been stepped.
    pub(crate) fn new(stmt: &Statement<'_>, sink: Box<dyn RowSink>) -> Self {
        Reader {
            shape: Shape::of(stmt),
            sink,
            prepared: stmt.get_status(StatementStatus::RePrepare),
            stepped: false,
        }
    }

    /// Passes the columns to the sink.
    pub(crate) fn begin(&mut self) -> Result<()> {
        self.sink.begin(&self.shape.columns)
    }

    pub(crate) fn columns(&self) -> &Columns {
        &self.shape.columns
    }

    pub(crate) fn is_full(&self) -> bool {
        self.sink.is_full()
    }

    pub(crate) fn into_sink(self) -> Box<dyn RowSink> {
        self.sink
    }

    #[inline]
    pub(crate) fn read(&mut self, row: &rusqlite::Row<'_>) -> Result<()> {
        if !self.stepped {
            self.first(row)?;
        }
        let read = self.sink.row(&SqliteRow {
            row,
            shape: &self.shape,
        });
        read.map_err(|error| in_table(error, row, &self.shape))
    }

    /// The first step prepares the statement again if the schema has changed since.
    fn first(&mut self, row: &rusqlite::Row<'_>) -> Result<()> {
        let stmt: &Statement<'_> = row.as_ref();
        if stmt.get_status(StatementStatus::RePrepare) != self.prepared {
            self.shape = Shape::of(stmt);
            self.begin()?;
        }
        self.stepped = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use underpin_core::driver::{Collect, NewSink};
    use underpin_core::{FromRow, Value, ValueRow};

    fn read<T: FromRow + Send + 'static>(conn: &rusqlite::Connection, sql: &str) -> Result<T> {
        let mut stmt = conn.prepare_cached(sql).unwrap();
        let collect = Collect::<T>::all();
        let mut reader = Reader::new(&stmt, collect.sink());
        reader.begin()?;
        let mut rows = stmt.query([]).unwrap();
        reader.read(rows.next().unwrap().unwrap())?;
        Ok(collect.rows(reader.into_sink()).remove(0))
    }

    #[test]
    fn declared_types_help() {
        let conn = rusqlite::Connection::open_in_memory().unwrap();
        conn.execute_batch(
            "CREATE TABLE t (b BOOLEAN, c bool, j JSON, n NUMERIC, d VARCHAR(9));
             INSERT INTO t VALUES (1, 7, '{\"a\":1}', 2, 'x')",
        )
        .unwrap();
        let row: ValueRow = read(&conn, "SELECT *, 1 + 1 FROM t").unwrap();
        let expected = [
            Value::Bool(true),
            Value::I64(7),
            Value::Json("{\"a\":1}".into()),
            Value::I64(2),
            Value::Text("x".into()),
            Value::I64(2),
        ];
        assert_eq!(row.values(), expected);
        let types: Vec<_> = row
            .columns()
            .iter()
            .map(|column| &*column.type_name)
            .collect();
        assert_eq!(
            types,
            ["BOOLEAN", "bool", "JSON", "NUMERIC", "VARCHAR(9)", "any"]
        );
    }

    #[test]
    fn text_that_is_not_utf8_names_its_column() {
        let conn = rusqlite::Connection::open_in_memory().unwrap();
        let error = read::<String>(&conn, "SELECT CAST(x'ff' AS TEXT) AS name").unwrap_err();
        assert_eq!(error.class(), Class::Data);
        assert!(error.to_string().contains("\"name\""), "{error}");
    }

    #[test]
    fn a_statement_prepared_before_a_change_of_schema_reads_the_new_columns() {
        let conn = rusqlite::Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
            .unwrap();
        assert_eq!(
            read::<ValueRow>(&conn, "SELECT * FROM t")
                .unwrap()
                .values()
                .len(),
            1
        );
        conn.execute_batch("ALTER TABLE t ADD COLUMN b DEFAULT 2")
            .unwrap();
        let row: ValueRow = read(&conn, "SELECT * FROM t").unwrap();
        assert_eq!(row.get::<i64>("b").unwrap(), 2);
    }
}
