use std::borrow::Cow;

use postgres_types::Type;
use underpin_core::{Column, Columns};

use crate::kind::{self, Kind};
use crate::wire::body::Field;

/// The columns of a result, and what their bytes are.
#[derive(Debug, Default)]
pub(crate) struct Described {
    pub(crate) columns: Columns,
    pub(crate) kinds: Box<[Kind]>,
}

impl Described {
    /// Of columns and their types.
    pub(crate) fn new<'a>(columns: impl Iterator<Item = (&'a Field, &'a Type)> + Clone) -> Self {
        let column = |(field, type_): (&Field, &Type)| Column {
            name: field.name.clone(),
            type_name: Cow::Owned(kind::type_name(type_)),
        };
        Described {
            columns: Columns(columns.clone().map(column).collect()),
            kinds: columns.map(|(_, type_)| Kind::of(type_)).collect(),
        }
    }

    /// Of columns whose types nobody may look up: those that were made in the database are
    /// unknown.
    pub(crate) fn unasked(fields: &[Field]) -> Self {
        let type_ = |field: &Field| Type::from_oid(field.type_oid).unwrap_or(Type::UNKNOWN);
        let types: Vec<Type> = fields.iter().map(type_).collect();
        Described::new(fields.iter().zip(&types))
    }
}
