use std::fmt;

use serde::Serialize;

use crate::object_name::plain;
use crate::{DefinedName, FunctionName, ObjectName};

/// The object of a comment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CommentOn {
    /// A namespace.
    Namespace(String),
    /// An extension.
    Extension(String),
    /// An enumerated type.
    Enum(ObjectName),
    /// A domain.
    Domain(ObjectName),
    /// A check of a domain, by the domain and its name.
    DomainCheck(ObjectName, String),
    /// An object that is carried as the statements which make it.
    Defined(DefinedName),
    /// A sequence.
    Sequence(ObjectName),
    /// A function.
    Function(FunctionName),
    /// A procedure.
    Procedure(FunctionName),
    /// A table.
    Table(ObjectName),
    /// A column of a table or view.
    Column(ObjectName, String),
    /// A constraint of a table.
    Constraint(ObjectName, String),
    /// An index of a table or materialized view.
    Index(ObjectName, String),
    /// A trigger of a table or view.
    Trigger(ObjectName, String),
    /// A policy of a table.
    Policy(ObjectName, String),
    /// A view.
    View(ObjectName),
    /// A materialized view.
    MaterializedView(ObjectName),
}

impl fmt::Display for CommentOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use CommentOn as On;
        match self {
            On::Namespace(name) => write!(f, "schema {}", plain(name)),
            On::Extension(name) => write!(f, "extension {}", plain(name)),
            On::Enum(name) => write!(f, "enum {name}"),
            On::Domain(name) => write!(f, "domain {name}"),
            On::DomainCheck(domain, name) => write!(f, "check {} of {domain}", plain(name)),
            On::Defined(name) => write!(f, "{name}"),
            On::Sequence(name) => write!(f, "sequence {name}"),
            On::Function(name) => write!(f, "function {name}"),
            On::Procedure(name) => write!(f, "procedure {name}"),
            On::Table(name) => write!(f, "table {name}"),
            On::Column(of, name) => write!(f, "column {of}.{}", plain(name)),
            On::Constraint(of, name) => write!(f, "constraint {} of {of}", plain(name)),
            On::Index(of, name) => write!(f, "index {} of {of}", plain(name)),
            On::Trigger(of, name) => write!(f, "trigger {} of {of}", plain(name)),
            On::Policy(of, name) => write!(f, "policy {} of {of}", plain(name)),
            On::View(name) => write!(f, "view {name}"),
            On::MaterializedView(name) => write!(f, "materialized view {name}"),
        }
    }
}
