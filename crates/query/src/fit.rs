//! Whether a column can be read as a Rust type, found by reading specimens.

use underpin_core::value::{Date, Interval, TimeOfDay, Timestamp, TimestampTz, Uuid};
use underpin_core::{ANY_TEXT, ColumnDescription, Holds, ReadColumn, Value, ValueRef};

/// Why values of the column do not fit; `None` where they do, or where nothing is known.
pub(super) fn misfit(column: &ColumnDescription, read: &ReadColumn) -> Option<String> {
    match &column.holds {
        Holds::Unknown => None,
        Holds::Each(values) => values.iter().find_map(|value| {
            let mismatch = (read.read)(value.as_ref()).err()?;
            if reads_deeper(value, read) {
                return None;
            }
            if mismatch.is_of_kind() || !is_any_text(value) {
                return Some(mismatch.describe(value.as_ref()));
            }
            let own = own_kind(value, read)?;
            Some(format!(
                "it is read from {}, but the column contains text",
                own.kind()
            ))
        }),
        Holds::OneOf(values) => {
            let mut first = None;
            for value in values {
                match (read.read)(value.as_ref()) {
                    Err(mismatch) if mismatch.is_of_kind() => {
                        first.get_or_insert_with(|| mismatch.describe(value.as_ref()));
                    }
                    _ => return None,
                }
            }
            first
        }
    }
}

/// Whether the type reads an array of such arrays: the type of a column does not say how many
/// dimensions it has.
fn reads_deeper(specimen: &Value, read: &ReadColumn) -> bool {
    let deeper = || Value::Array(vec![specimen.clone()]);
    matches!(specimen, Value::Array(_)) && (read.read)(deeper().as_ref()).is_ok()
}

/// Whether a specimen stands for any text, of which another might fit where this one did not:
/// that of a label, or of a type with a form of its own.
fn is_any_text(specimen: &Value) -> bool {
    match specimen {
        Value::Text(text) => text == ANY_TEXT,
        Value::Array(values) => values.iter().any(is_any_text),
        _ => false,
    }
}

/// The value of another kind than text that the type is read from, of which no text is meant.
fn own_kind(text: &Value, read: &ReadColumn) -> Option<Value> {
    let is_array = matches!(text, Value::Array(_));
    let of_kind = |value| match is_array {
        true => Value::Array(vec![value]),
        false => value,
    };
    let fits = |value: &Value| (read.read)(of_kind(value.clone()).as_ref()).is_ok();
    others().into_iter().find(fits)
}

/// A value of each kind but text.
fn others() -> Vec<Value> {
    vec![
        Value::Bool(true),
        Value::I16(1),
        Value::F64(0.5),
        Value::Bytes(vec![0]),
        Value::Numeric(1.into()),
        Value::Date(Date::from_days(0)),
        Value::Time(TimeOfDay::MIDNIGHT),
        Value::Timestamp(Timestamp::from_micros(0)),
        Value::TimestampTz(TimestampTz::from_micros(0)),
        Value::Interval(Interval::default()),
        Value::Uuid(Uuid::nil()),
    ]
}

/// Whether the Rust type has a place for NULL.
pub(super) fn takes_null(read: &ReadColumn) -> bool {
    (read.read)(ValueRef::Null).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use underpin_core::value::Numeric;
    use underpin_core::{FromValue, Json};

    use underpin_derive::FromValue as DeriveFromValue;

    #[derive(Debug, DeriveFromValue)]
    #[value(crate = "underpin_core", rename_all = "snake_case")]
    enum Mood {
        Happy,
        Sad,
    }

    fn why<T: for<'r> FromValue<'r>>(holds: Holds) -> Option<String> {
        let column = ColumnDescription {
            name: "c".into(),
            type_name: "t".into(),
            holds,
            nullable: None,
        };
        misfit(&column, &ReadColumn::at::<T>(0))
    }

    fn each<const N: usize>(values: [Value; N]) -> Holds {
        Holds::Each(values.into())
    }

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    #[test]
    fn a_type_that_reads_any_text_or_some_text_fits_a_text() {
        assert_eq!(why::<String>(each([text(ANY_TEXT)])), None);
        assert_eq!(why::<Option<Mood>>(each([text(ANY_TEXT)])), None);
        assert_eq!(
            why::<serde_json::Value>(each([text(ANY_TEXT)])),
            None,
            "JSON may be kept as text"
        );
        for misfit in [
            why::<i32>(each([text(ANY_TEXT)])),
            why::<Date>(each([text(ANY_TEXT)])),
            why::<Numeric>(each([text(ANY_TEXT)])),
            why::<Vec<i32>>(each([Value::Array(vec![text(ANY_TEXT)])])),
        ] {
            assert!(misfit.is_some());
        }
        assert_eq!(
            why::<Vec<String>>(each([Value::Array(vec![text(ANY_TEXT)])])),
            None
        );
    }

    #[test]
    fn every_label_has_to_be_known() {
        assert_eq!(why::<Mood>(each([text("happy"), text("sad")])), None);
        let unknown = why::<Mood>(each([text("happy"), text("angry")])).unwrap();
        assert!(unknown.contains("found \"angry\""), "{unknown}");
        assert_eq!(why::<String>(each([text("happy"), text("angry")])), None);
    }

    #[test]
    fn a_number_has_to_be_wide_enough() {
        let bigint = || each([Value::I64(1 << 31)]);
        assert!(why::<i32>(bigint()).unwrap().contains("out of range"));
        assert_eq!(why::<u32>(bigint()), None, "the bigint of a model's u32");
        assert_eq!(why::<i64>(bigint()), None);
        assert_eq!(why::<Numeric>(bigint()), None);
        assert!(why::<f32>(each([Value::F64(0.1)])).is_some());
    }

    #[test]
    fn one_of_several_kinds_is_enough() {
        let numeric = || Holds::OneOf(vec![Value::I64(1), Value::F64(0.5), text(ANY_TEXT)]);
        assert_eq!(why::<Date>(numeric()), None);
        assert_eq!(why::<i32>(numeric()), None);
        let bytes = why::<Vec<u8>>(numeric()).unwrap();
        assert_eq!(bytes, "expected bytes, but found a 64-bit integer");
        assert_eq!(
            why::<Json<Vec<i32>>>(Holds::OneOf(vec![Value::Json("null".into())])),
            None
        );
    }
}
