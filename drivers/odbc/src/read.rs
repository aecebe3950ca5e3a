//! Columns and rows of a result.

use std::borrow::Cow;
use std::sync::Arc;

use odbc_api::{ColumnDescription, Cursor, CursorRow, DataType, Nullable, ResultSetMetadata};
use underpin_core::{Class, Column, Columns, Error, Result, Value, ValueRow};

use crate::classify::classify;

/// How the values of a column are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Whole,
    Float,
    Numeric,
    Date,
    Time,
    Timestamp,
    Bytes,
    Uuid,
    Text,
}

/// SQL_GUID, which odbc-api does not name.
const GUID: i16 = -11;

fn kind(of: DataType) -> (Kind, &'static str) {
    match of {
        DataType::Bit => (Kind::Bool, "BIT"),
        DataType::TinyInt => (Kind::Whole, "TINYINT"),
        DataType::SmallInt => (Kind::Whole, "SMALLINT"),
        DataType::Integer => (Kind::Whole, "INTEGER"),
        DataType::BigInt => (Kind::Whole, "BIGINT"),
        DataType::Real => (Kind::Float, "REAL"),
        DataType::Float { .. } => (Kind::Float, "FLOAT"),
        DataType::Double => (Kind::Float, "DOUBLE"),
        DataType::Numeric { .. } => (Kind::Numeric, "NUMERIC"),
        DataType::Decimal { .. } => (Kind::Numeric, "DECIMAL"),
        DataType::Date => (Kind::Date, "DATE"),
        DataType::Time { .. } => (Kind::Time, "TIME"),
        DataType::Timestamp { .. } => (Kind::Timestamp, "TIMESTAMP"),
        DataType::Binary { .. } => (Kind::Bytes, "BINARY"),
        DataType::Varbinary { .. } => (Kind::Bytes, "VARBINARY"),
        DataType::LongVarbinary { .. } => (Kind::Bytes, "LONGVARBINARY"),
        DataType::Char { .. } | DataType::WChar { .. } => (Kind::Text, "CHAR"),
        DataType::Varchar { .. } | DataType::WVarchar { .. } => (Kind::Text, "VARCHAR"),
        DataType::LongVarchar { .. } | DataType::WLongVarchar { .. } => (Kind::Text, "LONGVARCHAR"),
        DataType::Other { data_type, .. } if data_type.0 == GUID => (Kind::Uuid, "GUID"),
        _ => (Kind::Text, "unknown"),
    }
}

/// The columns of a result, and how they are read.
pub(crate) struct Shape {
    pub(crate) columns: Arc<Columns>,
    kinds: Vec<Kind>,
}

impl Shape {
    pub(crate) fn of(cursor: &mut impl ResultSetMetadata, place: &str) -> Result<Shape> {
        let failed = |error| classify(error, place);
        let count = cursor.num_result_cols().map_err(failed)?;
        let mut columns = Vec::new();
        let mut kinds = Vec::new();
        let mut described = ColumnDescription::default();
        for number in 1..=u16::try_from(count).unwrap_or_default() {
            cursor
                .describe_col(number, &mut described)
                .map_err(failed)?;
            let (kind, name) = kind(described.data_type);
            kinds.push(kind);
            columns.push(Column {
                name: described.name_to_string().unwrap_or_default(),
                type_name: Cow::Borrowed(name),
            });
        }
        Ok(Shape {
            columns: Arc::new(Columns(columns)),
            kinds,
        })
    }

    /// The next row.
    pub(crate) fn next(&self, cursor: &mut impl Cursor, place: &str) -> Result<Option<ValueRow>> {
        let failed = |error| classify(error, place);
        let Some(mut row) = cursor.next_row().map_err(failed)? else {
            return Ok(None);
        };
        let mut values = Vec::with_capacity(self.kinds.len());
        for (index, kind) in self.kinds.iter().enumerate() {
            let number = index as u16 + 1;
            values.push(value(&mut row, number, *kind, place)?);
        }
        Ok(Some(ValueRow::new(Arc::clone(&self.columns), values)))
    }
}

fn value(row: &mut CursorRow<'_>, number: u16, kind: Kind, place: &str) -> Result<Value> {
    let failed = |error| classify(error, place);
    match kind {
        Kind::Float => {
            let mut float = Nullable::<f64>::null();
            row.get_data(number, &mut float).map_err(failed)?;
            Ok(float.into_opt().map_or(Value::Null, Value::F64))
        }
        Kind::Bytes => {
            let mut bytes = Vec::new();
            let is_there = row.get_binary(number, &mut bytes).map_err(failed)?;
            Ok(if is_there {
                Value::Bytes(bytes)
            } else {
                Value::Null
            })
        }
        _ => match text(row, number, place)? {
            None => Ok(Value::Null),
            Some(text) => Ok(parsed(text, kind)),
        },
    }
}

/// The text of a value: UTF-16 on Windows, and elsewhere what the locale has, which is UTF-8.
fn text(row: &mut CursorRow<'_>, number: u16, place: &str) -> Result<Option<String>> {
    let failed = |error| classify(error, place);
    let unfit = || {
        let what = format!("The text in column {number} of a row from {place} is not Unicode.");
        Error::new(Class::Data, what)
    };
    if cfg!(windows) {
        let mut units = Vec::new();
        let is_there = row.get_wide_text(number, &mut units).map_err(failed)?;
        let text = String::from_utf16(&units).map_err(|error| unfit().with_source(error))?;
        return Ok(is_there.then_some(text));
    }
    let mut bytes = Vec::new();
    let is_there = row.get_text(number, &mut bytes).map_err(failed)?;
    let text = String::from_utf8(bytes).map_err(|error| unfit().with_source(error))?;
    Ok(is_there.then_some(text))
}

/// The value of a text of this kind; the text itself where it is not of that kind.
fn parsed(text: String, kind: Kind) -> Value {
    let trimmed = text.trim();
    let value = match kind {
        Kind::Bool => match trimmed {
            "1" | "t" | "T" | "true" | "TRUE" => Some(Value::Bool(true)),
            "0" | "f" | "F" | "false" | "FALSE" => Some(Value::Bool(false)),
            _ => None,
        },
        Kind::Whole => trimmed.parse().ok().map(Value::I64),
        Kind::Numeric => trimmed.parse().ok().map(Value::Numeric),
        Kind::Date => trimmed.parse().ok().map(Value::Date),
        Kind::Time => trimmed.parse().ok().map(Value::Time),
        Kind::Timestamp => trimmed.parse().ok().map(Value::Timestamp),
        Kind::Uuid => {
            let plain = trimmed.trim_matches(['{', '}']);
            plain.parse().ok().map(Value::Uuid)
        }
        _ => None,
    };
    value.unwrap_or(Value::Text(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_as_what_its_column_is() {
        let parsed = |text: &str, kind| super::parsed(text.to_owned(), kind);
        assert_eq!(parsed(" 7 ", Kind::Whole), Value::I64(7));
        assert_eq!(parsed("1", Kind::Bool), Value::Bool(true));
        assert_eq!(parsed("1.50", Kind::Numeric).to_string(), "1.50");
        assert_eq!(parsed("2026-01-31", Kind::Date).to_string(), "2026-01-31");
        let uuid = "{0A1B2C3D-0000-0000-0000-00000000000F}";
        assert!(matches!(parsed(uuid, Kind::Uuid), Value::Uuid(_)));
        assert_eq!(parsed("soon", Kind::Date), Value::Text("soon".into()));
        assert_eq!(parsed(" a ", Kind::Text), Value::Text(" a ".into()));
    }
}
