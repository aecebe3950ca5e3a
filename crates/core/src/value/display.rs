use std::borrow::Cow;
use std::fmt::{self, Write};

use super::{ArrayRef, Value, ValueRef};

impl Value {
    /// The value as text that PostgreSQL reads as that value: a boolean is `t` or `f`, a float has
    /// all the digits that it needs, bytes are `\xff00`, an array is `{1,NULL,"a b"}`. `None` for
    /// NULL.
    pub fn to_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Value::Null => None,
            Value::Text(text) | Value::Json(text) => Some(Cow::Borrowed(text)),
            Value::Numeric(number) => Some(Cow::Borrowed(number.as_str())),
            value => Some(Cow::Owned(value.to_string())),
        }
    }
}

/// The text of [`Value::to_text`], and `NULL` for NULL.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

/// The text of [`Value::to_text`], and `NULL` for NULL.
impl fmt::Display for ValueRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValueRef::Null => f.write_str("NULL"),
            ValueRef::Bool(v) => f.write_str(if *v { "t" } else { "f" }),
            ValueRef::I16(v) => write!(f, "{v}"),
            ValueRef::I32(v) => write!(f, "{v}"),
            ValueRef::I64(v) => write!(f, "{v}"),
            ValueRef::F32(v) => write_float(f, f64::from(*v), v),
            ValueRef::F64(v) => write_float(f, *v, v),
            ValueRef::Numeric(v) => write!(f, "{v}"),
            ValueRef::Text(v) | ValueRef::Json(v) => f.write_str(v),
            ValueRef::Bytes(v) => write_bytes(f, v),
            ValueRef::Date(v) => write!(f, "{v}"),
            ValueRef::Time(v) => write!(f, "{v}"),
            ValueRef::Timestamp(v) => write!(f, "{v}"),
            ValueRef::TimestampTz(v) => write!(f, "{v}"),
            ValueRef::Interval(v) => write!(f, "{v}"),
            ValueRef::Uuid(v) => write!(f, "{v}"),
            ValueRef::Array(ArrayRef::Values(values)) => write_array(f, values),
            ValueRef::Array(array) => match array.to_values() {
                Ok(values) => write_array(f, &values),
                Err(_) => f.write_str("(an array that cannot be read)"),
            },
        }
    }
}

/// The shortest text that reads back as the same float, with an exponent if PostgreSQL prints one.
fn write_float<F>(f: &mut fmt::Formatter<'_>, wide: f64, float: &F) -> fmt::Result
where
    F: fmt::Display + fmt::LowerExp,
{
    if wide.is_infinite() {
        f.write_str(if wide < 0.0 { "-Infinity" } else { "Infinity" })
    } else if wide != 0.0 && !(1e-4..1e15).contains(&wide.abs()) && !wide.is_nan() {
        write!(f, "{float:e}")
    } else {
        write!(f, "{float}")
    }
}

fn write_bytes(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    f.write_str("\\x")?;
    for byte in bytes {
        for half in [byte >> 4, byte & 15] {
            f.write_char(char::from(DIGITS[usize::from(half)]))?;
        }
    }
    Ok(())
}

fn write_array(f: &mut fmt::Formatter<'_>, values: &[Value]) -> fmt::Result {
    f.write_char('{')?;
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            f.write_char(',')?;
        }
        match value {
            Value::Array(values) => write_array(f, values)?,
            value => match value.to_text() {
                None => f.write_str("NULL")?,
                Some(text) if needs_quotes(&text) => write_quoted(f, &text)?,
                Some(text) => f.write_str(&text)?,
            },
        }
    }
    f.write_char('}')
}

fn needs_quotes(text: &str) -> bool {
    let special = |byte| {
        matches!(
            byte,
            b'{' | b'}' | b',' | b'"' | b'\\' | b' ' | b'\t' | b'\n' | b'\r' | 11 | 12
        )
    };
    text.is_empty() || text.eq_ignore_ascii_case("null") || text.bytes().any(special)
}

fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Date, Interval, Timestamp, Uuid};
    use proptest::prelude::*;

    fn text(value: Value) -> String {
        value.to_text().unwrap().into_owned()
    }

    #[test]
    fn values_are_written_as_postgresql_reads_them() {
        assert_eq!(Value::Null.to_text(), None);
        assert_eq!(Value::Null.to_string(), "NULL");
        assert_eq!(text(Value::Bool(true)), "t");
        assert_eq!(text(Value::I16(-5)), "-5");
        assert_eq!(text(Value::Numeric("1.10".parse().unwrap())), "1.10");
        assert_eq!(text(Value::Text("a \"b\"".into())), "a \"b\"");
        assert_eq!(text(Value::Bytes(vec![0, 0xFF, 0x1A])), "\\x00ff1a");
        assert_eq!(text(Value::Bytes(vec![])), "\\x");
        assert_eq!(text(Value::Date(Date::from_days(0))), "1970-01-01");
        assert_eq!(text(Value::Timestamp(Timestamp::INFINITY)), "infinity");
        assert_eq!(text(Value::Interval(Interval::default())), "PT0S");
        assert_eq!(
            text(Value::Uuid(Uuid::nil())),
            "00000000-0000-0000-0000-000000000000"
        );
    }

    #[test]
    fn floats_are_short_and_exact() {
        for (float, expected) in [
            (1.0, "1"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (1e300, "1e300"),
            (-1e-7, "-1e-7"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(text(Value::F64(float)), expected);
        }
        assert_eq!(text(Value::F32(0.1)), "0.1");
        assert_eq!(text(Value::F32(f32::MAX)), "3.4028235e38");
    }

    #[test]
    fn arrays_are_quoted_where_they_have_to_be() {
        let texts = ["a", "", "null", "a b", "a,b", "{}", "a\"b\\c", "é"];
        let texts = texts.map(|text| Value::Text(text.into()));
        assert_eq!(
            text(Value::Array(texts.into())),
            r#"{a,"","null","a b","a,b","{}","a\"b\\c",é}"#
        );
        let row = Value::Array(vec![Value::I32(1), Value::Null]);
        assert_eq!(
            text(Value::Array(vec![row.clone(), row])),
            "{{1,NULL},{1,NULL}}"
        );
        let bytes = Value::Array(vec![Value::Bytes(vec![1])]);
        assert_eq!(text(bytes), r#"{"\\x01"}"#);
        let moments = Value::Array(vec![Value::Timestamp(Timestamp::from_micros(0))]);
        assert_eq!(text(moments), r#"{"1970-01-01 00:00:00"}"#);
        assert_eq!(text(Value::Array(vec![])), "{}");
    }

    #[test]
    fn an_array_that_cannot_be_read_says_so() {
        let decode = |_: &[u8], _| Err(crate::Error::new(crate::Class::Data, "No."));
        let array = ValueRef::Array(ArrayRef::Encoded {
            bytes: &[],
            element: 0,
            decode,
        });
        assert_eq!(array.to_string(), "(an array that cannot be read)");
    }

    proptest! {
        #[test]
        fn floats_read_back(bits: u64, short_bits: u32) {
            let (float, short) = (f64::from_bits(bits), f32::from_bits(short_bits));
            let back: f64 = text(Value::F64(float)).parse().unwrap();
            prop_assert!(back.to_bits() == bits || (back.is_nan() && float.is_nan()));
            let back: f32 = text(Value::F32(short)).parse().unwrap();
            prop_assert!(back.to_bits() == short_bits || (back.is_nan() && short.is_nan()));
        }
    }
}
