//! Values as the kind that their target holds, or why they do not fit.

use underpin_core::value::{Date, Interval, Numeric, TimeOfDay, Timestamp, TimestampTz, Uuid};
use underpin_core::{FromValue, Value, ValueRef};

use crate::kind::{Digits, Kind, TextLimit};

/// Why a value does not fit, as a clause. It never holds the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit(pub String);

impl Misfit {
    fn kind(found: ValueRef<'_>, kind: &Kind) -> Self {
        Misfit(format!(
            "it is {}, and the column holds: {kind}",
            found.kind()
        ))
    }

    fn because(why: &str) -> Self {
        Misfit(why.to_owned())
    }
}

/// The value as a value of this kind.
///
/// # Errors
/// Why it does not fit.
pub fn convert(value: ValueRef<'_>, kind: &Kind) -> Result<Value, Misfit> {
    if let ValueRef::Null = value {
        return Ok(Value::Null);
    }
    match kind {
        Kind::Bool => boolean(value, kind).map(Value::Bool),
        Kind::I16 => integer(value, kind, i16::try_from).map(Value::I16),
        Kind::I32 => integer(value, kind, i32::try_from).map(Value::I32),
        Kind::I64 => integer(value, kind, Ok::<i64, std::convert::Infallible>).map(Value::I64),
        Kind::F32 => short_float(value, kind).map(Value::F32),
        Kind::F64 => float(value, kind).map(Value::F64),
        Kind::Numeric(digits) => numeric(value, kind, *digits).map(Value::Numeric),
        Kind::Text(limit) => text(value, kind, *limit).map(Value::Text),
        Kind::Bytes => match value {
            ValueRef::Bytes(bytes) => Ok(Value::Bytes(bytes.to_vec())),
            ValueRef::Uuid(uuid) => Ok(Value::Bytes(uuid.as_bytes().to_vec())),
            other => Err(Misfit::kind(other, kind)),
        },
        Kind::Date => date(value, kind).map(Value::Date),
        Kind::Time(digits) => {
            let time = own::<TimeOfDay>(value, kind)?;
            whole(time.micros(), *digits).map(|()| Value::Time(time))
        }
        Kind::Timestamp(digits) => {
            let time = match value {
                // The same point in time, in UTC.
                ValueRef::TimestampTz(time) => Timestamp::from_micros(time.micros()),
                ValueRef::Date(day) => midnight(day)?,
                other => own(other, kind)?,
            };
            whole(time.micros(), *digits).map(|()| Value::Timestamp(time))
        }
        Kind::TimestampTz(digits) => {
            let time = match value {
                ValueRef::Timestamp(time) => TimestampTz::from_micros(time.micros()),
                ValueRef::Date(day) => TimestampTz::from_micros(midnight(day)?.micros()),
                other => own(other, kind)?,
            };
            whole(time.micros(), *digits).map(|()| Value::TimestampTz(time))
        }
        Kind::Interval => own::<Interval>(value, kind).map(Value::Interval),
        Kind::Uuid => own::<Uuid>(value, kind).map(Value::Uuid),
        Kind::Json | Kind::Jsonb => json(value, kind).map(Value::Json),
        Kind::Array(element) => array(value, kind, element),
        Kind::Labels(labels) => {
            let text = text(value, kind, TextLimit::default())?;
            match labels.contains(&text) {
                true => Ok(Value::Text(text)),
                false => Err(Misfit::because("it is not one of the labels of the type")),
            }
        }
        Kind::Native(_) => text(value, kind, TextLimit::default()).map(Value::Text),
        Kind::Any => value
            .to_owned()
            .map_err(|_| Misfit::because("it cannot be read")),
    }
}

/// A value of a type that an engine has, or that it stores in a form of its own.
fn own<'r, T: FromValue<'r>>(value: ValueRef<'r>, kind: &Kind) -> Result<T, Misfit> {
    T::from_value(value).map_err(|_| match value {
        ValueRef::Text(_) => Misfit(format!("its text cannot be read as: {kind}")),
        ValueRef::I64(_) | ValueRef::I32(_) | ValueRef::I16(_) => {
            Misfit(format!("its number cannot be read as: {kind}"))
        }
        other => Misfit::kind(other, kind),
    })
}

