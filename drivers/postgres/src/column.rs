use std::borrow::Cow;
use std::sync::Arc;

use postgres_types::Type;
use underpin_core::{Column, Columns};

use crate::kind::{self, Base, Kind};
use crate::wire::body::Field;

/// The columns of a result, and what their bytes are.
#[derive(Debug, Default)]
pub(crate) struct Described {
    pub(crate) columns: Columns,
    pub(crate) kinds: Box<[Kind]>,
    /// Which of them are asked for as text; empty where none is.
    pub(crate) texts: Box<[bool]>,
    /// The numbers of their types.
    types: Box<[u32]>,
}

impl Described {
    /// Of columns and their types.
    pub(crate) fn new<'a>(columns: impl Iterator<Item = (&'a Field, &'a Type)> + Clone) -> Self {
        let column = |(field, type_): (&Field, &Type)| Column {
            name: field.name.clone(),
            type_name: Cow::Owned(kind::type_name(type_)),
        };
        let asked = columns.clone().map(|(_, type_)| Kind::of_column(type_));
        let texts = match asked.clone().any(|(_, is_text)| is_text) {
            true => asked.clone().map(|(_, is_text)| is_text).collect(),
            false => Box::default(),
        };
        Described {
            types: columns.clone().map(|(field, _)| field.type_oid).collect(),
            columns: Columns(columns.map(column).collect()),
            kinds: asked.map(|(kind, _)| kind).collect(),
            texts,
        }
    }

    /// The columns that came where these were expected: the same, unless a table was changed
    /// meanwhile. What the types are that were made in the database is not known then.
    pub(crate) fn or_others(self: &Arc<Self>, fields: &[Field]) -> Arc<Self> {
        let names = self.columns.0.iter().map(|column| &column.name);
        let known = names.zip(self.types.iter().copied());
        if known.eq(fields.iter().map(|field| (&field.name, field.type_oid))) {
            return Arc::clone(self);
        }
        let type_ = |field: &Field| Type::from_oid(field.type_oid).unwrap_or(Type::UNKNOWN);
        let types: Vec<Type> = fields.iter().map(type_).collect();
        let mut others = Described::new(fields.iter().zip(&types));
        for (at, kind) in others.kinds.iter_mut().enumerate() {
            let came_as_text = self.texts.get(at) == Some(&true);
            *kind = match came_as_text {
                true => Kind::One(Base::Text),
                false => Kind::of(&types[at]),
            };
        }
        Arc::new(others)
    }
}
