use std::fmt::Write;

use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, Value as Stored, ValueRef as Borrowed};
use underpin_core::{Class, Error, Result, Value};

/// A value on its way into SQLite. It has been [checked](check).
pub(crate) struct Param<'a>(pub(crate) &'a Value);

impl ToSql for Param<'_> {
    #[inline]
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text = |value: &dyn std::fmt::Display| Stored::Text(value.to_string());
        let stored = match self.0 {
            Value::Null => Stored::Null,
            Value::Bool(v) => Stored::Integer((*v).into()),
            Value::I16(v) => Stored::Integer((*v).into()),
            Value::I32(v) => Stored::Integer((*v).into()),
            Value::I64(v) => Stored::Integer(*v),
            Value::F32(v) => Stored::Real((*v).into()),
            Value::F64(v) => Stored::Real(*v),
            Value::Text(v) | Value::Json(v) => return Ok(borrowed(v)),
            Value::Numeric(v) => return Ok(borrowed(v.as_str())),
            Value::Bytes(v) => return Ok(ToSqlOutput::Borrowed(Borrowed::Blob(v))),
            Value::Date(v) => text(v),
            Value::Time(v) => text(v),
            Value::Timestamp(v) => text(v),
            Value::TimestampTz(v) => text(v),
            Value::Interval(v) => text(v),
            Value::Uuid(v) => text(v),
            Value::Array(elements) => {
                let mut json = String::new();
                write_array(&mut json, elements);
                Stored::Text(json)
            }
            other => {
                let error = Error::new(
                    Class::Unsupported,
                    format!("SQLite cannot store {}.", other.kind()),
                );
                return Err(rusqlite::Error::ToSqlConversionFailure(Box::new(error)));
            }
        };
        Ok(ToSqlOutput::Owned(stored))
    }
}

fn borrowed(text: &str) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(Borrowed::Text(text.as_bytes()))
}

/// Whether SQLite can keep the value so that it is read back the same.
///
/// # Errors
/// `Class::Data`, with a clause that says why not.
#[inline]
pub(crate) fn check(value: &Value) -> Result<(), &'static str> {
    match value {
        Value::F32(v) if v.is_nan() => Err(NAN),
        Value::F64(v) if v.is_nan() => Err(NAN),
        Value::Array(elements) => elements.iter().try_for_each(check_element),
        _ => Ok(()),
    }
}

const NAN: &str = "it is not a number (NaN), which SQLite would store as NULL";

fn check_element(value: &Value) -> Result<(), &'static str> {
    match value {
        Value::F32(v) if !v.is_finite() => {
            Err("it is an array of floats that are not all finite, and JSON has no others")
        }
        Value::F64(v) if !v.is_finite() => {
            Err("it is an array of floats that are not all finite, and JSON has no others")
        }
        Value::Bytes(_) => Err("it is an array of bytes, for which JSON has no form"),
        other => check(other),
    }
}

/// Refuses parameters that SQLite cannot keep, before anything is sent.
pub(crate) fn check_all(params: &[Value]) -> Result<()> {
    for (at, value) in params.iter().enumerate() {
        if let Err(why) = check(value) {
            return Err(Error::new(
                Class::Data,
                format!("Parameter {} cannot be stored by SQLite: {why}.", at + 1),
            )
            .with_hint("Store NULL or text instead."));
        }
    }
    Ok(())
}

/// The array as JSON. What JSON has no form for is text; a document among the elements
/// is text too, unless it is an object, so that each is read back as what it was.
fn write_array(json: &mut String, elements: &[Value]) {
    json.push('[');
    for (at, element) in elements.iter().enumerate() {
        if at > 0 {
            json.push(',');
        }
        write_element(json, element);
    }
    json.push(']');
}

fn write_element(json: &mut String, element: &Value) {
    let written = match element {
        Value::Null => write!(json, "null"),
        Value::Bool(v) => write!(json, "{v}"),
        Value::I16(v) => write!(json, "{v}"),
        Value::I32(v) => write!(json, "{v}"),
        Value::I64(v) => write!(json, "{v}"),
        Value::F32(v) => write!(json, "{:?}", f64::from(*v)),
        Value::F64(v) => write!(json, "{v:?}"),
        Value::Json(v) if v.trim_start().starts_with('{') => write!(json, "{v}"),
        Value::Text(v) | Value::Json(v) => return write_text(json, v),
        Value::Array(elements) => return write_array(json, elements),
        other => return write_text(json, &other.to_string()),
    };
    written.expect("a String takes whatever is written to it");
}

fn write_text(json: &mut String, text: &str) {
    json.push_str(&serde_json::Value::from(text).to_string());
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::types::ValueRef;

    #[test]
    fn arrays_are_json() {
        let array = Value::Array(vec![
            Value::I32(1),
            Value::Null,
            Value::Text("a\"b".into()),
            Value::F64(0.1),
            Value::Json("{\"a\": 1}".into()),
            Value::Json("\"x\"".into()),
            Value::Array(vec![Value::Bool(true)]),
        ]);
        let param = Param(&array);
        let ToSqlOutput::Owned(Stored::Text(text)) = param.to_sql().unwrap() else {
            panic!("an array is text");
        };
        assert_eq!(text, r#"[1,null,"a\"b",0.1,{"a": 1},"\"x\"",[true]]"#);
    }

    #[test]
    fn what_would_be_lost_is_refused() {
        for value in [
            Value::F64(f64::NAN),
            Value::F32(f32::NAN),
            Value::Array(vec![Value::F64(f64::INFINITY)]),
            Value::Array(vec![Value::Array(vec![Value::Bytes(vec![1])])]),
        ] {
            let error = check_all(&[Value::Null, value]).unwrap_err();
            assert_eq!(error.class(), Class::Data);
            assert!(error.to_string().starts_with("Parameter 2 "), "{error}");
        }
        assert!(check_all(&[Value::F64(f64::INFINITY), Value::Bytes(vec![])]).is_ok());
    }

    #[test]
    fn text_is_not_copied() {
        let value = Value::Text("a".into());
        let param = Param(&value);
        assert!(matches!(
            param.to_sql().unwrap(),
            ToSqlOutput::Borrowed(ValueRef::Text(b"a"))
        ));
    }
}
