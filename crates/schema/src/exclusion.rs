use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Deferral, Expression, IndexKey, ObjectName};

/// An exclusion constraint: no two rows for which all operators hold. Its index has its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize)]
pub struct Exclusion {
    /// The access method of its index.
    pub method: String,
    /// The compared expressions and their operators.
    pub elements: Vec<ExclusionElement>,
    /// Columns that its index carries beside them.
    pub include: Vec<String>,
    /// Which rows it is for; none: all.
    pub predicate: Option<Expression>,
    /// When it is checked.
    pub deferral: Deferral,
    /// Storage options of its index.
    pub options: BTreeMap<String, String>,
    /// The constraint of the parent table that it belongs to, where that made it.
    pub parent: Option<ObjectName>,
    /// The comment on it.
    pub comment: Option<String>,
}

/// One comparison of an exclusion constraint.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct ExclusionElement {
    /// The column or expression.
    pub key: IndexKey,
    /// The operator, in its namespace: `pg_catalog`, `&&`.
    pub operator: ObjectName,
}
