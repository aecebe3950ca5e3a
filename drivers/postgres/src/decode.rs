use underpin_core::value::{
    ArrayRef, Date, Interval, NumericRef, TimeOfDay, Timestamp, TimestampTz, Uuid,
};
use underpin_core::{Class, Error, Result, Value, ValueRef};

use crate::kind::{Base, Element, FIRST_MADE_HERE, Kind};
use crate::texts::Texts;
use crate::{made_text, range};

/// Number of days from 1970-01-01 to 2000-01-01, PostgreSQL's epoch.
pub(crate) const EPOCH_DAYS: i32 = 10_957;
/// Number of microseconds between the two.
pub(crate) const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// Reads the bytes of a value; `None` if they do not match the kind. If the server did not send
/// text for a value that needs it, the text is created, and kept in `texts`.
#[inline]
pub(crate) fn value<'r>(kind: Kind, bytes: &'r [u8], texts: &'r Texts) -> Option<ValueRef<'r>> {
    match kind {
        Kind::One(base) => one(base, bytes, texts),
        Kind::Array(element) => Some(ValueRef::Array(ArrayRef::Encoded {
            bytes,
            element: element.code(),
            decode: array,
        })),
        Kind::Range(bound) => Some(ValueRef::Text(texts.keep(range::text(bound, bytes)?))),
        Kind::Multirange(bound) => {
            Some(ValueRef::Text(texts.keep(range::multirange(bound, bytes)?)))
        }
    }
}

#[inline]
fn one<'r>(base: Base, bytes: &'r [u8], texts: &'r Texts) -> Option<ValueRef<'r>> {
    Some(match base {
        Base::Bool => ValueRef::Bool(*bytes.first()? != 0),
        Base::I16 => ValueRef::I16(i16::from_be_bytes(bytes.try_into().ok()?)),
        Base::I32 => ValueRef::I32(i32::from_be_bytes(bytes.try_into().ok()?)),
        Base::I64 => ValueRef::I64(int8(bytes)?),
        Base::U32 => ValueRef::I64(u32::from_be_bytes(bytes.try_into().ok()?).into()),
        Base::U64 => ValueRef::I64(int8(bytes)?),
        Base::F32 => ValueRef::F32(f32::from_be_bytes(bytes.try_into().ok()?)),
        Base::F64 => ValueRef::F64(f64::from_be_bytes(bytes.try_into().ok()?)),
        Base::Numeric => ValueRef::Numeric(NumericRef::base10000(bytes)?),
        Base::Text => ValueRef::Text(str::from_utf8(bytes).ok()?),
        Base::VersionedText => ValueRef::Text(str::from_utf8(bytes.strip_prefix(&[1])?).ok()?),
        Base::Bytes | Base::Opaque => ValueRef::Bytes(bytes),
        Base::Date => ValueRef::Date(date(i32::from_be_bytes(bytes.try_into().ok()?))),
        Base::Time => ValueRef::Time(TimeOfDay::from_micros(int8(bytes)?)?),
        Base::Timestamp => ValueRef::Timestamp(Timestamp::from_micros(unix_micros(int8(bytes)?)?)),
        Base::TimestampTz => {
            ValueRef::TimestampTz(TimestampTz::from_micros(unix_micros(int8(bytes)?)?))
        }
        Base::Interval => ValueRef::Interval(interval(bytes)?),
        Base::Uuid => ValueRef::Uuid(Uuid::from_slice(bytes).ok()?),
        Base::Json => ValueRef::Json(str::from_utf8(bytes).ok()?),
        Base::Jsonb => ValueRef::Json(str::from_utf8(bytes.strip_prefix(&[1])?).ok()?),
        Base::Hidden => hidden(bytes),
        Base::TimeTz | Base::Inet | Base::MacAddr | Base::Bit | Base::Lsn | Base::Tid => {
            ValueRef::Text(texts.keep(made_text::text(base, bytes)?))
        }
        Base::Unreadable => return None,
    })
}

