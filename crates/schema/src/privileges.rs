use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::ObjectRef;
use crate::object_name::plain;

/// The owner of an object, and its privileges as far as they are not those of every new object.
///
/// An object that belongs to the role which reads the schema, with the privileges that the engine
/// gives by itself, is not in a schema's [`access`](crate::Schema::access).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize)]
pub struct Access {
    /// The role that owns it. None where that is the role which reads the schema; for the schema
    /// `public`, the role that owns it in every new database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The privileges beyond those of a new object.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub granted: BTreeSet<Grant>,
    /// The privileges of a new object that were taken away.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub revoked: BTreeSet<Grant>,
}

impl Access {
    /// Whether it is that of every new object.
    pub fn is_usual(&self) -> bool {
        *self == Access::default()
    }
}

/// One privilege of one role.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Grant {
    /// The role that granted it, where that is not the owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grantor: Option<String>,
    /// The role that has it.
    pub grantee: Grantee,
    /// Whether it may be granted on.
    pub grantable: bool,
    /// The privilege in the engine's word: `SELECT`, `EXECUTE`.
    pub privilege: String,
}

/// The holder of a privilege.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grantee {
    /// Every role.
    Public,
    /// The owner of the object.
    Owner,
    /// A role.
    Role(String),
}

/// The subject of an owner and privileges.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccessOn {
    /// An object.
    Object(ObjectRef),
    /// A column of a table or view. It has no owner of its own.
    Column(ObjectRef, String),
    /// Objects that are created later.
    Future(Future),
}

/// Objects that a role creates later, which get default privileges.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Future {
    /// The role. None for the role that reads the schema.
    pub role: Option<String>,
    /// The namespace; none: all.
    pub namespace: Option<String>,
    /// The kind of the objects, as `ALTER DEFAULT PRIVILEGES` has it: `TABLES`.
    pub objects: String,
}

impl AccessOn {
    /// The object, or the one that the column belongs to.
    pub fn object(&self) -> Option<&ObjectRef> {
        match self {
            AccessOn::Object(object) | AccessOn::Column(object, _) => Some(object),
            AccessOn::Future(_) => None,
        }
    }
}

impl fmt::Display for AccessOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccessOn::Object(object) => write!(f, "{object}"),
            AccessOn::Column(object, name) => write!(f, "column {} of {object}", plain(name)),
            AccessOn::Future(of) => {
                write!(f, "future {}", of.objects.to_lowercase())?;
                if let Some(namespace) = &of.namespace {
                    write!(f, " in schema {}", plain(namespace))?;
                }
                match &of.role {
                    Some(role) => write!(f, " of {}", plain(role)),
                    None => Ok(()),
                }
            }
        }
    }
}

impl fmt::Display for Grantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Grantee::Public => f.write_str("PUBLIC"),
            Grantee::Owner => f.write_str("the owner"),
            Grantee::Role(name) => f.write_str(&plain(name)),
        }
    }
}
