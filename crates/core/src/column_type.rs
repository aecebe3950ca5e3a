use crate::value::{Date, Interval, Json, Numeric, TimeOfDay, Timestamp, TimestampTz, Uuid};

/// A Rust type that a model's column can have without an explicit SQL type.
///
/// `#[derive(ColumnType)]` implements it for a struct with one field, and for an enum whose
/// variants are the labels of an enumerated type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say the SQL type of its columns",
    label = "the SQL type is not known",
    note = "set the type with `#[model(type = \"…\")]`, or derive `ColumnType` for `{Self}`"
)]
pub trait ColumnType {
    /// The type of a column.
    const DATA_TYPE: DataType;
    /// The type of a column with a `Vec` of it: an array, except for `u8`.
    const OF_VEC: DataType = Self::DATA_TYPE.array();
    /// Whether it can represent NULL.
    const NULLABLE: bool = false;
}

/// An SQL type, known when a program is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataType {
    /// The name with its parameters, in PostgreSQL's long form: `timestamp without time zone`. For
    /// an enumerated type, its own name without namespace.
    pub name: &'static str,
    /// Whether it is an array of that type.
    pub is_array: bool,
    /// The enumeration, if it is an enumerated type.
    pub enumeration: Option<&'static Enumeration>,
}

impl DataType {
    /// A type of the engine.
    pub const fn named(name: &'static str) -> Self {
        DataType {
            name,
            is_array: false,
            enumeration: None,
        }
    }

    /// An enumerated type.
    pub const fn enumerated(enumeration: &'static Enumeration) -> Self {
        DataType {
            name: enumeration.name,
            is_array: false,
            enumeration: Some(enumeration),
        }
    }

    /// An array of it. An array of arrays is the same type.
    pub const fn array(self) -> Self {
        DataType {
            is_array: true,
            ..self
        }
    }
}

/// An enumerated type that a Rust enum represents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enumeration {
    /// Its name.
    pub name: &'static str,
    /// The namespace, if it is not the engine's default.
    pub schema: Option<&'static str>,
    /// Its labels, in order.
    pub labels: &'static [Label],
    /// The comment on it.
    pub comment: Option<&'static str>,
}

/// A label of an enumerated type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// Its text.
    pub name: &'static str,
    /// Its earlier text.
    pub renamed_from: Option<&'static str>,
}

macro_rules! column_types {
    ($($name:literal: $($type:ty),+;)*) => {$($(
        impl $crate::column_type::ColumnType for $type {
            const DATA_TYPE: $crate::column_type::DataType =
                $crate::column_type::DataType::named($name);
        }
    )+)*};
}
#[cfg(any(
    feature = "bigdecimal",
    feature = "chrono",
    feature = "jiff",
    feature = "rust_decimal",
    feature = "time"
))]
pub(crate) use column_types;
column_types! {
    "boolean": bool;
    "smallint": i8, i16;
    "integer": i32, u16;
    "bigint": i64, u32;
    "real": f32;
    "double precision": f64;
    "numeric": Numeric;
    "text": String, Box<str>, std::borrow::Cow<'_, str>;
    "date": Date;
    "time without time zone": TimeOfDay;
    "timestamp without time zone": Timestamp;
    "timestamp with time zone": TimestampTz;
    "interval": Interval;
    "uuid": Uuid;
    "jsonb": serde_json::Value;
}

impl ColumnType for u8 {
    const DATA_TYPE: DataType = DataType::named("smallint");
    const OF_VEC: DataType = DataType::named("bytea");
}

impl<T> ColumnType for Json<T> {
    const DATA_TYPE: DataType = DataType::named("jsonb");
}

impl<T: ColumnType> ColumnType for Option<T> {
    const DATA_TYPE: DataType = T::DATA_TYPE;
    const OF_VEC: DataType = T::DATA_TYPE.array();
    const NULLABLE: bool = true;
}

impl<T: ColumnType> ColumnType for Vec<T> {
    const DATA_TYPE: DataType = T::OF_VEC;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vec_is_an_array_unless_it_is_bytes() {
        assert_eq!(<Vec<u8>>::DATA_TYPE, DataType::named("bytea"));
        let bytes = <Vec<Vec<u8>>>::DATA_TYPE;
        assert_eq!((bytes.name, bytes.is_array), ("bytea", true));
        let numbers = <Vec<Vec<Option<i64>>>>::DATA_TYPE;
        assert_eq!((numbers.name, numbers.is_array), ("bigint", true));
        const { assert!(<Option<String>>::NULLABLE && !<Vec<Option<i32>>>::NULLABLE) }
    }
}