fn boolean(value: ValueRef<'_>, kind: &Kind) -> Result<bool, Misfit> {
    match value {
        ValueRef::Bool(v) => Ok(v),
        ValueRef::I16(v @ (0 | 1)) => Ok(v == 1),
        ValueRef::I32(v @ (0 | 1)) => Ok(v == 1),
        ValueRef::I64(v @ (0 | 1)) => Ok(v == 1),
        ValueRef::Text(text) => match text {
            "t" | "true" | "TRUE" | "True" | "1" => Ok(true),
            "f" | "false" | "FALSE" | "False" | "0" => Ok(false),
            _ => Err(Misfit::because("its text is neither true nor false")),
        },
        ValueRef::I16(_) | ValueRef::I32(_) | ValueRef::I64(_) => {
            Err(Misfit::because("its number is neither 0 nor 1"))
        }
        other => Err(Misfit::kind(other, kind)),
    }
}

const RANGE: &str = "its number is out of the range of the column";
const FRACTION: &str = "its number is not whole";

fn integer<T, E>(
    value: ValueRef<'_>,
    kind: &Kind,
    narrow: impl Fn(i64) -> Result<T, E>,
) -> Result<T, Misfit> {
    let wide = match value {
        ValueRef::I16(v) => i64::from(v),
        ValueRef::I32(v) => i64::from(v),
        ValueRef::I64(v) => v,
        ValueRef::Bool(v) => i64::from(v),
        ValueRef::F32(v) => whole_float(f64::from(v))?,
        ValueRef::F64(v) => whole_float(v)?,
        ValueRef::Numeric(v) => whole_number(&v.to_owned())?,
        ValueRef::Text(text) => match text.trim().parse::<Numeric>() {
            Ok(number) => whole_number(&number)?,
            Err(_) => return Err(Misfit::because("its text is not a number")),
        },
        // An engine without times keeps Unix seconds.
        ValueRef::Timestamp(v) => seconds(v.micros())?,
        ValueRef::TimestampTz(v) => seconds(v.micros())?,
        other => return Err(Misfit::kind(other, kind)),
    };
    narrow(wide).map_err(|_| Misfit::because(RANGE))
}

/// Up to here each whole number is a 64-bit float.
const EXACT: f64 = 9_007_199_254_740_992.0;

fn whole_float(float: f64) -> Result<i64, Misfit> {
    match () {
        () if float.fract() != 0.0 || !float.is_finite() => Err(Misfit::because(FRACTION)),
        () if float.abs() <= EXACT => Ok(float as i64),
        () => Err(Misfit::because(RANGE)),
    }
}

fn whole_number(number: &Numeric) -> Result<i64, Misfit> {
    let (whole, fraction) = match number.as_str().split_once('.') {
        Some(parts) => parts,
        None => (number.as_str(), ""),
    };
    match fraction.bytes().all(|digit| digit == b'0') {
        true => whole.parse().map_err(|_| Misfit::because(RANGE)),
        false => Err(Misfit::because(FRACTION)),
    }
}

fn seconds(micros: i64) -> Result<i64, Misfit> {
    let infinite = micros == i64::MAX || micros == i64::MIN;
    match !infinite && micros % 1_000_000 == 0 {
        true => Ok(micros / 1_000_000),
        false => Err(Misfit::because(
            "its time is infinite or has a fraction of a second, and the column holds seconds",
        )),
    }
}

fn float(value: ValueRef<'_>, kind: &Kind) -> Result<f64, Misfit> {
    const DIGITS: &str = "its number has more digits than a float holds";
    match value {
        ValueRef::F64(v) => Ok(v),
        ValueRef::F32(v) => Ok(f64::from(v)),
        ValueRef::I16(v) => Ok(f64::from(v)),
        ValueRef::I32(v) => Ok(f64::from(v)),
        ValueRef::I64(v) if (v as f64) as i128 == i128::from(v) => Ok(v as f64),
        ValueRef::I64(_) => Err(Misfit::because(DIGITS)),
        ValueRef::Numeric(v) => exact_float(&v.to_owned()).ok_or_else(|| Misfit::because(DIGITS)),
        ValueRef::Text(text) => match text.trim().parse::<Numeric>() {
            Ok(number) => exact_float(&number).ok_or_else(|| Misfit::because(DIGITS)),
            Err(_) => Err(Misfit::because("its text is not a number")),
        },
        other => Err(Misfit::kind(other, kind)),
    }
}

