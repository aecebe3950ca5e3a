use rusqlite::Statement;
use underpin_core::{
    ANY_TEXT, Class, ColumnDescription, Deadline, Error, Holds, ParameterDescription, Result,
    StatementDescription, Value,
};

use crate::connection::Connection;
use crate::fault::Fault;
use crate::statements::{keyword, parameter_count, prepare};

/// Prepares a statement and describes it with SQLite's metadata.
pub(crate) async fn describe(
    connection: &Connection,
    sql: &str,
    deadline: Deadline,
) -> Result<StatementDescription> {
    if keyword(sql).eq_ignore_ascii_case("PRAGMA") {
        return Err(Error::new(
            Class::Unsupported,
            "SQLite may run a PRAGMA while preparing it, so it cannot be described.",
        ));
    }
    let sql = sql.to_owned();
    let pending = connection.worker.submit(move |session| {
        session.run(|conn| {
            // A cached statement, and the schema that SQLite has read, may be outdated. SQLite
            // detects that only when a statement runs.
            conn.flush_prepared_statement_cache();
            conn.query_one("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            let stmt = prepare(conn, &sql)?;
            let parameters = parameter_count(&stmt)?;
            Ok(StatementDescription {
                parameters: (0..parameters).map(|_| anything()).collect(),
                columns: columns(&stmt)?,
            })
        })
    })?;
    pending.by(connection.deadline(deadline)).await
}

/// A parameter of SQLite accepts any value.
fn anything() -> ParameterDescription {
    ParameterDescription {
        type_name: "any".to_owned(),
        takes: Box::new(|_| Ok(())),
    }
}

fn columns(stmt: &Statement<'_>) -> Result<Vec<ColumnDescription>, Fault> {
    let mut described = Vec::with_capacity(stmt.column_count());
    for (at, column) in stmt.columns().enumerate() {
        let declared = column.decl_type();
        described.push(ColumnDescription {
            name: column.name().to_owned(),
            type_name: declared.unwrap_or("any").to_owned(),
            holds: declared.map_or(Holds::Unknown, holds),
            nullable: nullable(stmt, at)?,
        });
    }
    Ok(described)
}

/// Whether a column of a table takes NULL. A primary key does not, although SQLite would allow it
/// in some tables.
#[cfg(feature = "bundled")]
fn nullable(stmt: &Statement<'_>, column: usize) -> Result<Option<bool>, Fault> {
    // A view's column that is not a table's column has an origin, but no metadata.
    let known = stmt.column_metadata(column).ok().flatten();
    Ok(known.map(|(.., not_null, primary_key, _)| !(not_null || primary_key)))
}

/// The system's library may have been built without the metadata.
#[cfg(not(feature = "bundled"))]
fn nullable(_: &Statement<'_>, _: usize) -> Result<Option<bool>, Fault> {
    Ok(None)
}

/// The values of a column with a declared type, by SQLite's rules of affinity. A column that is
/// declared as numeric may contain days and times as text.
fn holds(declared: &str) -> Holds {
    let upper = declared.to_ascii_uppercase();
    let has = |part: &str| upper.contains(part);
    let integer = || Value::I64(1);
    // An array is stored as text.
    let texts = || [ANY_TEXT, "[]"].map(|text| Value::Text(text.into()));
    Holds::OneOf(match upper.as_str() {
        "BOOLEAN" | "BOOL" => vec![Value::Bool(true)],
        "JSON" => vec![Value::Json(ANY_TEXT.into()), Value::Json("[]".into())],
        "ANY" | "" => return Holds::Unknown,
        _ if has("INT") => vec![integer()],
        _ if has("CHAR") || has("CLOB") || has("TEXT") => texts().into(),
        _ if has("BLOB") => vec![Value::Bytes(vec![0])],
        _ if has("REAL") || has("FLOA") || has("DOUB") => vec![Value::F64(0.5)],
        _ => [integer(), Value::F64(0.5), Value::Bytes(vec![0])]
            .into_iter()
            .chain(texts())
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(declared: &str) -> Vec<&'static str> {
        match holds(declared) {
            Holds::OneOf(values) => values.iter().map(Value::kind).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn a_declared_type_has_its_affinity() {
        assert_eq!(kinds("bigint"), ["a 64-bit integer"]);
        assert_eq!(kinds("varchar(9)"), ["text", "text"]);
        assert_eq!(kinds("DOUBLE PRECISION"), ["a 64-bit float"]);
        assert_eq!(kinds("boolean"), ["a boolean"]);
        assert_eq!(kinds("NUMERIC(10,2)").len(), 5);
        assert_eq!(kinds("timestamp").len(), 5);
        assert!(kinds("any").is_empty());
    }
}
