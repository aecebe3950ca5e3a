use underpin_core::{IntoValue, Value};

/// A column that takes NULL, in what is given to insert or change a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Field<T> {
    /// Left out: an insert takes the database's default, an update keeps what is there.
    #[default]
    Unset,
    /// NULL.
    Null,
    /// This value.
    Value(T),
}

impl<T> Field<T> {
    /// The same, with another value where there is one.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Field<U> {
        match self {
            Field::Unset => Field::Unset,
            Field::Null => Field::Null,
            Field::Value(value) => Field::Value(change(value)),
        }
    }

    /// Whether it was left out.
    pub fn is_unset(&self) -> bool {
        matches!(self, Field::Unset)
    }
}

impl<T: IntoValue> Field<T> {
    /// The value to send; none where it was left out.
    pub fn into_given(self) -> Option<Value> {
        match self {
            Field::Unset => None,
            Field::Null => Some(Value::Null),
            Field::Value(value) => Some(value.into_value()),
        }
    }
}

impl<T> From<T> for Field<T> {
    fn from(value: T) -> Self {
        Field::Value(value)
    }
}

/// `None` is NULL.
impl<T> From<Option<T>> for Field<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Field::Null, Field::Value)
    }
}

impl From<&str> for Field<String> {
    fn from(text: &str) -> Self {
        Field::Value(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_null_and_nothing_are_three_things() {
        let given = |field: Field<i32>| field.into_given();
        assert_eq!(given(Field::Unset), None);
        assert_eq!(given(None.into()), Some(Value::Null));
        assert_eq!(given(Some(7).into()), Some(Value::I32(7)));
        assert_eq!(given(7.into()), Some(Value::I32(7)));
        assert_eq!(Field::Value("a").map(str::len), Field::Value(1));
        assert_eq!(Field::<i32>::default(), Field::Unset);
    }
}
