use std::fmt;

use serde::Serialize;

use crate::{DefinedName, FunctionName, ObjectName};

/// A reference to an object by what it is and its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum ObjectRef {
    /// A namespace.
    Namespace(String),
    /// An extension.
    Extension(String),
    /// An enumerated type.
    Enum(ObjectName),
    /// A domain.
    Domain(ObjectName),
    /// An object that is carried as the statements which make it.
    Defined(DefinedName),
    /// A sequence.
    Sequence(ObjectName),
    /// A function or procedure.
    Function(FunctionName),
    /// A table, or its row type.
    Table(ObjectName),
    /// A view, or its row type.
    View(ObjectName),
    /// A materialized view.
    MaterializedView(ObjectName),
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ObjectRef::Namespace(name) => {
                write!(f, "schema {}", crate::object_name::plain(name))
            }
            ObjectRef::Extension(name) => {
                write!(f, "extension {}", crate::object_name::plain(name))
            }
            ObjectRef::Enum(name) => write!(f, "enum {name}"),
            ObjectRef::Domain(name) => write!(f, "domain {name}"),
            ObjectRef::Defined(name) => write!(f, "{name}"),
            ObjectRef::Sequence(name) => write!(f, "sequence {name}"),
            ObjectRef::Function(name) => write!(f, "function {name}"),
            ObjectRef::Table(name) => write!(f, "table {name}"),
            ObjectRef::View(name) => write!(f, "view {name}"),
            ObjectRef::MaterializedView(name) => write!(f, "materialized view {name}"),
        }
    }
}
