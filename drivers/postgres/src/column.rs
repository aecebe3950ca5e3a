use std::borrow::Cow;
use std::sync::Arc;

use postgres_types::Type;
use underpin_core::{Column, Columns};

use crate::kind::{self, Base, Kind};
use crate::wire::body::Field;
use crate::wire::put::Format;

/// The columns of a result, and the formats of their values.
#[derive(Debug, Default)]
pub(crate) struct Described {
    pub(crate) columns: Columns,
    pub(crate) kinds: Box<[Kind]>,
    /// The requested format of each column.
    pub(crate) formats: Box<[Format]>,
    /// The numbers of their types.
    types: Box<[u32]>,
}

impl Described {
    /// From columns and their types, before a statement is run: values whose binary form the client
    /// does not read are requested as text.
    pub(crate) fn new<'a>(columns: impl Iterator<Item = (&'a Field, &'a Type)>) -> Self {
        let mut described = Described::binary(columns);
        let formats = described.kinds.iter_mut().map(|kind| {
            let format = kind.format();
            if format == Format::Text {
                *kind = Kind::One(Base::Text);
            }
            format
        });
        described.formats = formats.collect();
        described
    }

    fn binary<'a>(columns: impl Iterator<Item = (&'a Field, &'a Type)>) -> Self {
        let column = |(field, type_): (&Field, &Type)| {
            let column = Column {
                name: field.name.clone(),
                type_name: Cow::Owned(kind::type_name(type_)),
            };
            (column, Kind::of(type_))
        };
        let columns: Vec<_> = columns.collect();
        let types = columns.iter().map(|(field, _)| field.type_oid).collect();
        let (columns, kinds): (Vec<_>, Vec<_>) = columns.into_iter().map(column).unzip();
        Described {
            columns: Columns(columns),
            formats: kinds.iter().map(|_| Format::Binary).collect(),
            kinds: kinds.into(),
            types,
        }
    }

    /// The columns that arrived when these were expected: the same ones, unless a table was changed
    /// meanwhile. In that case, user-defined types are not known.
    pub(crate) fn or_others(self: &Arc<Self>, fields: &[Field]) -> Arc<Self> {
        let names = self.columns.0.iter().map(|column| &column.name);
        let known = names.zip(self.types.iter().copied());
        if known.eq(fields.iter().map(|field| (&field.name, field.type_oid))) {
            return Arc::clone(self);
        }
        let type_ = |field: &Field| Type::from_oid(field.type_oid).unwrap_or(Type::UNKNOWN);
        let types: Vec<Type> = fields.iter().map(type_).collect();
        let mut others = Described::binary(fields.iter().zip(&types));
        for (at, kind) in others.kinds.iter_mut().enumerate() {
            // A single format applies to all columns, however many there are.
            let format = match &*self.formats {
                [of_all] => Some(of_all),
                of_each => of_each.get(at),
            };
            if format == Some(&Format::Text) {
                *kind = Kind::One(Base::Text);
            }
        }
        Arc::new(others)
    }
}