/// The float that is printed as this number.
fn exact_float(number: &Numeric) -> Option<f64> {
    let float = number.to_f64();
    let printed: Numeric = float.to_string().parse().ok()?;
    printed.same_value(number).then_some(float)
}

fn short_float(value: ValueRef<'_>, kind: &Kind) -> Result<f32, Misfit> {
    let wide = match value {
        ValueRef::F32(v) => return Ok(v),
        other => float(other, kind)?,
    };
    let short = wide as f32;
    match f64::from(short) == wide || wide.is_nan() {
        true => Ok(short),
        false => Err(Misfit::because(
            "its number has more digits than a 32-bit float holds",
        )),
    }
}

fn numeric(value: ValueRef<'_>, kind: &Kind, digits: Option<Digits>) -> Result<Numeric, Misfit> {
    let number = match value {
        ValueRef::F32(v) => v
            .to_string()
            .parse()
            .map_err(|_| Misfit::kind(value, kind))?,
        other => own::<Numeric>(other, kind)?,
    };
    match digits.map(|digits| fit(&number, digits)) {
        Some(Err(why)) => Err(Misfit::because(why)),
        Some(Ok(())) | None => Ok(number),
    }
}

/// Whether a type of so many digits holds the number as it is.
fn fit(number: &Numeric, digits: Digits) -> Result<(), &'static str> {
    let text = number.as_str().trim_start_matches('-');
    if text == "NaN" {
        return Ok(());
    }
    if text == "Infinity" {
        return Err("it is infinite, and the type of the column has a precision");
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    let whole = whole.trim_start_matches('0');
    if digits.scale < 0 {
        let zeros = whole.len() - whole.trim_end_matches('0').len();
        let enough = whole.is_empty() || zeros >= digits.scale.unsigned_abs() as usize;
        if !(enough && fraction.is_empty()) {
            return Err("its number has more digits than the column keeps");
        }
    } else if fraction.len() > digits.scale as usize {
        return Err("its number has more digits after the point than the column keeps");
    }
    let most = i64::from(digits.precision) - i64::from(digits.scale);
    // A scale above the precision asks for zeros behind the point.
    let zeros = fraction.len() - fraction.trim_start_matches('0').len();
    let fits = match most {
        0.. => whole.len() as i64 <= most,
        _ => whole.is_empty() && (fraction.is_empty() || zeros as i64 >= -most),
    };
    match fits {
        true => Ok(()),
        false => Err("its number has more digits before the point than the column holds"),
    }
}

fn text(value: ValueRef<'_>, kind: &Kind, limit: TextLimit) -> Result<String, Misfit> {
    let mut text = match value {
        ValueRef::Text(text) | ValueRef::Json(text) => text.to_owned(),
        ValueRef::Bytes(_) => return Err(Misfit::kind(value, kind)),
        ValueRef::Bool(v) => if v { "true" } else { "false" }.to_owned(),
        other => other.to_string(),
    };
    if limit.padded {
        text.truncate(text.trim_end_matches(' ').len());
    }
    match limit.length {
        Some(length) if text.len() > length as usize && text.chars().count() > length as usize => {
            Err(Misfit(format!(
                "its text is longer than {length} characters"
            )))
        }
        _ => Ok(text),
    }
}

