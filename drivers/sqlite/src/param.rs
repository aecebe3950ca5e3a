use std::fmt::Write;

use rusqlite::types::{ToSqlOutput, Value as Stored, ValueRef as Borrowed};
use underpin_core::value::{Date, Numeric, Timestamp};
use underpin_core::{Class, Error, Result, TimeForm, UuidForm, Value};

use crate::form::{Forms, sorts, time_text, timestamp_text};
use crate::plan::{Affinity, Place};

/// The reason why a value cannot be sent in the place of its parameter, as a clause, and advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Misfit {
    pub(crate) why: &'static str,
    pub(crate) hint: &'static str,
}

impl Misfit {
    const fn new(why: &'static str, hint: &'static str) -> Self {
        Misfit { why, hint }
    }

    /// The error about a parameter, by its number from 0.
    #[cold]
    pub(crate) fn of_parameter(self, at: usize) -> Error {
        let message = format!(
            "Parameter {} cannot be sent to SQLite: {}.",
            at + 1,
            self.why
        );
        Error::new(Class::Data, message).with_hint(self.hint)
    }
}

const INEXACT: Misfit = Misfit::new(
    "SQLite has only 64-bit floats for decimal numbers, and no float equals this number",
    "Store it in a column declared as TEXT, or round it to 15 digits.",
);
const INEXACT_INTEGER: Misfit = Misfit::new(
    "its column holds 64-bit floats, and no float equals this number",
    "Declare the column as INTEGER or NUMERIC, or as TEXT.",
);
const ORDERED_TEXT: Misfit = Misfit::new(
    "the column beside it holds text, which SQLite would compare by its characters",
    "Compare CAST(column AS NUMERIC), or declare the column as NUMERIC.",
);
const MIXED_NUMBER: Misfit = Misfit::new(
    "it is used beside a column of text and in another place, and SQLite does not compare text with numbers",
    "Use a separate parameter for each of them.",
);
const MIXED_UUID: Misfit = Misfit::new(
    "it is used beside columns that hold UUIDs as bytes and as text",
    "Use a separate parameter for each of them.",
);
const MIXED_TIME: Misfit = Misfit::new(
    "it is used beside columns that hold times as Unix seconds and as text",
    "Use a separate parameter for each of them.",
);
const FRACTION: Misfit = Misfit::new(
    "the column beside it holds Unix seconds, and this time has a fraction of a second",
    "Round it to the second, or declare the column as TEXT.",
);
const INFINITE: Misfit = Misfit::new(
    "the column beside it holds Unix seconds, and this time is infinite",
    "Use NULL, or declare the column as TEXT.",
);
const DAY_IN_INTEGER: Misfit = Misfit::new(
    "the column beside it holds integers, and a date is text",
    "Declare the column as TEXT, or use a timestamp, which is stored as Unix seconds.",
);
const LIST: Misfit = Misfit::new(
    "it is a list within IN (…), and SQLite would compare it as one JSON text",
    "Write IN (SELECT value FROM json_each($1)), or a parameter for each element.",
);

const LIST_BESIDE_NUMBERS: Misfit = Misfit::new(
    "it is a list, which is JSON text, and the column beside it holds numbers",
    "Write column IN (SELECT value FROM json_each($1)), or declare the column as JSON.",
);

/// Whether the form of a value depends on the place of its parameter.
#[inline]
pub(crate) fn has_forms(value: &Value) -> bool {
    match value {
        Value::Numeric(_)
        | Value::Uuid(_)
        | Value::Date(_)
        | Value::Timestamp(_)
        | Value::TimestampTz(_)
        | Value::Array(_) => true,
        Value::I64(v) => v.unsigned_abs() > EXACT,
        _ => false,
    }
}

/// Up to here, each integer is exactly a 64-bit float.
const EXACT: u64 = 1 << f64::MANTISSA_DIGITS;

