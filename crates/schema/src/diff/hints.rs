use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use underpin_core::{Class, Error, Result};

use crate::object_name::plain;
use crate::{ObjectName, Schema, sql_text};

/// Facts that the two schemas do not show.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Hints {
    /// Renames. One that does not apply, since the first schema has not the old
    /// name or the second not the new one, is passed over: it may have been done long ago.
    pub renames: Vec<Rename>,
    /// When owners and privileges are compared.
    pub access: AccessCompared,
    /// Whether the second schema names all there is to be, so that partitions that it does not name
    /// go. Else they stay: partitions come and go with the data.
    pub names_partitions: bool,
    /// The extensions whose version the second schema says; none: all. The version of others is
    /// whatever the server installs.
    pub versions: Option<BTreeSet<String>>,
    /// The first schema after those renames that apply, as the engine renders it, with the texts of
    /// the second schema wherever the engine reads both as one expression. It takes the place of
    /// the first schema. Without it, names are replaced in texts, and texts are compared as they are.
    #[serde(skip)]
    pub renamed_by_engine: Option<Box<Schema>>,
}

/// When owners and privileges are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessCompared {
    /// Where the second schema says anything about them.
    #[default]
    WhereSaid,
    /// Always: where it says nothing, everything is to be as in a new database.
    Always,
    /// Never.
    Never,
}

/// An object whose name differs between the two schemas.
///
/// It is shown as the command takes it: `public.users.name=public.users.full_name`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(tag = "rename", rename_all = "snake_case")]
pub enum Rename {
    /// A table.
    Table {
        /// Its name in the first schema.
        from: ObjectName,
        /// Its name in the second.
        to: ObjectName,
    },
    /// A column.
    Column {
        /// The name that the table has in the second schema.
        table: ObjectName,
        /// The column's name in the first schema.
        from: String,
        /// Its name in the second.
        to: String,
    },
    /// A label of an enumerated type.
    Label {
        /// The type.
        name: ObjectName,
        /// The label in the first schema.
        from: String,
        /// The label in the second.
        to: String,
    },
    /// A sequence.
    Sequence {
        /// Its name in the first schema.
        from: ObjectName,
        /// Its name in the second.
        to: ObjectName,
    },
}

impl Hints {
    /// The first schema after those renames that apply: what [`diff`](crate::diff()) compares
    /// with the second.
    #[must_use]
    pub fn renamed(&self, from: &Schema, to: &Schema) -> Schema {
        super::renamed(from, &self.applicable(from, to))
    }

    /// The renames that apply: the first schema has the old name and not the new one, the second the
    /// new one and not the old one. Sequences whose column has another name are among them.
    pub fn applicable(&self, from: &Schema, to: &Schema) -> Vec<Rename> {
        super::rename::applicable(from, to, self)
    }
}

impl fmt::Display for Rename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rename::Table { from, to } | Rename::Sequence { from, to } => write!(f, "{from}={to}"),
            Rename::Column { table, from, to }
            | Rename::Label {
                name: table,
                from,
                to,
            } => {
                write!(f, "{table}.{}={table}.{}", plain(from), plain(to))
            }
        }
    }
}

impl Rename {
    /// Reads `old=new`, each a table, a column or a label of an enum with what it is in:
    /// `users=people`, `shop.users.name=shop.users.full_name`, `mood.sad=mood.unhappy`. What
    /// has no namespace is looked for in all. Names in double quotes can hold dots.
    ///
    /// # Errors
    /// [`Class::Config`] for a text that is not such a pair, and where the first schema has not
    /// the old name or the second not the new one.
    pub fn parse(text: &str, from: &Schema, to: &Schema) -> Result<Self> {
        let wrong = |what: &str| Error::new(Class::Config, format!("The rename {text}: {what}"));
        let sides = sql_text::split(text, '=');
        let [old, new] = sides[..] else {
            return Err(wrong("write it as old=new, with one equals sign."));
        };
        let path = |side: &str| -> Option<Vec<String>> {
            let parts = sql_text::split(side, '.').into_iter();
            parts.map(sql_text::identifier).collect()
        };
        let (Some(old), Some(new)) = (path(old), path(new)) else {
            return Err(wrong("a name is empty."));
        };
        if let (Some(old), Some(new)) = (table(from, &old), table(to, &new)) {
            if old.namespace != new.namespace {
                return Err(wrong("a table cannot change its schema by a rename."));
            }
            return Ok(Rename::Table { from: old, to: new });
        }
        if let (Some(old), Some(new)) = (sequence(from, &old), sequence(to, &new)) {
            if old.namespace != new.namespace {
                return Err(wrong("a sequence cannot change its schema by a rename."));
            }
            return Ok(Rename::Sequence { from: old, to: new });
        }
        let (Some((old, old_in)), Some((new, new_in))) = (old.split_last(), new.split_last())
        else {
            return Err(wrong("a name is empty."));
        };
        let (from_name, to_name) = (old.clone(), new.clone());
        if let (Some(of), Some(name)) = (table(from, old_in), table(to, new_in))
            && from.tables[&of].column(old).is_some()
            && to.tables[&name].column(new).is_some()
        {
            return Ok(Rename::Column {
                table: name,
                from: from_name,
                to: to_name,
            });
        }
        if let (Some(of), Some(name)) = (enum_type(from, old_in), enum_type(to, new_in))
            && from.enums[&of].labels.contains(old)
            && to.enums[&name].labels.contains(new)
        {
            return Ok(Rename::Label {
                name,
                from: from_name,
                to: to_name,
            });
        }
        Err(wrong(
            "the old name must be an existing table, column, label or sequence, and the new one its \
             name in the target.",
        ))
    }
}

fn table(schema: &Schema, path: &[String]) -> Option<ObjectName> {
    named(schema.tables.keys(), path)
}

fn sequence(schema: &Schema, path: &[String]) -> Option<ObjectName> {
    named(schema.sequences.keys(), path)
}

fn enum_type(schema: &Schema, path: &[String]) -> Option<ObjectName> {
    named(schema.enums.keys(), path)
}

/// The one name that a path can mean.
fn named<'n>(
    mut names: impl Iterator<Item = &'n ObjectName>,
    path: &[String],
) -> Option<ObjectName> {
    let found = names.by_ref().find(|name| match path {
        [one] => name.name == *one,
        [namespace, one] => name.namespace == *namespace && name.name == *one,
        _ => false,
    });
    let found = found.cloned();
    let again = names.any(|name| matches!(path, [one] if name.name == *one));
    found.filter(|_| !again)
}
