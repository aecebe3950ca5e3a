use underpin::{IntoValue, Value};

/// A column that may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Field<T> {
    /// Left out: an insert takes the database's default, an update keeps what is there.
    #[default]
    Unset,
    /// NULL.
    Null,
    /// This value.
    Value(T),
}

impl<T> From<T> for Field<T> {
    fn from(value: T) -> Self {
        Field::Value(value)
    }
}

impl From<&str> for Field<String> {
    fn from(text: &str) -> Self {
        Field::Value(text.to_owned())
    }
}

impl<T: IntoValue> Field<T> {
    /// The value to send, where one was given.
    pub fn into_given(self) -> Option<Value> {
        match self {
            Field::Unset => None,
            Field::Null => Some(Value::Null),
            Field::Value(value) => Some(value.into_value()),
        }
    }
}