/// A value as SQLite stores it in the place of its parameter. It has been [checked](check).
#[inline]
pub(crate) fn stored<'v>(
    value: &'v Value,
    place: Place,
    forms: Forms,
) -> Result<ToSqlOutput<'v>, Misfit> {
    let stored = match value {
        Value::Null => Stored::Null,
        Value::Bool(v) => Stored::Integer((*v).into()),
        Value::I16(v) => Stored::Integer((*v).into()),
        Value::I32(v) => Stored::Integer((*v).into()),
        Value::I64(v) => integer(*v, place)?,
        Value::F32(v) => Stored::Real((*v).into()),
        Value::F64(v) => Stored::Real(*v),
        Value::Text(v) | Value::Json(v) => return Ok(borrowed(v)),
        Value::Numeric(v) => return number(v, place),
        Value::Bytes(v) => return Ok(ToSqlOutput::Borrowed(Borrowed::Blob(v))),
        Value::Date(_) if place.meets(Affinity::Integer) => return Err(DAY_IN_INTEGER),
        Value::Date(v) => Stored::Text(v.to_string()),
        Value::Time(v) => Stored::Text(time_text(*v)),
        // A timestamp without zone counts as UTC if it is stored as a number.
        Value::Timestamp(v) => time(v.micros(), TimeForm::Text, place, forms)?,
        Value::TimestampTz(v) => time(v.micros(), forms.times, place, forms)?,
        Value::Interval(v) => Stored::Text(v.to_string()),
        Value::Uuid(v) => match uuid_form(place, forms)? {
            UuidForm::Text => Stored::Text(v.to_string()),
            UuidForm::Blob => return Ok(ToSqlOutput::Borrowed(Borrowed::Blob(v.as_bytes()))),
        },
        Value::Array(_) if place.listed => return Err(LIST),
        Value::Array(_) if place.meets(Affinity::Integer) || place.meets(Affinity::Real) => {
            return Err(LIST_BESIDE_NUMBERS);
        }
        Value::Array(elements) => {
            let mut json = String::new();
            write_array(&mut json, elements);
            Stored::Text(json)
        }
        _ => {
            return Err(Misfit::new(
                "SQLite has no form for values of its kind",
                "Convert it to text or bytes.",
            ));
        }
    };
    Ok(ToSqlOutput::Owned(stored))
}

fn borrowed(text: &str) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(Borrowed::Text(text.as_bytes()))
}

fn integer(value: i64, place: Place) -> Result<Stored, Misfit> {
    let lost = value.unsigned_abs() > EXACT && (value as f64) as i128 != i128::from(value);
    match lost && place.meets(Affinity::Real) {
        true => Err(INEXACT_INTEGER),
        false => Ok(Stored::Integer(value)),
    }
}

/// A decimal number is a number wherever it is compared, and keeps its digits in a column of text.
fn number(value: &Numeric, place: Place) -> Result<ToSqlOutput<'_>, Misfit> {
    if place.meets(Affinity::Text) {
        if place.expression || place.meets_other(Affinity::Text) {
            return Err(MIXED_NUMBER);
        }
        if place.ordered {
            return Err(ORDERED_TEXT);
        }
        return Ok(borrowed(value.as_str()));
    }
    // As a float if it is exactly one, since SQLite divides two integers as integers.
    let float = value.to_f64();
    if is_same(float, value) {
        return Ok(ToSqlOutput::Owned(Stored::Real(float)));
    }
    match value.as_str().split('.').collect::<Vec<_>>()[..] {
        [whole, ref fraction @ ..] if fraction.iter().all(|f| f.bytes().all(|b| b == b'0')) => {
            let whole = whole.parse().map_err(|_| INEXACT)?;
            Ok(ToSqlOutput::Owned(integer(whole, place)?))
        }
        _ => Err(INEXACT),
    }
}

/// Whether a float, as it is printed and read, equals this number.
fn is_same(float: f64, value: &Numeric) -> bool {
    let printed = float.to_string().parse::<Numeric>();
    printed.is_ok_and(|printed| printed.same_value(value))
}

fn time(micros: i64, form: TimeForm, place: Place, forms: Forms) -> Result<Stored, Misfit> {
    let seconds = place.meets(Affinity::Integer);
    if seconds && place.meets_other(Affinity::Integer) {
        return Err(MIXED_TIME);
    }
    if !seconds && forms.times != TimeForm::UnixSeconds {
        return Ok(Stored::Text(timestamp_text(micros, form)));
    }
    match micros % 1_000_000 {
        _ if Timestamp::from_micros(micros).is_infinite() => Err(INFINITE),
        0 => Ok(Stored::Integer(micros / 1_000_000)),
        _ if place.ordered && !place.expression => Ok(Stored::Real(micros as f64 / 1e6)),
        _ => Err(FRACTION),
    }
}

fn uuid_form(place: Place, forms: Forms) -> Result<UuidForm, Misfit> {
    match (place.meets(Affinity::Bytes), place.meets(Affinity::Text)) {
        (true, true) => Err(MIXED_UUID),
        (true, false) => Ok(UuidForm::Blob),
        (false, true) => Ok(UuidForm::Text),
        (false, false) => Ok(forms.uuids),
    }
}

