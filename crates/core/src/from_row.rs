use crate::error::{Class, Error, Result};
use crate::from_value::FromValue;
use crate::row::{Columns, Row};
use crate::row_shape::{ReadColumn, RowShape};
use crate::value::{Date, Interval, Json, Numeric, TimeOfDay, Timestamp, TimestampTz, Uuid, Value};

/// A Rust type that a row can be read as: a struct with `#[derive(FromRow)]`, a tuple (by
/// position), a scalar (the only column), or a [`ValueRow`](crate::ValueRow).
///
/// [`layout`](FromRow::layout) is computed once for a result, so that reading a row looks up no
/// names.
pub trait FromRow: Sized {
    /// The position of each field in the rows of one result.
    type Layout: Send + Sync;

    /// Finds the fields among the columns.
    ///
    /// # Errors
    /// [`Class::Data`] if a field has no column, or the number of columns is not that of the tuple.
    fn layout(columns: &Columns) -> Result<Self::Layout>;

    /// Reads one row.
    ///
    /// # Errors
    /// [`Class::Data`] if a value does not fit its field.
    fn from_row(row: &dyn Row, layout: &Self::Layout) -> Result<Self>;

    /// The columns that it reads, so that a statement can be checked before there is a row. `None`
    /// if that is not known, for example because an implementation does not provide it.
    fn shape() -> Option<RowShape> {
        None
    }
}

/// Reads nothing, whatever the rows contain.
impl FromRow for () {
    type Layout = ();

    fn layout(_: &Columns) -> Result<()> {
        Ok(())
    }

    fn from_row(_: &dyn Row, (): &()) -> Result<()> {
        Ok(())
    }

    fn shape() -> Option<RowShape> {
        Some(RowShape::default())
    }
}

#[cold]
fn wrong_count(expected: usize, columns: &Columns) -> Error {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    Error::new(
        Class::Data,
        format!(
            "{expected} column{} expected, but the result has {}: {}.",
            if expected == 1 { " was" } else { "s were" },
            columns.len(),
            names.join(", ")
        ),
    )
}

pub(crate) fn require_count(expected: usize, columns: &Columns) -> Result<()> {
    if columns.len() == expected {
        Ok(())
    } else {
        Err(wrong_count(expected, columns))
    }
}

macro_rules! scalars {
    ($($type:ty),* $(,)?) => {$(
        impl $crate::from_row::FromRow for $type {
            type Layout = ();

            fn layout(columns: &$crate::row::Columns) -> $crate::error::Result<()> {
                $crate::from_row::require_count(1, columns)
            }

            #[inline]
            fn from_row(row: &dyn $crate::row::Row, (): &()) -> $crate::error::Result<Self> {
                row.read(0)
            }

            fn shape() -> Option<$crate::row_shape::RowShape> {
                let only = $crate::row_shape::ReadColumn::at::<Self>(0);
                Some($crate::row_shape::RowShape::exactly(vec![only]))
            }
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
pub(crate) use scalars;
scalars!(
    bool,
    i8,
    i16,
    i32,
    i64,
    u8,
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

macro_rules! generic_scalars {
    ($($wrapper:ident),*) => {$(
        impl<T> FromRow for $wrapper<T>
        where
            $wrapper<T>: for<'r> FromValue<'r>,
        {
            type Layout = ();

            fn layout(columns: &Columns) -> Result<()> {
                require_count(1, columns)
            }

            #[inline]
            fn from_row(row: &dyn Row, (): &()) -> Result<Self> {
                row.read(0)
            }

            fn shape() -> Option<RowShape> {
                Some(RowShape::exactly(vec![ReadColumn::at::<Self>(0)]))
            }
        }
    )*};
}
generic_scalars!(Option, Vec, Json);

macro_rules! tuples {
    ($($($name:ident $index:tt)+;)*) => {$(
        impl<$($name),+> FromRow for ($($name,)+)
        where
            $($name: for<'r> FromValue<'r>),+
        {
            type Layout = ();

            fn layout(columns: &Columns) -> Result<()> {
                require_count([$($index),+].len(), columns)
            }

            #[inline]
            fn from_row(row: &dyn Row, (): &()) -> Result<Self> {
                Ok(($(row.read::<$name>($index)?,)+))
            }

            fn shape() -> Option<RowShape> {
                Some(RowShape::exactly(vec![$(ReadColumn::at::<$name>($index)),+]))
            }
        }
    )*};
}
tuples! {
    A 0;
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
    A 0 B 1 C 2 D 3 E 4;
    A 0 B 1 C 2 D 3 E 4 F 5;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13 O 14;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13 O 14 P 15;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::{Column, ValueRow};
    use std::sync::Arc;

    fn read<T: FromRow>(values: Vec<Value>) -> Result<T> {
        let columns = (0..values.len())
            .map(|n| Column {
                name: format!("c{n}"),
                type_name: "any".into(),
            })
            .collect();
        let columns = Columns(columns);
        let layout = T::layout(&columns)?;
        T::from_row(&ValueRow::new(Arc::new(columns), values), &layout)
    }

    #[test]
    fn tuples_scalars_and_options() {
        let values = vec![Value::I32(1), Value::Null];
        assert_eq!(read::<(i64, Option<String>)>(values).unwrap(), (1, None));
        assert_eq!(read::<u8>(vec![Value::I64(9)]).unwrap(), 9);
        assert_eq!(read::<Option<i32>>(vec![Value::Null]).unwrap(), None);
        assert_eq!(read::<Vec<u8>>(vec![Value::Bytes(vec![1])]).unwrap(), [1]);
        let array = Value::Array(vec![Value::I32(1), Value::I32(2)]);
        assert_eq!(read::<Vec<i64>>(vec![array]).unwrap(), [1, 2]);
        let error = read::<(i32,)>(vec![Value::Null, Value::Null]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "1 column was expected, but the result has 2: c0, c1."
        );
    }
}
