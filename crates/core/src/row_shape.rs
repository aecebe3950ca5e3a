use crate::from_value::{FromValue, Mismatch};
use crate::value::ValueRef;

/// What a [`FromRow`](crate::FromRow) type reads of a row, known before there is one.
#[derive(Debug, Clone, Default)]
pub struct RowShape {
    /// The columns that it reads.
    pub columns: Vec<ReadColumn>,
    /// How many columns a result has to have.
    pub count: ColumnCount,
}

/// How many columns a result has to have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ColumnCount {
    /// As many as there are names to be found.
    #[default]
    Any,
    /// So many and no more: they are read by position.
    Exactly(usize),
    /// So many or more.
    AtLeast(usize),
}

/// One column that is read.
#[derive(Debug, Clone)]
pub struct ReadColumn {
    /// Where it is found.
    pub place: ColumnPlace,
    /// The name of the Rust type that it is read as.
    pub rust_type: &'static str,
    /// Whether the result may go without it.
    pub optional: bool,
    /// Reads a value and forgets it.
    pub read: fn(ValueRef<'_>) -> Result<(), Mismatch>,
}

/// Where a column is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnPlace {
    /// By its name.
    Named(&'static str),
    /// By its index, counted from 0.
    At(usize),
}

impl RowShape {
    /// The columns of this number, and no others.
    pub fn exactly(columns: Vec<ReadColumn>) -> Self {
        RowShape {
            count: ColumnCount::Exactly(columns.len()),
            columns,
        }
    }

    /// Adds what a struct within this one reads from the same row; `None` where that is not
    /// known.
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

    /// The same column, which the result may go without.
    #[must_use]
    pub fn optional(self) -> Self {
        ReadColumn {
            optional: true,
            ..self
        }
    }

    /// The column at a place, with the name of the type that a person is told of.
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
