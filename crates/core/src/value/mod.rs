//! Values as they travel between a program and a database: owned in a [`Value`],
//! borrowed from a driver's buffer in a [`ValueRef`].

mod array;
#[cfg(feature = "bigdecimal")]
mod bigdecimal;
#[cfg(feature = "chrono")]
mod chrono;
mod date;
mod display;
mod interval;
#[cfg(feature = "jiff")]
mod jiff;
mod json;
mod numeric;
#[cfg(feature = "rust_decimal")]
mod rust_decimal;
#[cfg(feature = "time")]
mod time;
mod time_of_day;
mod timestamp;

pub use array::ArrayRef;
pub(crate) use array::array_from_json;
pub use date::Date;
pub use interval::Interval;
pub use json::Json;
pub use numeric::{Numeric, NumericRef, ParseNumericError};
pub use time_of_day::TimeOfDay;
pub use timestamp::{ParseTimeError, Timestamp, TimestampTz};
pub use uuid::Uuid;

/// A value of any type that an engine knows. As a parameter it is converted to the type that the
/// server expects, so that an `i32` can be used for a `bigint` or a `numeric`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// SQL's NULL.
    Null,
    /// A truth value.
    Bool(bool),
    /// A 16-bit integer.
    I16(i16),
    /// A 32-bit integer.
    I32(i32),
    /// A 64-bit integer.
    I64(i64),
    /// A 32-bit float.
    F32(f32),
    /// A 64-bit float.
    F64(f64),
    /// A decimal number of any precision.
    Numeric(Numeric),
    /// Text, and all types that an engine can read from text: enums, ranges, addresses.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A day.
    Date(Date),
    /// A time of day.
    Time(TimeOfDay),
    /// A date and time without zone.
    Timestamp(Timestamp),
    /// A point in time.
    TimestampTz(TimestampTz),
    /// A span of months, days and microseconds.
    Interval(Interval),
    /// A UUID.
    Uuid(Uuid),
    /// A JSON document as its text.
    Json(String),
    /// An array; several dimensions are arrays of arrays.
    Array(Vec<Value>),
}

/// A value borrowed from a driver's buffer.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum ValueRef<'r> {
    /// SQL's NULL.
    Null,
    /// A truth value.
    Bool(bool),
    /// A 16-bit integer.
    I16(i16),
    /// A 32-bit integer.
    I32(i32),
    /// A 64-bit integer.
    I64(i64),
    /// A 32-bit float.
    F32(f32),
    /// A 64-bit float.
    F64(f64),
    /// A decimal number of any precision.
    Numeric(NumericRef<'r>),
    /// Text.
    Text(&'r str),
    /// Bytes.
    Bytes(&'r [u8]),
    /// A day.
    Date(Date),
    /// A time of day.
    Time(TimeOfDay),
    /// A date and time without zone.
    Timestamp(Timestamp),
    /// A point in time.
    TimestampTz(TimestampTz),
    /// A span of months, days and microseconds.
    Interval(Interval),
    /// A UUID.
    Uuid(Uuid),
    /// A JSON document as its text.
    Json(&'r str),
    /// An array.
    Array(ArrayRef<'r>),
}

impl Value {
    /// The same value, borrowed.
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Value::Null => ValueRef::Null,
            Value::Bool(v) => ValueRef::Bool(*v),
            Value::I16(v) => ValueRef::I16(*v),
            Value::I32(v) => ValueRef::I32(*v),
            Value::I64(v) => ValueRef::I64(*v),
            Value::F32(v) => ValueRef::F32(*v),
            Value::F64(v) => ValueRef::F64(*v),
            Value::Numeric(v) => ValueRef::Numeric(v.as_ref()),
            Value::Text(v) => ValueRef::Text(v),
            Value::Bytes(v) => ValueRef::Bytes(v),
            Value::Date(v) => ValueRef::Date(*v),
            Value::Time(v) => ValueRef::Time(*v),
            Value::Timestamp(v) => ValueRef::Timestamp(*v),
            Value::TimestampTz(v) => ValueRef::TimestampTz(*v),
            Value::Interval(v) => ValueRef::Interval(*v),
            Value::Uuid(v) => ValueRef::Uuid(*v),
            Value::Json(v) => ValueRef::Json(v),
            Value::Array(v) => ValueRef::Array(ArrayRef::Values(v)),
        }
    }

    /// The kind of the value, for messages.
    pub fn kind(&self) -> &'static str {
        self.as_ref().kind()
    }

    /// Whether it is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }
}

impl ValueRef<'_> {
    /// The same value, owned.
    ///
    /// # Errors
    /// [`Class::Data`](crate::Class::Data) if an array's elements cannot be read.
    pub fn to_owned(self) -> crate::Result<Value> {
        Ok(match self {
            ValueRef::Null => Value::Null,
            ValueRef::Bool(v) => Value::Bool(v),
            ValueRef::I16(v) => Value::I16(v),
            ValueRef::I32(v) => Value::I32(v),
            ValueRef::I64(v) => Value::I64(v),
            ValueRef::F32(v) => Value::F32(v),
            ValueRef::F64(v) => Value::F64(v),
            ValueRef::Numeric(v) => Value::Numeric(v.to_owned()),
            ValueRef::Text(v) => Value::Text(v.to_owned()),
            ValueRef::Bytes(v) => Value::Bytes(v.to_owned()),
            ValueRef::Date(v) => Value::Date(v),
            ValueRef::Time(v) => Value::Time(v),
            ValueRef::Timestamp(v) => Value::Timestamp(v),
            ValueRef::TimestampTz(v) => Value::TimestampTz(v),
            ValueRef::Interval(v) => Value::Interval(v),
            ValueRef::Uuid(v) => Value::Uuid(v),
            ValueRef::Json(v) => Value::Json(v.to_owned()),
            ValueRef::Array(v) => Value::Array(v.to_values()?),
        })
    }

    /// The kind of the value, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            ValueRef::Null => "NULL",
            ValueRef::Bool(_) => "a boolean",
            ValueRef::I16(_) => "a 16-bit integer",
            ValueRef::I32(_) => "a 32-bit integer",
            ValueRef::I64(_) => "a 64-bit integer",
            ValueRef::F32(_) => "a 32-bit float",
            ValueRef::F64(_) => "a 64-bit float",
            ValueRef::Numeric(_) => "a decimal number",
            ValueRef::Text(_) => "text",
            ValueRef::Bytes(_) => "bytes",
            ValueRef::Date(_) => "a date",
            ValueRef::Time(_) => "a time of day",
            ValueRef::Timestamp(_) => "a timestamp without zone",
            ValueRef::TimestampTz(_) => "a timestamp with zone",
            ValueRef::Interval(_) => "an interval",
            ValueRef::Uuid(_) => "a UUID",
            ValueRef::Json(_) => "JSON",
            ValueRef::Array(_) => "an array",
        }
    }
}
