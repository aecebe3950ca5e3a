use crate::statement_description::ANY_TEXT;
use crate::value::{Date, Interval, Numeric, TimeOfDay, Timestamp, TimestampTz, Uuid, Value};

/// A Rust type that can be a parameter.
pub trait IntoValue {
    /// The value to send.
    fn into_value(self) -> Value;

    /// Values that represent everything that it may be sent as: the extremes of a number,
    /// [`ANY_TEXT`] for any text, each label of an enum. They are used to check a statement before
    /// it is run. Empty if nothing is known.
    fn specimens() -> Vec<Value>
    where
        Self: Sized,
    {
        Vec::new()
    }
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

    fn specimens() -> Vec<Value> {
        T::specimens()
    }
}

macro_rules! kinds {
    ($($type:ty => $kind:ident, $specimen:expr;)*) => {$(
        impl IntoValue for $type {
            #[inline]
            fn into_value(self) -> Value {
                Value::$kind(self.into())
            }

            fn specimens() -> Vec<Value> {
                vec![Value::$kind($specimen)]
            }
        }
    )*};
}
kinds! {
    bool => Bool, true;
    i8 => I16, i8::MAX.into();
    i16 => I16, i16::MAX;
    i32 => I32, i32::MAX;
    i64 => I64, i64::MAX;
    u8 => I16, u8::MAX.into();
    u16 => I32, u16::MAX.into();
    u32 => I64, u32::MAX.into();
    f32 => F32, 0.1;
    f64 => F64, 0.1;
    String => Text, ANY_TEXT.into();
    &str => Text, ANY_TEXT.into();
    &String => Text, ANY_TEXT.into();
    Box<str> => Text, ANY_TEXT.into();
    std::borrow::Cow<'_, str> => Text, ANY_TEXT.into();
    &[u8] => Bytes, vec![0];
    Numeric => Numeric, half();
    Date => Date, Date::from_days(0);
    TimeOfDay => Time, TimeOfDay::MIDNIGHT;
    Timestamp => Timestamp, Timestamp::from_micros(0);
    TimestampTz => TimestampTz, TimestampTz::from_micros(0);
    Interval => Interval, Interval::default();
    Uuid => Uuid, Uuid::nil();
}

fn half() -> Numeric {
    "0.5".parse().expect("it is a number")
}

impl IntoValue for u64 {
    /// An integer if it fits one, otherwise a decimal number.
    fn into_value(self) -> Value {
        i64::try_from(self).map_or_else(|_| Value::Numeric(self.into()), Value::I64)
    }

    /// Values beyond a 64-bit integer are only checked when one is sent.
    fn specimens() -> Vec<Value> {
        i64::specimens()
    }
}

/// A `Vec<u8>` is bytes; a `Vec` of any other type is an array.
impl<T: ArrayElement> IntoValue for Vec<T> {
    fn into_value(self) -> Value {
        T::vec_into_value(self)
    }

    fn specimens() -> Vec<Value> {
        T::vec_specimens()
    }
}

/// A type that a `Vec` as a parameter can contain: an array's elements, and `u8`, whose `Vec` is
/// bytes. A user's own type needs only `impl ArrayElement for Own {}`.
pub trait ArrayElement: IntoValue + Sized {
    /// The whole `Vec` as one value.
    fn vec_into_value(vec: Vec<Self>) -> Value {
        Value::Array(vec.into_iter().map(IntoValue::into_value).collect())
    }

    /// The [specimens](IntoValue::specimens) of the whole `Vec`.
    fn vec_specimens() -> Vec<Value> {
        let elements = Self::specimens().into_iter();
        elements
            .map(|element| Value::Array(vec![element]))
            .collect()
    }
}

impl ArrayElement for u8 {
    fn vec_into_value(vec: Vec<u8>) -> Value {
        Value::Bytes(vec)
    }

    fn vec_specimens() -> Vec<Value> {
        vec![Value::Bytes(vec![0])]
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
