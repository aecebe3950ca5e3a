use underpin_core::value::{Date, Interval, TimeOfDay, Timestamp, TimestampTz, Uuid};
use underpin_core::{ANY_TEXT, Holds, ParameterDescription, Value};

/// The name of a Rust type without the paths in it.
pub(super) fn short(rust_type: &str) -> String {
    let mut short = String::with_capacity(rust_type.len());
    let mut word = 0;
    for character in rust_type.chars() {
        short.push(character);
        if short.ends_with("::") {
            short.truncate(word);
        } else if !(character.is_alphanumeric() || matches!(character, '_' | ':' | '{' | '}')) {
            word = short.len();
        }
    }
    short
}

/// A Rust type that reads all values of a column, where one can be named.
pub(super) fn to_read(holds: &Holds) -> Option<String> {
    let first = match holds {
        Holds::Each(values) | Holds::OneOf(values) => values.first()?,
        Holds::Unknown => return None,
    };
    rust_type(first)
}

fn rust_type(value: &Value) -> Option<String> {
    let name = match value {
        Value::Bool(_) => "bool",
        Value::I16(_) => "i16",
        Value::I32(_) => "i32",
        Value::I64(_) => "i64",
        Value::F32(_) => "f32",
        Value::F64(_) => "f64",
        Value::Numeric(_) => "Numeric",
        Value::Text(_) => "String",
        Value::Bytes(_) => "Vec<u8>",
        Value::Date(_) => "Date",
        Value::Time(_) => "TimeOfDay",
        Value::Timestamp(_) => "Timestamp",
        Value::TimestampTz(_) => "TimestampTz",
        Value::Interval(_) => "Interval",
        Value::Uuid(_) => "Uuid",
        Value::Json(_) => "Json<T>",
        Value::Array(values) => return Some(format!("Vec<{}>", rust_type(values.first()?)?)),
        _ => return None,
    };
    Some(name.to_owned())
}

/// A Rust type that can be sent as a parameter whatever its value, where one can be named.
pub(super) fn to_send(parameter: &ParameterDescription) -> Option<String> {
    let takes = |value: &Value| (parameter.takes)(value).is_ok();
    let candidates = [
        Value::Bool(true),
        Value::Numeric("0.5".parse().ok()?),
        Value::F64(0.1),
        Value::I64(i64::MAX),
        Value::I32(i32::MAX),
        Value::I16(i16::MAX),
        Value::TimestampTz(TimestampTz::from_micros(0)),
        Value::Timestamp(Timestamp::from_micros(0)),
        Value::Date(Date::from_days(0)),
        Value::Time(TimeOfDay::MIDNIGHT),
        Value::Interval(Interval::default()),
        Value::Bytes(vec![0]),
    ];
    let (json, uuid) = (Value::Json(ANY_TEXT.into()), Value::Uuid(Uuid::nil()));
    let integer = Value::I64(i64::MAX);
    match (takes(&json), takes(&uuid)) {
        (true, true) => return Some("&str".to_owned()),
        (true, false) => return rust_type(&json),
        (false, true) => return rust_type(&uuid),
        (false, false) => {}
    }
    let scalar = candidates.iter().find(|value| match value {
        // A float takes a decimal number too, and not every integer.
        Value::Numeric(_) => takes(value) && takes(&integer),
        value => takes(value),
    });
    if let Some(value) = scalar {
        return rust_type(value);
    }
    let array = candidates
        .into_iter()
        .chain([Value::Text(ANY_TEXT.into())])
        .map(|value| Value::Array(vec![value]))
        .find(takes);
    array.as_ref().and_then(rust_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_named_without_its_paths() {
        for (long, name) in [
            ("i32", "i32"),
            ("&str", "&str"),
            (
                "core::option::Option<alloc::string::String>",
                "Option<String>",
            ),
            (
                "(a::b::{{closure}}::C, alloc::vec::Vec<d::E>)",
                "(C, Vec<E>)",
            ),
        ] {
            assert_eq!(short(long), name);
        }
    }
}