fn date(value: ValueRef<'_>, kind: &Kind) -> Result<Date, Misfit> {
    const TIME: &str = "it has a time of day, and the column holds days";
    let at_midnight = |micros: i64, day: Date| match micros.rem_euclid(86_400_000_000) {
        0 => Ok(day),
        _ if day.is_infinite() => Ok(day),
        _ => Err(Misfit::because(TIME)),
    };
    match value {
        ValueRef::Timestamp(time) => at_midnight(time.micros(), time.date()),
        ValueRef::TimestampTz(time) => at_midnight(time.micros(), time.date()),
        ValueRef::Text(text) => match text.parse::<Date>() {
            Ok(day) => Ok(day),
            Err(_) => {
                let time: Timestamp = own(value, kind)?;
                at_midnight(time.micros(), time.date())
            }
        },
        other => own(other, kind),
    }
}

fn midnight(day: Date) -> Result<Timestamp, Misfit> {
    Timestamp::new(day, TimeOfDay::MIDNIGHT).ok_or_else(|| Misfit::because("its day is too far"))
}

/// Whether a time has no more digits of a second than the column keeps.
fn whole(micros: i64, digits: u8) -> Result<(), Misfit> {
    let infinite = micros == i64::MAX || micros == i64::MIN;
    let unit = 10_i64.pow(u32::from(Kind::MICROS.saturating_sub(digits)));
    match infinite || micros % unit == 0 {
        true => Ok(()),
        false => Err(Misfit(format!(
            "its time has more than {digits} digits of a second"
        ))),
    }
}

fn json(value: ValueRef<'_>, kind: &Kind) -> Result<String, Misfit> {
    match value {
        ValueRef::Json(text) | ValueRef::Text(text) => Ok(text.to_owned()),
        // SQLite makes a number of a text that is one, where the type of the column asks for it.
        ValueRef::I16(_) | ValueRef::I32(_) | ValueRef::I64(_) | ValueRef::Numeric(_) => {
            Ok(value.to_string())
        }
        ValueRef::F64(v) if v.is_finite() => Ok(value.to_string()),
        ValueRef::Bool(v) => Ok(if v { "true" } else { "false" }.to_owned()),
        other => Err(Misfit::kind(other, kind)),
    }
}

