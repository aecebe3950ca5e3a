use std::fmt;

use crate::row::Row;
use crate::value::{
    Date, Interval, Numeric, TimeOfDay, Timestamp, TimestampTz, Uuid, Value, ValueRef,
};

/// A Rust type that a column can be read as.
///
/// Integers and floats are read from any number that fits without loss, and text also from JSON and
/// UUIDs. Everything else is read from its own kind, and from the text that the engine stores if an
/// engine has no such kind (SQLite's dates and UUIDs).
pub trait FromValue<'r>: Sized {
    /// Reads the value.
    ///
    /// # Errors
    /// A [`Mismatch`] with the expected kind; the caller adds the column's name and type.
    fn from_value(value: ValueRef<'r>) -> Result<Self, Mismatch>;

    /// Reads the column at `index` in the row's shortest way for the type; `None` if
    /// [`from_value`](FromValue::from_value) has to read it.
    #[inline]
    fn read_directly(row: &'r (dyn Row + '_), index: usize) -> Option<Self> {
        let _ = (row, index);
        None
    }
}

/// The reason why a value could not be read as a Rust type.
#[derive(Debug)]
pub struct Mismatch(Cause);

#[derive(Debug)]
enum Cause {
    Kind(&'static str),
    Because(String),
}

impl Mismatch {
    /// The value is of a kind other than `expected`, a noun such as "a date".
    pub fn kind(expected: &'static str) -> Self {
        Mismatch(Cause::Kind(expected))
    }

    /// The value is of the right kind but does not fit; `why` is a clause.
    pub fn because(why: impl Into<String>) -> Self {
        Mismatch(Cause::Because(why.into()))
    }

    /// Whether values of this kind never fit.
    pub fn is_of_kind(&self) -> bool {
        matches!(self.0, Cause::Kind(_))
    }

    /// Adds the kind that was found, for the error that names the column.
    #[cold]
    pub fn describe(&self, found: ValueRef<'_>) -> String {
        match &self.0 {
            Cause::Kind(expected) => {
                format!("expected {expected}, but found {}", found.kind())
            }
            Cause::Because(why) => why.clone(),
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::Kind(expected) => write!(f, "expected {expected}"),
            Cause::Because(why) => f.write_str(why),
        }
    }
}

impl<'r, T: FromValue<'r>> FromValue<'r> for Option<T> {
    #[inline]
    fn from_value(value: ValueRef<'r>) -> Result<Self, Mismatch> {
        match value {
            ValueRef::Null => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }

    #[inline]
    fn read_directly(row: &'r (dyn Row + '_), index: usize) -> Option<Self> {
        T::read_directly(row, index).map(Some)
    }
}

impl<'r> FromValue<'r> for ValueRef<'r> {
    fn from_value(value: ValueRef<'r>) -> Result<Self, Mismatch> {
        Ok(value)
    }
}

impl FromValue<'_> for Value {
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        value
            .to_owned()
            .map_err(|error| Mismatch::because(error.to_string()))
    }
}

impl FromValue<'_> for bool {
    #[inline]
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        match value {
            ValueRef::Bool(v) => Ok(v),
            // SQLite has no boolean type.
            ValueRef::I64(0) => Ok(false),
            ValueRef::I64(1) => Ok(true),
            _ => Err(Mismatch::kind("a boolean")),
        }
    }

    #[inline]
    fn read_directly(row: &dyn Row, index: usize) -> Option<Self> {
        match row.integer(index) {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        }
    }
}

macro_rules! integer {
    ($($type:ty: $name:literal),*) => {$(
        impl FromValue<'_> for $type {
            #[inline]
            fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
                let wide = match value {
                    ValueRef::I16(v) => i64::from(v),
                    ValueRef::I32(v) => i64::from(v),
                    ValueRef::I64(v) => v,
                    _ => return Err(Mismatch::kind($name)),
                };
                <$type>::try_from(wide)
                    .map_err(|_| Mismatch::because(format!("{wide} is out of range for {}", $name)))
            }

            #[inline]
            fn read_directly(row: &dyn Row, index: usize) -> Option<Self> {
                <$type>::try_from(row.integer(index)?).ok()
            }
        }
    )*};
}
integer!(i8: "an 8-bit integer", i16: "a 16-bit integer", i32: "a 32-bit integer",
    i64: "a 64-bit integer", u8: "an unsigned 8-bit integer", u16: "an unsigned 16-bit integer",
    u32: "an unsigned 32-bit integer", u64: "an unsigned 64-bit integer",
    usize: "an unsigned integer");

