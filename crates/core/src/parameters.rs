use crate::into_value::IntoValue;
use crate::params::IntoParams;
use crate::value::{Date, Interval, Json, Numeric, TimeOfDay, Timestamp, TimestampTz, Uuid, Value};

/// The type of one parameter of a statement that is declared with its types.
///
/// `#[derive(IntoValue)]` implements it too; a type with its own `IntoValue` needs only `impl
/// Parameter for Own { type Given<'a> = Own; }`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a known type of a parameter",
    note = "derive `IntoValue` for it, or write `impl Parameter for Own {{ type Given<'a> = Own; }}`"
)]
pub trait Parameter: IntoValue {
    /// The type of the argument: the same type, with a lifetime of its own if it borrows.
    type Given<'a>: IntoValue;
}

/// The types of all parameters of a statement: `()`, or a tuple of up to 16. It cannot be implemented
/// by other types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tuple of parameters' types",
    note = "the types are a tuple: `()` for none, `(i64,)` for one"
)]
pub trait Parameters: crate::sealed::Parameters {
    /// The type of the arguments.
    type Given<'a>: IntoParams;

    /// The shape of each parameter.
    fn shapes() -> Vec<ParameterShape>;
}

/// The values as which a parameter of a Rust type may be sent.
#[derive(Debug, Clone)]
pub struct ParameterShape {
    /// The name of the Rust type.
    pub rust_type: &'static str,
    /// Representative values, as in [`IntoValue::specimens`].
    pub specimens: Vec<Value>,
}

macro_rules! parameters {
    ($($type:ty),* $(,)?) => {$(
        impl $crate::parameters::Parameter for $type {
            type Given<'a> = $type;
        }
    )*};
}
#[cfg(any(
    feature = "bigdecimal",
    feature = "chrono",
    feature = "jiff",
    feature = "rust_decimal",
    feature = "time"
))]
pub(crate) use parameters;
parameters!(
    bool,
    i8,
    i16,
    i32,
    i64,
    u8,
    u16,
    u32,
    u64,
    f32,
    f64,
    String,
    Box<str>,
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

impl Parameter for &str {
    type Given<'a> = &'a str;
}

impl Parameter for std::borrow::Cow<'_, str> {
    type Given<'a> = std::borrow::Cow<'a, str>;
}

impl Parameter for &[u8] {
    type Given<'a> = &'a [u8];
}

impl<T: serde::Serialize> Parameter for Json<T> {
    type Given<'a> = Json<T>;
}

impl<T: Parameter> Parameter for Option<T> {
    type Given<'a> = Option<T::Given<'a>>;
}

impl<T> Parameter for Vec<T>
where
    T: Parameter + crate::into_value::ArrayElement,
    for<'a> T::Given<'a>: crate::into_value::ArrayElement,
{
    type Given<'a> = Vec<T::Given<'a>>;
}

impl crate::sealed::Parameters for () {}

impl Parameters for () {
    type Given<'a> = ();

    fn shapes() -> Vec<ParameterShape> {
        Vec::new()
    }
}

macro_rules! tuples {
    ($($($name:ident)+;)*) => {$(
        impl<$($name: Parameter),+> crate::sealed::Parameters for ($($name,)+) {}

        impl<$($name: Parameter),+> Parameters for ($($name,)+) {
            type Given<'a> = ($($name::Given<'a>,)+);

            fn shapes() -> Vec<ParameterShape> {
                vec![$(ParameterShape {
                    rust_type: std::any::type_name::<$name>(),
                    specimens: $name::specimens(),
                }),+]
            }
        }
    )*};
}
tuples! {
    A; A B; A B C; A B C D; A B C D E; A B C D E F; A B C D E F G; A B C D E F G H;
    A B C D E F G H I; A B C D E F G H I J; A B C D E F G H I J K; A B C D E F G H I J K L;
    A B C D E F G H I J K L M; A B C D E F G H I J K L M N; A B C D E F G H I J K L M N O;
    A B C D E F G H I J K L M N O P;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given<P: Parameters>(params: P::Given<'_>) -> Vec<Value> {
        params.into_params()
    }

    #[test]
    fn what_borrows_is_given_with_any_lifetime() {
        let text = String::from("a");
        let values =
            given::<(&str, Option<&str>, Vec<&str>, i64)>((&text, Some(&text), vec![&text], 5));
        assert_eq!(values.len(), 4);
        assert_eq!(values[3], Value::I64(5));
    }

    #[test]
    fn the_specimens_of_a_vec_are_arrays_unless_it_is_bytes() {
        let shapes = <(Vec<u8>, Vec<Option<i32>>, Option<bool>, Value)>::shapes();
        assert!(matches!(shapes[0].specimens[..], [Value::Bytes(_)]));
        assert_eq!(
            shapes[1].specimens,
            [Value::Array(vec![Value::I32(i32::MAX)])]
        );
        assert_eq!(shapes[2].specimens, [Value::Bool(true)]);
        assert!(shapes[3].specimens.is_empty());
    }
}