/// Checks that SQLite can store the value so that it is read back the same.
///
/// # Errors
/// `Class::Data`, with a clause with the reason.
#[inline]
pub(crate) fn check(value: &Value) -> Result<(), &'static str> {
    match value {
        Value::F32(v) if v.is_nan() => Err(NAN),
        Value::F64(v) if v.is_nan() => Err(NAN),
        Value::Numeric(v) if v.as_str() == "NaN" => Err(NAN),
        Value::Date(v) => check_day(*v),
        Value::Timestamp(v) => check_day(v.date()),
        Value::TimestampTz(v) => check_day(v.date()),
        Value::Array(elements) => elements.iter().try_for_each(check_element),
        _ => Ok(()),
    }
}

const NAN: &str = "it is not a number (NaN), which SQLite would store as NULL";

const FAR: &str = "its year is not from 1 to 9999, and SQLite would sort it incorrectly";

fn check_day(day: Date) -> Result<(), &'static str> {
    if sorts(day) { Ok(()) } else { Err(FAR) }
}

fn check_element(value: &Value) -> Result<(), &'static str> {
    match value {
        Value::F32(v) if !v.is_finite() => {
            Err("it is an array with floats that are not finite, for which JSON has no form")
        }
        Value::F64(v) if !v.is_finite() => {
            Err("it is an array with floats that are not finite, for which JSON has no form")
        }
        Value::Bytes(_) => Err("it is an array of bytes, for which JSON has no form"),
        other => check(other),
    }
}

/// Refuses parameters that SQLite cannot store, before anything is sent.
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

/// The array as JSON. Elements for which JSON has no form are text; a document among the elements
/// is text too, unless it is an object, so that each element is read back unchanged.
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
        Value::Time(v) => return write_text(json, &time_text(*v)),
        Value::Timestamp(v) => {
            return write_text(json, &timestamp_text(v.micros(), TimeForm::Text));
        }
        Value::TimestampTz(v) => {
            return write_text(json, &timestamp_text(v.micros(), TimeForm::Text));
        }
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

    fn write(value: &Value, place: Place) -> Result<ToSqlOutput<'_>, Misfit> {
        stored(value, place, Forms::default())
    }

    fn numeric(text: &str) -> Value {
        Value::Numeric(text.parse().unwrap())
    }

    #[test]
    fn a_decimal_number_is_a_number_or_refused() {
        let text = Place::beside(Affinity::Text);
        for place in [
            Place::EXPRESSION,
            Place::beside(Affinity::Numeric),
            Place::beside(Affinity::Real),
            Place::beside(Affinity::Untyped),
        ] {
            for (number, float) in [
                ("1.10", 1.1),
                ("-0.5", -0.5),
                ("5.00", 5.0),
                ("100000000000000000000", 1e20),
                ("Infinity", f64::INFINITY),
                ("123456789012345", 123_456_789_012_345.0),
            ] {
                let value = numeric(number);
                let expected = ToSqlOutput::Owned(Stored::Real(float));
                assert_eq!(write(&value, place), Ok(expected), "{number}");
            }
            for number in [
                "1234567890123456.78",
                "0.1234567890123456789",
                "18446744073709551615",
            ] {
                assert_eq!(write(&numeric(number), place), Err(INEXACT), "{number}");
            }
        }
        let large = numeric("9007199254740993.0");
        let expected = ToSqlOutput::Owned(Stored::Integer(9_007_199_254_740_993));
        assert_eq!(write(&large, Place::EXPRESSION), Ok(expected));
        let in_floats = write(&large, Place::beside(Affinity::Real));
        assert_eq!(in_floats, Err(INEXACT_INTEGER));
        let value = numeric("1234567890123456.780");
        let ToSqlOutput::Borrowed(ValueRef::Text(digits)) = write(&value, text).unwrap() else {
            panic!("a column of text keeps the digits");
        };
        assert_eq!(digits, b"1234567890123456.780");
        let mut ordered = text;
        ordered.ordered = true;
        assert_eq!(write(&value, ordered), Err(ORDERED_TEXT));
        let mut mixed = text;
        mixed.expression = true;
        assert_eq!(write(&value, mixed), Err(MIXED_NUMBER));
    }

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
        let written = write(&array, Place::EXPRESSION).unwrap();
        let ToSqlOutput::Owned(Stored::Text(text)) = written else {
            panic!("an array is text");
        };
        assert_eq!(text, r#"[1,null,"a\"b",0.1,{"a": 1},"\"x\"",[true]]"#);
    }

    #[test]
    fn values_that_would_be_lost_are_refused() {
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
        assert!(matches!(
            write(&value, Place::EXPRESSION).unwrap(),
            ToSqlOutput::Borrowed(ValueRef::Text(b"a"))
        ));
    }
}
