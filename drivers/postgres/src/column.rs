use std::borrow::Cow;

use tokio_postgres::Column as Native;
use underpin_core::{Column, Columns};

use crate::kind::{self, Kind};

/// The columns of a result, and what their bytes are.
#[derive(Debug, Default)]
pub(crate) struct Described {
    pub(crate) columns: Columns,
    pub(crate) kinds: Box<[Kind]>,
}

impl Described {
    pub(crate) fn new(columns: &[Native]) -> Self {
        let column = |column: &Native| Column {
            name: column.name().to_owned(),
            type_name: Cow::Owned(kind::type_name(column.type_())),
        };
        Described {
            columns: Columns(columns.iter().map(column).collect()),
            kinds: columns
                .iter()
                .map(|column| Kind::of(column.type_()))
                .collect(),
        }
    }
}
