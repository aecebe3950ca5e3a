use std::fmt;

use serde::Serialize;

use crate::ObjectName;
use crate::object_name::plain;

/// What the two schemas cannot say themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Hints {
    /// What has another name. One that does not apply, since the first schema has not the old
    /// name or the second not the new one, is passed over: it may have been done long ago.
    pub renames: Vec<Rename>,
}

/// What has another name in the second schema than in the first.
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
}

impl fmt::Display for Rename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rename::Table { from, to } => write!(f, "{from}={to}"),
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
