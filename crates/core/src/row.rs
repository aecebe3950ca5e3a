use std::borrow::Cow;
use std::sync::Arc;

use crate::error::{Class, Error, Result};
use crate::from_row::FromRow;
use crate::from_value::{FromValue, Mismatch};
use crate::row_shape::RowShape;
use crate::value::{Value, ValueRef};

/// A row from a driver. Reading a column needs no allocation; `dyn Row` has [`read`](#method.read),
/// which returns a value as a Rust type.
pub trait Row {
    /// The columns of the result that the row belongs to.
    fn columns(&self) -> &Columns;

    /// The value in the column at `index`, counted from 0.
    ///
    /// # Errors
    /// [`Class::Data`] if there is no such column, or if its bytes do not match its type.
    fn value(&self, index: usize) -> Result<ValueRef<'_>>;

    /// The value at `index` if it is an integer, in the shortest way: in a register and not as one
    /// of many kinds. `None` only means that [`value`](Row::value) has to be called, for example
    /// for NULL, and a row without such a way always returns it. The same holds for the three
    /// methods below.
    fn integer(&self, index: usize) -> Option<i64> {
        let _ = index;
        None
    }

    /// The value at `index` if it is a 64-bit float, as for [`integer`](Row::integer).
    fn float(&self, index: usize) -> Option<f64> {
        let _ = index;
        None
    }

    /// The value at `index` if it is text, as for [`integer`](Row::integer).
    fn text(&self, index: usize) -> Option<&str> {
        let _ = index;
        None
    }

    /// The value at `index` if it is bytes, as for [`integer`](Row::integer).
    fn bytes(&self, index: usize) -> Option<&[u8]> {
        let _ = index;
        None
    }
}

impl dyn Row + '_ {
    /// The value at `index` as a Rust type.
    ///
    /// # Errors
    /// [`Class::Data`], with the column's name and type and the reason.
    #[inline]
    pub fn read<'r, T: FromValue<'r>>(&'r self, index: usize) -> Result<T> {
        match T::read_directly(self, index) {
            Some(read) => Ok(read),
            None => self.read_any(index),
        }
    }

    /// Reads a value of any kind.
    fn read_any<'r, T: FromValue<'r>>(&'r self, index: usize) -> Result<T> {
        let value = self.value(index)?;
        match T::from_value(value) {
            Ok(read) => Ok(read),
            Err(mismatch) => Err(does_not_fit::<T>(self.columns(), index, value, &mismatch)),
        }
    }
}

#[cold]
fn does_not_fit<T>(columns: &Columns, index: usize, value: ValueRef<'_>, why: &Mismatch) -> Error {
    let column = &columns.0[index];
    let rust_type = std::any::type_name::<T>();
    let error = Error::new(
        Class::Data,
        format!(
            "Column {:?} (number {}, of type {}) cannot be read as the Rust type {rust_type}: {}.",
            column.name,
            index + 1,
            column.type_name,
            why.describe(value),
        ),
    )
    .with_column(column.name.as_str());
    match value {
        ValueRef::Null => {
            error.with_hint("Read it as an Option, or make sure that it is not NULL.")
        }
        // The results of sum, avg and extract for whole numbers.
        ValueRef::Numeric(_) if why.is_of_kind() => error.with_hint(format!(
            "Cast it in the statement, such as ({name})::{to} for an expression, or read it as a \
             decimal number, such as Numeric.",
            name = column.name,
            to = match rust_type.contains("f32") || rust_type.contains("f64") {
                true => "float8",
                false => "int8",
            }
        )),
        _ => error,
    }
}

/// One column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, as the engine reports it.
    pub name: String,
    /// The engine's name for its type; on SQLite the declared type, or "any".
    pub type_name: Cow<'static, str>,
}

/// The columns of a result, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Columns(pub Vec<Column>);

impl Columns {
    /// Number of columns.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no columns: the statement returns no rows.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The columns in order.
    pub fn iter(&self) -> impl Iterator<Item = &Column> {
        self.0.iter()
    }

