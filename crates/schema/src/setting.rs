use std::fmt;

use serde::Serialize;

use crate::ObjectName;
use crate::object_name::plain;

/// A property of a table, a materialized view, a column or an index that a statement of its own
/// sets. The order is that in which they are set.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Setting {
    /// The access method of a table or materialized view, where it is not `heap`.
    AccessMethod(ObjectName),
    /// The tablespace of a table or materialized view, where it is not the database's.
    Tablespace(ObjectName),
    /// The composite type that a table is of, as SQL has it.
    OfType(ObjectName),
    /// How long values of a column are stored, where that is not as its type says: `EXTERNAL`.
    Storage(ObjectName, String),
    /// How long values of a column are compressed, where it is said: `lz4`.
    Compression(ObjectName, String),
    /// How closely ANALYZE looks at a column.
    Statistics(ObjectName, String),
    /// The tablespace of an index, by its table and its name.
    IndexTablespace(ObjectName, String),
    /// How closely ANALYZE looks at an expression of an index, by its table, its name and the number of the key.
    IndexStatistics(ObjectName, String, i16),
    /// The part of an old row that replication sends: `FULL`, `NOTHING`, or the name of an index behind
    /// `INDEX`.
    ReplicaIdentity(ObjectName),
    /// The index by which CLUSTER orders the rows.
    ClusterOn(ObjectName),
    /// The comment on the index of a constraint, which is not the comment on the constraint.
    IndexComment(ObjectName, String),
}

impl Setting {
    /// The table or materialized view.
    pub fn relation(&self) -> &ObjectName {
        match self {
            Setting::AccessMethod(of)
            | Setting::Tablespace(of)
            | Setting::OfType(of)
            | Setting::ReplicaIdentity(of)
            | Setting::ClusterOn(of)
            | Setting::Storage(of, _)
            | Setting::Compression(of, _)
            | Setting::Statistics(of, _)
            | Setting::IndexTablespace(of, _)
            | Setting::IndexStatistics(of, _, _)
            | Setting::IndexComment(of, _) => of,
        }
    }

    /// The column.
    pub fn column(&self) -> Option<&String> {
        match self {
            Setting::Storage(_, name)
            | Setting::Compression(_, name)
            | Setting::Statistics(_, name) => Some(name),
            _ => None,
        }
    }

    /// The index without which it cannot have this value.
    pub fn index<'s>(&'s self, value: &'s str) -> Option<&'s str> {
        match self {
            Setting::IndexTablespace(_, name)
            | Setting::IndexStatistics(_, name, _)
            | Setting::IndexComment(_, name) => Some(name),
            Setting::ClusterOn(_) => Some(value),
            Setting::ReplicaIdentity(_) => value.strip_prefix("INDEX "),
            _ => None,
        }
    }

    /// The same setting under other names: `column` and `index` give those of a column and of an
    /// index.
    pub(crate) fn renamed(
        &self,
        relation: ObjectName,
        column: impl Fn(&str) -> String,
        index: impl Fn(&str) -> String,
    ) -> Self {
        match self {
            Setting::AccessMethod(_) => Setting::AccessMethod(relation),
            Setting::Tablespace(_) => Setting::Tablespace(relation),
            Setting::OfType(_) => Setting::OfType(relation),
            Setting::ReplicaIdentity(_) => Setting::ReplicaIdentity(relation),
            Setting::ClusterOn(_) => Setting::ClusterOn(relation),
            Setting::Storage(_, name) => Setting::Storage(relation, column(name)),
            Setting::Compression(_, name) => Setting::Compression(relation, column(name)),
            Setting::Statistics(_, name) => Setting::Statistics(relation, column(name)),
            Setting::IndexTablespace(_, name) => Setting::IndexTablespace(relation, index(name)),
            Setting::IndexStatistics(_, name, key) => {
                Setting::IndexStatistics(relation, index(name), *key)
            }
            Setting::IndexComment(_, name) => Setting::IndexComment(relation, index(name)),
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_index = |f: &mut fmt::Formatter<'_>, what: &str, of: &ObjectName, name: &str| {
            write!(f, "{what} of index {} of {of}", plain(name))
        };
        match self {
            Setting::AccessMethod(of) => write!(f, "access method of {of}"),
            Setting::Tablespace(of) => write!(f, "tablespace of {of}"),
            Setting::OfType(of) => write!(f, "type of table {of}"),
            Setting::Storage(of, name) => write!(f, "storage of column {of}.{}", plain(name)),
            Setting::Compression(of, name) => {
                write!(f, "compression of column {of}.{}", plain(name))
            }
            Setting::Statistics(of, name) => {
                write!(f, "statistics target of column {of}.{}", plain(name))
            }
            Setting::IndexTablespace(of, name) => of_index(f, "tablespace", of, name),
            Setting::IndexStatistics(of, name, key) => {
                let what = format!("statistics target of key {key}");
                of_index(f, &what, of, name)
            }
            Setting::ReplicaIdentity(of) => write!(f, "replica identity of {of}"),
            Setting::ClusterOn(of) => write!(f, "clustering of {of}"),
            Setting::IndexComment(of, name) => of_index(f, "comment", of, name),
        }
    }
}