/// Text, if the bytes can be text. The types whose numbers are hidden are enums and `citext`, whose
/// binary form is their text, and others, whose form is full of zeros. An array is recognized by
/// its header.
fn hidden(bytes: &[u8]) -> ValueRef<'_> {
    let element = Element::One(Base::Hidden);
    let made_here = bytes
        .get(8..12)
        .is_some_and(|number| number >= &FIRST_MADE_HERE.to_be_bytes()[..]);
    if made_here && elements(bytes, element).is_some() {
        return ValueRef::Array(ArrayRef::Encoded {
            bytes,
            element: element.code(),
            decode: array,
        });
    }
    let is_control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r');
    match str::from_utf8(bytes) {
        Ok(text) if !bytes.iter().any(is_control) => ValueRef::Text(text),
        _ => ValueRef::Bytes(bytes),
    }
}

#[inline]
pub(crate) fn int8(bytes: &[u8]) -> Option<i64> {
    Some(i64::from_be_bytes(bytes.try_into().ok()?))
}

fn date(days: i32) -> Date {
    match days {
        i32::MAX => Date::INFINITY,
        i32::MIN => Date::NEG_INFINITY,
        // PostgreSQL has no days so far from its epoch that this could overflow.
        days => Date::from_days(days.saturating_add(EPOCH_DAYS)),
    }
}

#[inline]
fn unix_micros(micros: i64) -> Option<i64> {
    match micros {
        i64::MAX | i64::MIN => Some(micros),
        micros => micros.checked_add(EPOCH_MICROS),
    }
}

fn interval(bytes: &[u8]) -> Option<Interval> {
    let (micros, rest) = bytes.split_first_chunk()?;
    let (days, rest) = rest.split_first_chunk()?;
    Some(Interval {
        micros: i64::from_be_bytes(*micros),
        days: i32::from_be_bytes(*days),
        months: i32::from_be_bytes(rest.try_into().ok()?),
    })
}

/// Reads the elements of an array; several dimensions are arrays of arrays.
fn array(bytes: &[u8], element: u32) -> Result<Vec<Value>> {
    let malformed = || {
        Error::new(
            Class::Data,
            "The array's bytes do not follow PostgreSQL's protocol.",
        )
    };
    let element = Element::from_code(element).ok_or_else(malformed)?;
    if element == Element::One(Base::Unreadable) {
        return Err(Error::new(
            Class::Data,
            "The elements are of a type that cannot be read.",
        )
        .with_hint("Cast the column to text in the statement: column::text."));
    }
    elements(bytes, element).ok_or_else(malformed)
}

/// PostgreSQL allows six dimensions.
const MOST_DIMENSIONS: u32 = 6;

fn elements(bytes: &[u8], element: Element) -> Option<Vec<Value>> {
    let mut rest = bytes;
    let dimensions = take_u32(&mut rest)?;
    let _has_nulls = take_u32(&mut rest)?;
    let _type = take_u32(&mut rest)?;
    if dimensions > MOST_DIMENSIONS {
        return None;
    }
    let mut lengths = Vec::with_capacity(dimensions as usize);
    for _ in 0..dimensions {
        lengths.push(take_u32(&mut rest)? as usize);
        let _lower_bound = take_u32(&mut rest)?;
    }
    let values = if lengths.is_empty() {
        Vec::new()
    } else {
        dimension(&mut rest, &lengths, element)?
    };
    rest.is_empty().then_some(values)
}

fn dimension(rest: &mut &[u8], lengths: &[usize], element: Element) -> Option<Vec<Value>> {
    let (&length, inner) = lengths.split_first()?;
    // Each element takes at least four bytes, whatever the length claims.
    let mut values = Vec::with_capacity(length.min(rest.len() / 4));
    for _ in 0..length {
        values.push(if inner.is_empty() {
            element_value(rest, element)?
        } else {
            Value::Array(dimension(rest, inner, element)?)
        });
    }
    Some(values)
}

fn element_value(rest: &mut &[u8], element: Element) -> Option<Value> {
    let length = take_u32(rest)?;
    if length == u32::MAX {
        return Some(Value::Null);
    }
    let (bytes, after) = rest.split_at_checked(length as usize)?;
    *rest = after;
    value(element.kind(), bytes, &Texts::default())?
        .to_owned()
        .ok()
}

pub(crate) fn take_u32(rest: &mut &[u8]) -> Option<u32> {
    let (number, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u32::from_be_bytes(*number))
}
