use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{Expression, Index, ObjectRef, ViewColumn};

/// A materialized view. Whether it has been filled is data, and no part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct MaterializedView {
    /// The query, as the server renders it, without a semicolon.
    pub definition: Expression,
    /// Its columns, in order.
    pub columns: Vec<ViewColumn>,
    /// Its indexes.
    pub indexes: BTreeMap<String, Index>,
    /// Storage options, as `WITH (…)` has them.
    pub options: BTreeMap<String, String>,
    /// Its query.
    pub depends_on: BTreeSet<ObjectRef>,
    /// The comment on it.
    pub comment: Option<String>,
}
