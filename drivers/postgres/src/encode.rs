use bytes::{BufMut, BytesMut};
use underpin_core::Value;
use underpin_core::value::Numeric;

use crate::decode::{EPOCH_DAYS, EPOCH_MICROS};
use crate::encode_array;
use crate::kind::{Base, Kind};

/// The reason why a value does not fit a type.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// Values of its kind never fit.
    Kind,
    /// This value does not fit; a clause with the reason.
    Because(String),
}

/// Whether the server has to parse the value from its text, because the client does not know the
/// type's binary form, or because the conversion is up to the server.
pub(crate) fn needs_text(value: &Value, kind: Kind) -> bool {
    match (value, kind) {
        (Value::Text(_), Kind::One(base)) => !matches!(
            base,
            Base::Text | Base::VersionedText | Base::Json | Base::Jsonb
        ),
        (Value::Text(_), _) => true,
        (Value::F32(_) | Value::F64(_), Kind::One(Base::Numeric))
        | (Value::Numeric(_), Kind::One(Base::F32 | Base::F64)) => true,
        (Value::Array(values), Kind::Array(element)) => values
            .iter()
            .any(|value| needs_text(value, encode_array::element_kind(value, element))),
        _ => false,
    }
}

/// Appends the binary form of a value that is not NULL to `out`.
pub(crate) fn encode(value: &Value, kind: Kind, out: &mut BytesMut) -> Result<(), Misfit> {
    match kind {
        Kind::One(base) => one(value, base, out),
        Kind::Array(element) => match value {
            Value::Array(values) => encode_array::array(values, element, out),
            _ => Err(Misfit::Kind),
        },
        Kind::Range(_) | Kind::Multirange(_) => Err(Misfit::Kind),
    }
}

fn one(value: &Value, base: Base, out: &mut BytesMut) -> Result<(), Misfit> {
    match (base, value) {
        (Base::Bool, Value::Bool(v)) => out.put_u8(u8::from(*v)),
        (Base::I16, _) => out.put_i16(integer(value)?),
        (Base::I32, _) => out.put_i32(integer(value)?),
        (Base::I64 | Base::U64, _) => out.put_i64(integer(value)?),
        (Base::U32, _) => out.put_u32(integer(value)?),
        (Base::F32, _) => out.put_f32(narrow(float(value)?)?),
        (Base::F64, _) => out.put_f64(float(value)?),
        (Base::Numeric, Value::Numeric(v)) => numeric(v, out),
        (Base::Numeric, _) => numeric(&Numeric::from(integer::<i64>(value)?), out),
        (Base::Text, _) => text(value, out)?,
        (Base::Json, Value::Json(v) | Value::Text(v)) => out.put_slice(v.as_bytes()),
        (Base::Jsonb, Value::Json(v) | Value::Text(v)) | (Base::VersionedText, Value::Text(v)) => {
            out.put_u8(1);
            out.put_slice(v.as_bytes());
        }
        (Base::Bytes | Base::Opaque | Base::Hidden | Base::Unreadable, Value::Bytes(v)) => {
            out.put_slice(v);
        }
        (Base::Date, Value::Date(v)) => out.put_i32(days(v.days())?),
        (Base::Time, Value::Time(v)) => out.put_i64(v.micros()),
        (Base::Timestamp, Value::Timestamp(v)) => out.put_i64(micros(v.micros())?),
        (Base::Timestamp, Value::Date(v)) => {
            let midnight =
                underpin_core::value::Timestamp::new(*v, underpin_core::value::TimeOfDay::MIDNIGHT);
            let midnight = midnight.ok_or_else(|| out_of_range(v))?;
            out.put_i64(micros(midnight.micros())?);
        }
        (Base::TimestampTz, Value::TimestampTz(v)) => out.put_i64(micros(v.micros())?),
        (Base::Interval, Value::Interval(v)) => {
            out.put_i64(v.micros);
            out.put_i32(v.days);
            out.put_i32(v.months);
        }
        (Base::Uuid, Value::Uuid(v)) => out.put_slice(v.as_bytes()),
        _ => return Err(Misfit::Kind),
    }
    Ok(())
}

fn out_of_range(value: impl std::fmt::Display) -> Misfit {
    Misfit::Because(format!("{value} is out of its range"))
}

fn integer<T: TryFrom<i64>>(value: &Value) -> Result<T, Misfit> {
    let wide = match value {
        Value::I16(v) => i64::from(*v),
        Value::I32(v) => i64::from(*v),
        Value::I64(v) => *v,
        Value::Numeric(v) => whole(v)?,
        _ => return Err(Misfit::Kind),
    };
    T::try_from(wide).map_err(|_| out_of_range(wide))
}

fn whole(number: &Numeric) -> Result<i64, Misfit> {
    let text = number.as_str();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|digit| digit == b'0') {
        return Err(Misfit::Because(format!("{text} is not a whole number")));
    }
    whole.parse().map_err(|_| out_of_range(text))
}

fn float(value: &Value) -> Result<f64, Misfit> {
    match value {
        Value::F32(v) => Ok(f64::from(*v)),
        Value::F64(v) => Ok(*v),
        Value::I16(v) => Ok(f64::from(*v)),
        Value::I32(v) => Ok(f64::from(*v)),
        Value::I64(v) if v.unsigned_abs() <= 1 << f64::MANTISSA_DIGITS => Ok(*v as f64),
        Value::I64(v) => Err(Misfit::Because(format!(
            "{v} has more digits than a float holds"
        ))),
        _ => Err(Misfit::Kind),
    }
}

/// The nearest 32-bit float, as the server itself would store it.
fn narrow(wide: f64) -> Result<f32, Misfit> {
    let narrow = wide as f32;
    let lost = (narrow.is_infinite() && wide.is_finite()) || (narrow == 0.0 && wide != 0.0);
    if lost {
        Err(out_of_range(wide))
    } else {
        Ok(narrow)
    }
}

fn numeric(number: &Numeric, out: &mut BytesMut) {
    let mut bytes = Vec::with_capacity(24);
    number.write_base10000(&mut bytes);
    out.put_slice(&bytes);
}

fn text(value: &Value, out: &mut BytesMut) -> Result<(), Misfit> {
    match value {
        Value::Text(v) | Value::Json(v) => {
            if v.as_bytes().contains(&0) {
                return Err(Misfit::Because(
                    "it contains a NUL character, which PostgreSQL's text cannot".into(),
                ));
            }
            out.put_slice(v.as_bytes());
        }
        Value::Uuid(v) => {
            let mut buffer = [0; 36];
            out.put_slice(v.hyphenated().encode_lower(&mut buffer).as_bytes());
        }
        _ => return Err(Misfit::Kind),
    }
    Ok(())
}

fn days(days: i32) -> Result<i32, Misfit> {
    match days {
        i32::MAX | i32::MIN => Ok(days),
        days => days
            .checked_sub(EPOCH_DAYS)
            .ok_or_else(|| Misfit::Because("it is too far in the past".into())),
    }
}

fn micros(micros: i64) -> Result<i64, Misfit> {
    match micros {
        i64::MAX | i64::MIN => Ok(micros),
        micros => micros
            .checked_sub(EPOCH_MICROS)
            .ok_or_else(|| Misfit::Because("it is too far in the past".into())),
    }
}
