use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{Check, Expression, ObjectName, ObjectRef, Type};

/// A domain: a type with rules.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Domain {
    /// The type beneath.
    pub base: Type,
    /// Its collation, where that is not the type's.
    pub collation: Option<ObjectName>,
    /// The default value of a column of it.
    pub default: Option<Expression>,
    /// Whether it refuses NULL.
    pub not_null: bool,
    /// Its checks, by name.
    pub checks: BTreeMap<String, Check>,
    /// The objects that its default and its checks need beside the type beneath, as the engine knows them.
    pub depends_on: BTreeSet<ObjectRef>,
    /// The comment on it.
    pub comment: Option<String>,
}