fn array(value: ValueRef<'_>, kind: &Kind, element: &Kind) -> Result<Value, Misfit> {
    let elements: Vec<Value> = match value {
        ValueRef::Array(array) => array
            .to_values()
            .map_err(|_| Misfit::because("its array cannot be read"))?,
        ValueRef::Text(_) | ValueRef::Json(_) => Vec::<Value>::from_value(value)
            .map_err(|_| Misfit::because("its text is not a JSON array"))?,
        other => return Err(Misfit::kind(other, kind)),
    };
    let each = elements.iter().map(|value| match value {
        Value::Array(_) => array(value.as_ref(), kind, element),
        other => convert(other.as_ref(), element),
    });
    each.collect::<Result<_, _>>().map(Value::Array)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: Value, kind: &Kind) -> Result<Value, String> {
        convert(value.as_ref(), kind).map_err(|misfit| misfit.0)
    }

    fn told(value: Value, kind: &Kind, part: &str) {
        let said = of(value, kind).unwrap_err();
        assert!(said.contains(part), "{said}");
    }

    fn number(text: &str) -> Value {
        Value::Numeric(text.parse().unwrap())
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn integers_fit_or_are_refused() {
        assert_eq!(of(Value::I64(7), &Kind::I16), Ok(Value::I16(7)));
        assert_eq!(of(Value::F64(-3.0), &Kind::I32), Ok(Value::I32(-3)));
        assert_eq!(of(number("12.00"), &Kind::I64), Ok(Value::I64(12)));
        assert_eq!(of(text(" 12 "), &Kind::I64), Ok(Value::I64(12)));
        assert_eq!(of(Value::Bool(true), &Kind::I64), Ok(Value::I64(1)));
        let time = Value::TimestampTz(TimestampTz::from_micros(5_000_000));
        assert_eq!(of(time, &Kind::I64), Ok(Value::I64(5)));
        told(Value::I64(40_000), &Kind::I16, "out of the range");
        told(Value::F64(1.5), &Kind::I64, "not whole");
        told(Value::F64(f64::INFINITY), &Kind::I64, "not whole");
        told(text("a"), &Kind::I64, "not a number");
        told(Value::Bytes(vec![1]), &Kind::I64, "it is bytes");
    }

    #[test]
    fn floats_are_exact_or_are_refused() {
        assert_eq!(of(number("0.1"), &Kind::F64), Ok(Value::F64(0.1)));
        assert_eq!(of(Value::F64(0.5), &Kind::F32), Ok(Value::F32(0.5)));
        told(number("0.1234567890123456789"), &Kind::F64, "more digits");
        told(Value::I64((1 << 53) + 1), &Kind::F64, "more digits");
        told(Value::F64(0.1), &Kind::F32, "32-bit float");
    }

    #[test]
    fn decimal_numbers_keep_to_their_digits() {
        let kind = |precision, scale| Kind::Numeric(Some(Digits { precision, scale }));
        assert_eq!(of(Value::F64(1.1), &kind(10, 2)), Ok(number("1.1")));
        assert_eq!(
            of(number("99999999.990"), &kind(10, 2)),
            Ok(number("99999999.990"))
        );
        assert_eq!(of(number("0.05"), &kind(1, 2)), Ok(number("0.05")));
        assert_eq!(of(number("1200"), &kind(2, -2)), Ok(number("1200")));
        told(number("1.234"), &kind(10, 2), "after the point");
        told(number("123456789.00"), &kind(10, 2), "before the point");
        told(number("0.5"), &kind(1, 2), "before the point");
        told(number("1250"), &kind(3, -2), "more digits");
        told(number("Infinity"), &kind(10, 2), "infinite");
        assert_eq!(of(number("NaN"), &kind(10, 2)), Ok(number("NaN")));
    }

    #[test]
    fn a_text_that_is_too_long_is_refused_and_not_shown() {
        let five = Kind::Text(TextLimit {
            length: Some(5),
            padded: false,
        });
        assert_eq!(of(text("äöüßé"), &five), Ok(text("äöüßé")));
        told(text("secret"), &five, "longer than 5 characters");
        assert!(!of(text("secret"), &five).unwrap_err().contains("secret"));
        let padded = Kind::Text(TextLimit {
            length: Some(5),
            padded: true,
        });
        assert_eq!(of(text("ab   "), &padded), Ok(text("ab")));
        told(Value::Bytes(vec![0]), &Kind::TEXT, "it is bytes");
    }

    #[test]
    fn times_keep_to_their_digits() {
        let time = Value::Timestamp(Timestamp::from_micros(1_500));
        told(time.clone(), &Kind::Timestamp(3), "more than 3 digits");
        assert_eq!(of(time.clone(), &Kind::Timestamp(6)), Ok(time));
        let read = of(text("2026-01-31 12:00:00.5"), &Kind::Timestamp(3)).unwrap();
        assert_eq!(read.to_string(), "2026-01-31 12:00:00.5");
        assert_eq!(
            of(text("2026-01-31 00:00:00"), &Kind::Date)
                .unwrap()
                .to_string(),
            "2026-01-31"
        );
        told(text("2026-01-31 00:00:01"), &Kind::Date, "time of day");
        told(text("yesterday"), &Kind::Date, "cannot be read");
        let endless = Value::Timestamp(Timestamp::INFINITY);
        assert_eq!(of(endless.clone(), &Kind::Timestamp(0)), Ok(endless));
    }

    #[test]
    fn arrays_are_read_from_json() {
        let kind = Kind::Array(Box::new(Kind::I32));
        let expected = Value::Array(vec![Value::I32(1), Value::Null]);
        assert_eq!(of(text("[1,null]"), &kind), Ok(expected));
        let nested = of(text("[[1],[2]]"), &kind).unwrap();
        assert_eq!(nested.to_string(), "{{1},{2}}");
        told(text("{}"), &kind, "not a JSON array");
        told(text("[\"a\"]"), &kind, "not a number");
    }

    #[test]
    fn null_fits_everywhere() {
        for kind in [Kind::Bool, Kind::Uuid, Kind::Any, Kind::Labels(Vec::new())] {
            assert_eq!(of(Value::Null, &kind), Ok(Value::Null));
        }
        told(text("d"), &Kind::Labels(vec!["a".to_owned()]), "labels");
    }
}