    /// The index of the first column with this name: exactly or, failing that, ignoring the case of
    /// ASCII letters.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.0
            .iter()
            .position(|column| column.name == name)
            .or_else(|| {
                self.0
                    .iter()
                    .position(|column| column.name.eq_ignore_ascii_case(name))
            })
    }

    /// The index of the column with this name.
    ///
    /// # Errors
    /// [`Class::Data`] if there is none, with the existing names.
    pub fn require(&self, name: &str) -> Result<usize> {
        self.position(name).ok_or_else(|| self.missing(name))
    }

    #[cold]
    fn missing(&self, name: &str) -> Error {
        let names: Vec<&str> = self.0.iter().map(|column| column.name.as_str()).collect();
        Error::new(
            Class::Data,
            format!(
                "The result has no column {name:?}; its columns are: {}.",
                names.join(", ")
            ),
        )
    }

    /// The error for an index past the last column.
    #[cold]
    pub fn no_such_index(&self, index: usize) -> Error {
        Error::new(
            Class::Data,
            format!(
                "The result has no column number {}; it has {} columns.",
                index + 1,
                self.0.len()
            ),
        )
    }
}

/// A row of any engine for callers that do not know its shape: its values, owned.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueRow {
    columns: Arc<Columns>,
    values: Vec<Value>,
}

impl ValueRow {
    /// A row of these values, one for each column.
    pub fn new(columns: Arc<Columns>, values: Vec<Value>) -> Self {
        debug_assert_eq!(columns.len(), values.len());
        ValueRow { columns, values }
    }

    /// The value in the column of this name as a Rust type.
    ///
    /// # Errors
    /// [`Class::Data`] if there is no such column or its value does not fit.
    pub fn get<'r, T: FromValue<'r>>(&'r self, column: &str) -> Result<T> {
        self.read(self.columns.require(column)?)
    }

    /// The value at `index` as a Rust type.
    ///
    /// # Errors
    /// [`Class::Data`] if there is no such column or its value does not fit.
    pub fn read<'r, T: FromValue<'r>>(&'r self, index: usize) -> Result<T> {
        (self as &dyn Row).read(index)
    }

    /// The values in order.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The values in order, without the row.
    pub fn into_values(self) -> Vec<Value> {
        self.values
    }
}

impl Row for ValueRow {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn value(&self, index: usize) -> Result<ValueRef<'_>> {
        match self.values.get(index) {
            Some(value) => Ok(value.as_ref()),
            None => Err(self.columns.no_such_index(index)),
        }
    }
}

impl FromRow for ValueRow {
    type Layout = Arc<Columns>;

    fn layout(columns: &Columns) -> Result<Self::Layout> {
        Ok(Arc::new(columns.clone()))
    }

    fn from_row(row: &dyn Row, layout: &Self::Layout) -> Result<Self> {
        // One allocation: collecting into a `Result` would grow from nothing.
        let mut values = Vec::with_capacity(layout.len());
        for index in 0..layout.len() {
            values.push(row.read(index)?);
        }
        Ok(ValueRow {
            columns: Arc::clone(layout),
            values,
        })
    }

    fn shape() -> Option<RowShape> {
        Some(RowShape::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> ValueRow {
        let column = |name: &str| Column {
            name: name.into(),
            type_name: "int4".into(),
        };
        let columns = Arc::new(Columns(vec![column("id"), column("Name")]));
        ValueRow::new(columns, vec![Value::I32(7), Value::Null])
    }

    #[test]
    fn names_match_to_the_letter_first() {
        let row = row();
        assert_eq!(row.get::<i64>("id").unwrap(), 7);
        assert_eq!(row.get::<Option<String>>("name").unwrap(), None);
        let error = row.get::<i32>("other").unwrap_err();
        assert_eq!(error.class(), Class::Data);
        assert!(
            error.to_string().contains("its columns are: id, Name"),
            "{error}"
        );
    }

    #[test]
    fn a_misfit_names_column_type_and_reason() {
        let row = row();
        let null = row.read::<i32>(1).unwrap_err().to_string();
        assert!(null.contains("\"Name\" (number 2, of type int4)"), "{null}");
        assert!(
            null.contains("found NULL") && null.contains("Option"),
            "{null}"
        );
        assert!(
            row.read::<i32>(2)
                .unwrap_err()
                .to_string()
                .contains("no column number 3")
        );
        let range = ValueRow::new(row.columns.clone(), vec![Value::I32(300), Value::Null]);
        assert!(
            range
                .read::<u8>(0)
                .unwrap_err()
                .to_string()
                .contains("300 is out of range")
        );
    }
}