impl FromValue<'_> for f32 {
    #[inline]
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        match value {
            ValueRef::F32(v) => Ok(v),
            ValueRef::F64(v) if f64::from(v as f32) == v || v.is_nan() => Ok(v as f32),
            ValueRef::F64(v) => Err(Mismatch::because(format!(
                "{v} does not fit a 32-bit float"
            ))),
            ValueRef::I16(v) => Ok(f32::from(v)),
            _ => Err(Mismatch::kind("a 32-bit float")),
        }
    }
}

impl FromValue<'_> for f64 {
    #[inline]
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        match value {
            ValueRef::F64(v) => Ok(v),
            ValueRef::F32(v) => Ok(f64::from(v)),
            ValueRef::I16(v) => Ok(f64::from(v)),
            ValueRef::I32(v) => Ok(f64::from(v)),
            // SQLite stores a whole number in a column without type as an integer.
            ValueRef::I64(v) if v.unsigned_abs() <= 1 << f64::MANTISSA_DIGITS => Ok(v as f64),
            _ => Err(Mismatch::kind("a 64-bit float")),
        }
    }

    #[inline]
    fn read_directly(row: &dyn Row, index: usize) -> Option<Self> {
        row.float(index)
    }
}

impl<'r> FromValue<'r> for &'r str {
    #[inline]
    fn from_value(value: ValueRef<'r>) -> Result<Self, Mismatch> {
        match value {
            ValueRef::Text(v) | ValueRef::Json(v) => Ok(v),
            _ => Err(Mismatch::kind("text")),
        }
    }

    #[inline]
    fn read_directly(row: &'r (dyn Row + '_), index: usize) -> Option<Self> {
        row.text(index)
    }
}

impl FromValue<'_> for String {
    #[inline]
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        match value {
            ValueRef::Uuid(v) => Ok(v.to_string()),
            value => <&str>::from_value(value).map(str::to_owned),
        }
    }

    #[inline]
    fn read_directly(row: &dyn Row, index: usize) -> Option<Self> {
        row.text(index).map(str::to_owned)
    }
}

impl FromValue<'_> for Box<str> {
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        String::from_value(value).map(String::into_boxed_str)
    }
}

impl<'r> FromValue<'r> for &'r [u8] {
    #[inline]
    fn from_value(value: ValueRef<'r>) -> Result<Self, Mismatch> {
        match value {
            ValueRef::Bytes(v) => Ok(v),
            _ => Err(Mismatch::kind("bytes")),
        }
    }

    #[inline]
    fn read_directly(row: &'r (dyn Row + '_), index: usize) -> Option<Self> {
        row.bytes(index)
    }
}

/// A `Vec<u8>` is bytes; a `Vec` of any other readable type is an array.
impl<T: VecElement> FromValue<'_> for Vec<T> {
    #[inline]
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        T::read_vec(value)
    }

    #[inline]
    fn read_directly(row: &dyn Row, index: usize) -> Option<Self> {
        T::read_vec_directly(row, index)
    }
}

/// A type that a `Vec` read from a column can contain: an array's elements, and `u8`, whose `Vec`
/// is bytes. A user's own type needs only `impl VecElement for Own {}`.
pub trait VecElement: for<'x> FromValue<'x> {
    /// Reads the whole `Vec`.
    ///
    /// # Errors
    /// As for [`FromValue::from_value`].
    fn read_vec(value: ValueRef<'_>) -> Result<Vec<Self>, Mismatch> {
        read_array(value)
    }

    /// Reads the whole `Vec`, like [`FromValue::read_directly`].
    #[inline]
    fn read_vec_directly(row: &dyn Row, index: usize) -> Option<Vec<Self>> {
        let _ = (row, index);
        None
    }
}

impl VecElement for u8 {
    #[inline]
    fn read_vec(value: ValueRef<'_>) -> Result<Vec<u8>, Mismatch> {
        <&[u8]>::from_value(value).map(<[u8]>::to_vec)
    }

    #[inline]
    fn read_vec_directly(row: &dyn Row, index: usize) -> Option<Vec<u8>> {
        row.bytes(index).map(<[u8]>::to_vec)
    }
}

