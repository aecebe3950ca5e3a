//! Access's types as SQLite's: what a column is declared as, and the form of its values.

use jetdb::{ColumnDef, ColumnType, TableDef, Value as Stored};
use rusqlite::types::Value;

use crate::date;

/// How SQLite compares what is in a column with values that have no type of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Affinity {
    Number,
    Text,
    Blob,
}

/// What a column is declared as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Declared {
    /// The type in SQL.
    pub(crate) sql: String,
    pub(crate) affinity: Affinity,
}

/// The declaration of a column whose values are of this type: the column's own, or that of its
/// calculation.
pub(crate) fn declared(table: &TableDef, column: &ColumnDef, of: ColumnType) -> Declared {
    let number = |sql: &str| Declared {
        sql: sql.to_owned(),
        affinity: Affinity::Number,
    };
    let text = |sql: String| Declared {
        sql,
        affinity: Affinity::Text,
    };
    match of {
        ColumnType::Boolean => number("BOOLEAN"),
        ColumnType::Byte => number("TINYINT"),
        ColumnType::Int => number("SMALLINT"),
        ColumnType::Long => number("INTEGER"),
        ColumnType::BigInt => number("BIGINT"),
        ColumnType::Float => number("REAL"),
        ColumnType::Double => number("DOUBLE PRECISION"),
        ColumnType::Money => number("NUMERIC(19,4)"),
        // The scale of a calculation is that of each of its values.
        ColumnType::Numeric if column.is_calculated => number("NUMERIC"),
        ColumnType::Numeric => number(&format!("NUMERIC({},{})", column.precision, column.scale)),
        ColumnType::Timestamp | ColumnType::DateTimeExtended => number("DATETIME"),
        ColumnType::Guid => number("UUID"),
        ColumnType::ComplexType => number("JSON"),
        ColumnType::Text => match table.shown_size(column) {
            _ if column.is_calculated => text("TEXT".to_owned()),
            0 => text("TEXT".to_owned()),
            size => text(format!("VARCHAR({size})")),
        },
        ColumnType::Memo => text("TEXT".to_owned()),
        _ => Declared {
            sql: "BLOB".to_owned(),
            affinity: Affinity::Blob,
        },
    }
}

/// The value as SQLite has it, or why it cannot be read.
pub(crate) fn converted(stored: Stored) -> Result<Value, &'static str> {
    Ok(match stored {
        Stored::Null => Value::Null,
        Stored::Bool(it) => Value::Integer(i64::from(it)),
        Stored::Byte(it) => Value::Integer(it.into()),
        Stored::Int(it) => Value::Integer(it.into()),
        Stored::Long(it) => Value::Integer(it.into()),
        Stored::BigInt(it) => Value::Integer(it),
        Stored::Float(it) if it.is_nan() => return Err(NOT_A_NUMBER),
        Stored::Float(it) => Value::Real(single(it)),
        Stored::Double(it) if it.is_nan() => return Err(NOT_A_NUMBER),
        Stored::Double(it) => Value::Real(it),
        Stored::Text(it) => Value::Text(it),
        Stored::Binary(it) => Value::Blob(it),
        Stored::Money(it) | Stored::Numeric(it) => decimal(it),
        Stored::Timestamp(days) => Value::Text(date::text(days).ok_or("it is not a date")?),
        Stored::DateTimeExtended(it) => Value::Text(date::extended(it)),
        Stored::Guid(it) => Value::Text(uuid(&it)),
        _ => return Err("its type is not known"),
    })
}

const NOT_A_NUMBER: &str = "it is not a number";

/// The shortest number that is this one as a Single.
fn single(value: f32) -> f64 {
    let short = value.to_string().parse::<f64>().unwrap_or(value.into());
    match short as f32 == value {
        true => short,
        false => value.into(),
    }
}

/// A decimal number as SQLite's number where that is the same one, and as its digits otherwise.
fn decimal(digits: String) -> Value {
    let plain = match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.'),
        false => &digits,
    };
    if let Ok(whole) = plain.parse::<i64>() {
        return Value::Integer(whole);
    }
    match plain.parse::<f64>() {
        Ok(number) if plain.contains('.') && number.to_string() == plain => Value::Real(number),
        _ => Value::Text(digits),
    }
}

/// `{AABB…}` as `aabb…`.
fn uuid(guid: &str) -> String {
    let inside = guid.trim_start_matches('{').trim_end_matches('}');
    inside.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_number_stays_what_it_is() {
        let cases = [
            ("5.0000", Value::Integer(5)),
            ("-0.0000", Value::Integer(0)),
            ("12345.6700", Value::Real(12345.67)),
            ("-0.0001", Value::Real(-0.0001)),
            ("100", Value::Integer(100)),
            ("922337203685477", Value::Integer(922_337_203_685_477)),
            (
                "922337203685477.5807",
                Value::Text("922337203685477.5807".into()),
            ),
            (
                "99999999999999999999999999",
                Value::Text("99999999999999999999999999".into()),
            ),
        ];
        for (digits, expected) in cases {
            assert_eq!(decimal(digits.to_owned()), expected, "{digits}");
        }
    }

    #[test]
    fn a_single_is_the_number_that_somebody_wrote() {
        assert_eq!(single(0.1), 0.1);
        assert_eq!(single(-1234.567), -1234.567);
        assert_eq!(single(f32::MAX) as f32, f32::MAX);
        assert_eq!(single(f32::MIN_POSITIVE) as f32, f32::MIN_POSITIVE);
        assert_eq!(single(f32::INFINITY), f64::INFINITY);
    }

    #[test]
    fn what_is_no_value_says_why() {
        assert_eq!(converted(Stored::Double(f64::NAN)), Err(NOT_A_NUMBER));
        assert_eq!(converted(Stored::Float(f32::NAN)), Err(NOT_A_NUMBER));
        assert!(converted(Stored::Timestamp(1e9)).is_err());
        let guid = "{0A1B2C3D-0000-0000-0000-00000000000F}".to_owned();
        let expected = Value::Text("0a1b2c3d-0000-0000-0000-00000000000f".into());
        assert_eq!(converted(Stored::Guid(guid)), Ok(expected));
    }
}
