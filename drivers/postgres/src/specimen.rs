//! Typical values of a type's columns, before any is read.

use postgres_types::{Kind as TypeKind, Type};
use underpin_core::value::{Date, Interval, TimeOfDay, Timestamp, TimestampTz, Uuid};
use underpin_core::{ANY_TEXT, Holds, Value};

use crate::kind::{Base, Element, Kind};
use crate::wire::put::Format;

/// The kinds of values of a type.
pub(crate) fn holds(type_: &Type) -> Holds {
    if let Some(labels) = labels(type_) {
        let of_label = |label: &String| match Kind::of(type_) {
            Kind::Array(_) => Value::Array(vec![Value::Text(label.clone())]),
            _ => Value::Text(label.clone()),
        };
        return Holds::Each(labels.iter().map(of_label).collect());
    }
    if Kind::of(type_).format() == Format::Text {
        return Holds::Each(vec![Value::Text(ANY_TEXT.into())]);
    }
    if let Kind::One(Base::Json | Base::Jsonb) = Kind::of(type_) {
        return Holds::OneOf([ANY_TEXT, "[]"].map(|text| Value::Json(text.into())).into());
    }
    let specimen = match Kind::of(type_) {
        Kind::One(base) => of_base(base),
        Kind::Range(_) | Kind::Multirange(_) => Some(Value::Text(ANY_TEXT.into())),
        Kind::Array(Element::One(base)) => of_base(base).map(|value| Value::Array(vec![value])),
        Kind::Array(_) => Some(Value::Array(vec![Value::Text(ANY_TEXT.into())])),
    };
    specimen.map_or(Holds::Unknown, |specimen| Holds::Each(vec![specimen]))
}

/// The labels of an enumerated type, of a domain over one or an array of one.
pub(crate) fn labels(type_: &Type) -> Option<&[String]> {
    match type_.kind() {
        TypeKind::Enum(labels) => Some(labels),
        TypeKind::Domain(base) | TypeKind::Array(base) => labels(base),
        _ => None,
    }
}

/// For numbers, one that no smaller type of the server can hold: a smaller Rust type would
/// eventually fail on it.
fn of_base(base: Base) -> Option<Value> {
    Some(match base {
        Base::Bool => Value::Bool(true),
        Base::I16 => Value::I16(0),
        Base::I32 => Value::I32(i32::from(i16::MAX) + 1),
        Base::I64 | Base::U32 | Base::U64 => Value::I64(i64::from(i32::MAX) + 1),
        Base::F32 => Value::F32(0.1),
        Base::F64 => Value::F64(0.1),
        Base::Numeric => Value::Numeric("0.5".parse().ok()?),
        Base::Text
        | Base::VersionedText
        | Base::TimeTz
        | Base::Inet
        | Base::MacAddr
        | Base::Bit
        | Base::Lsn
        | Base::Tid => Value::Text(ANY_TEXT.into()),
        Base::Bytes | Base::Opaque => Value::Bytes(vec![0]),
        Base::Date => Value::Date(Date::from_days(0)),
        Base::Time => Value::Time(TimeOfDay::MIDNIGHT),
        Base::Timestamp => Value::Timestamp(Timestamp::from_micros(0)),
        Base::TimestampTz => Value::TimestampTz(TimestampTz::from_micros(0)),
        Base::Interval => Value::Interval(Interval::default()),
        Base::Uuid => Value::Uuid(Uuid::nil()),
        Base::Json | Base::Jsonb => Value::Json(ANY_TEXT.into()),
        Base::Hidden | Base::Unreadable => return None,
    })
}