fn read_array<T: for<'x> FromValue<'x>>(value: ValueRef<'_>) -> Result<Vec<T>, Mismatch> {
    let values = match value {
        ValueRef::Array(array) => array
            .to_values()
            .map_err(|error| Mismatch::because(error.to_string()))?,
        // SQLite stores an array as JSON text.
        ValueRef::Text(text) | ValueRef::Json(text) => {
            crate::value::array_from_json(text).ok_or_else(|| Mismatch::kind("an array"))?
        }
        _ => return Err(Mismatch::kind("an array")),
    };
    let read = |(at, value): (usize, &Value)| {
        T::from_value(value.as_ref()).map_err(|mismatch| {
            let what = mismatch.describe(value.as_ref());
            Mismatch::because(format!("element {}: {what}", at + 1))
        })
    };
    values.iter().enumerate().map(read).collect()
}

macro_rules! element {
    ($($type:ty),*) => {$(
        impl $crate::from_value::VecElement for $type {}
    )*};
}
#[cfg(any(
    feature = "bigdecimal",
    feature = "chrono",
    feature = "jiff",
    feature = "rust_decimal",
    feature = "time"
))]
pub(crate) use element;
element!(
    bool,
    i8,
    i16,
    i32,
    i64,
    u16,
    u32,
    u64,
    usize,
    f32,
    f64,
    String,
    Value,
    Numeric,
    Date,
    TimeOfDay,
    Timestamp,
    TimestampTz,
    Interval,
    Uuid,
    serde_json::Value
);

impl<T: for<'x> FromValue<'x>> VecElement for Option<T> {}
impl<T: VecElement> VecElement for Vec<T> {}

macro_rules! own_kind {
    ($($type:ty, $kind:ident, $read:expr, $name:literal $(, $seconds:ident)?;)*) => {$(
        impl FromValue<'_> for $type {
            #[inline]
            fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
                match value {
                    ValueRef::$kind(v) => Ok(v),
                    // SQLite has no time types: it stores text, or Unix seconds.
                    ValueRef::Text(text) => $read(text).map_err(|error| {
                        Mismatch::because(format!("the text cannot be read as {}: {error}", $name))
                    }),
                    $(ValueRef::I64($seconds) => unix_micros($seconds).map(<$type>::from_micros),)?
                    _ => Err(Mismatch::kind($name)),
                }
            }
        }
    )*};
}
own_kind! {
    Date, Date, str::parse, "a date";
    TimeOfDay, Time, TimeOfDay::from_stored, "a time of day";
    Timestamp, Timestamp, Timestamp::from_stored, "a timestamp without zone", seconds;
    TimestampTz, TimestampTz, TimestampTz::from_stored, "a timestamp with zone", seconds;
    Interval, Interval, str::parse, "an interval";
}

/// The last second of the year 9999, the limit of SQLite's functions.
const LAST_SECOND: i64 = 253_402_300_799;

/// The microseconds of Unix seconds.
fn unix_micros(seconds: i64) -> Result<i64, Mismatch> {
    match seconds.unsigned_abs() <= LAST_SECOND as u64 {
        true => Ok(seconds * 1_000_000),
        false => Err(Mismatch::because(format!(
            "{seconds} Unix seconds are beyond the year 9999; read milliseconds as a number"
        ))),
    }
}

impl FromValue<'_> for Uuid {
    #[inline]
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        match value {
            ValueRef::Uuid(v) => Ok(v),
            ValueRef::Text(text) => Uuid::parse_str(text)
                .map_err(|error| Mismatch::because(format!("the text is not a UUID: {error}"))),
            ValueRef::Bytes(bytes) => Uuid::from_slice(bytes)
                .map_err(|error| Mismatch::because(format!("the bytes are not a UUID: {error}"))),
            _ => Err(Mismatch::kind("a UUID")),
        }
    }
}

impl FromValue<'_> for Numeric {
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        match value {
            ValueRef::Numeric(v) => Ok(v.to_owned()),
            ValueRef::I16(v) => Ok(i64::from(v).into()),
            ValueRef::I32(v) => Ok(i64::from(v).into()),
            ValueRef::I64(v) => Ok(v.into()),
            // SQLite has no decimal type: it stores text, or the nearest float.
            ValueRef::Text(text) => text
                .parse()
                .map_err(|_| Mismatch::because("the text cannot be read as a decimal number")),
            ValueRef::F64(v) => v
                .to_string()
                .parse()
                .map_err(|_| Mismatch::kind("a decimal number")),
            _ => Err(Mismatch::kind("a decimal number")),
        }
    }
}
