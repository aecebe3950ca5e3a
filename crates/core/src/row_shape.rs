use crate::from_value::{FromValue, Mismatch};
use crate::value::ValueRef;

/// The columns that a [`FromRow`](crate::FromRow) type reads from a row, known in advance.
#[derive(Debug, Clone, Default)]
pub struct RowShape {
    /// The columns that it reads.
    pub columns: Vec<ReadColumn>,
    /// Required number of columns of a result.
    pub count: ColumnCount,
}

/// Required number of columns of a result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ColumnCount {
    /// Any number that includes the named columns.
    #[default]
    Any,
    /// Exactly this many: they are read by position.
    Exactly(usize),
    /// At least this many.
    AtLeast(usize),
}

/// One column that is read.
#[derive(Debug, Clone)]
pub struct ReadColumn {
    /// Its place in the row.
    pub place: ColumnPlace,
    /// The name of the Rust type as which it is read.
    pub rust_type: &'static str,
    /// Whether the result may lack it.
    pub optional: bool,
    /// Reads a value and discards it.
    pub read: fn(ValueRef<'_>) -> Result<(), Mismatch>,
}

/// The place of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnPlace {
    /// By its name.
    Named(&'static str),
    /// By its index, counted from 0.
    At(usize),
}

impl RowShape {
    /// Exactly these columns.
    pub fn exactly(columns: Vec<ReadColumn>) -> Self {
        RowShape {
            count: ColumnCount::Exactly(columns.len()),
            columns,
        }
    }

    /// Adds the columns that a struct within this one reads from the same row; `None` if they are
    /// not known.
    pub fn nest(&mut self, nested: Option<RowShape>) {
        self.columns.extend(nested.unwrap_or_default().columns);
    }
}

impl ReadColumn {
    /// The column at an index, counted from 0, read as `T`.
    pub fn at<T: for<'r> FromValue<'r>>(index: usize) -> Self {
        ReadColumn::new(
            ColumnPlace::At(index),
            std::any::type_name::<T>(),
            |value| T::from_value(value).map(drop),
        )
    }

    /// The same column, which the result may lack.
    #[must_use]
    pub fn optional(self) -> Self {
        ReadColumn {
            optional: true,
            ..self
        }
    }

    /// The column at a place, with the name of the type for messages.
    pub fn new(
        place: ColumnPlace,
        rust_type: &'static str,
        read: fn(ValueRef<'_>) -> Result<(), Mismatch>,
    ) -> Self {
        ReadColumn {
            place,
            rust_type,
            optional: false,
            read,
        }
    }
}
