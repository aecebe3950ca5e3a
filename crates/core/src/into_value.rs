use crate::value::{Date, Interval, Numeric, TimeOfDay, Timestamp, TimestampTz, Uuid, Value};

/// A Rust type that can be a parameter.
pub trait IntoValue {
    /// The value to send.
    fn into_value(self) -> Value;
}

impl IntoValue for Value {
    fn into_value(self) -> Value {
        self
    }
}

impl<T: IntoValue> IntoValue for Option<T> {
    #[inline]
    fn into_value(self) -> Value {
        self.map_or(Value::Null, T::into_value)
    }
}

macro_rules! kinds {
    ($($type:ty => $kind:ident),* $(,)?) => {$(
        impl IntoValue for $type {
            #[inline]
            fn into_value(self) -> Value {
                Value::$kind(self.into())
            }
        }
    )*};
}
kinds! {
    bool => Bool, i8 => I16, i16 => I16, i32 => I32, i64 => I64, u8 => I16, u16 => I32,
    u32 => I64, f32 => F32, f64 => F64, String => Text, &str => Text, &String => Text,
    Box<str> => Text, std::borrow::Cow<'_, str> => Text, &[u8] => Bytes, Numeric => Numeric,
    Date => Date, TimeOfDay => Time, Timestamp => Timestamp, TimestampTz => TimestampTz,
    Interval => Interval, Uuid => Uuid,
}

impl IntoValue for u64 {
    /// An integer where it fits one, else a decimal number.
    fn into_value(self) -> Value {
        i64::try_from(self).map_or_else(|_| Value::Numeric(self.into()), Value::I64)
    }
}

/// A `Vec<u8>` is bytes; a `Vec` of anything else is an array.
impl<T: ArrayElement> IntoValue for Vec<T> {
    fn into_value(self) -> Value {
        T::vec_into_value(self)
    }
}

/// What a `Vec` given as a parameter can hold: an array's elements, and `u8`, whose `Vec`
/// is bytes. A type of one's own needs no more than `impl ArrayElement for Own {}`.
pub trait ArrayElement: IntoValue + Sized {
    /// The whole `Vec` as one value.
    fn vec_into_value(vec: Vec<Self>) -> Value {
        Value::Array(vec.into_iter().map(IntoValue::into_value).collect())
    }
}

impl ArrayElement for u8 {
    fn vec_into_value(vec: Vec<u8>) -> Value {
        Value::Bytes(vec)
    }
}

macro_rules! elements {
    ($($type:ty),* $(,)?) => {$(
        impl $crate::into_value::ArrayElement for $type {}
    )*};
}
#[cfg(any(
    feature = "bigdecimal",
    feature = "chrono",
    feature = "jiff",
    feature = "rust_decimal",
    feature = "time"
))]
pub(crate) use elements;
elements!(
    bool,
    i8,
    i16,
    i32,
    i64,
    u16,
    u32,
    u64,
    f32,
    f64,
    String,
    &str,
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

impl<T: IntoValue> ArrayElement for Option<T> {}
impl<T: ArrayElement> ArrayElement for Vec<T> {}
