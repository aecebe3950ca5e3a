use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Conflict, Deferral, KeyOrder, ObjectName};

/// A unique constraint. Its index has its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize)]
pub struct Unique {
    /// Its columns, in order.
    pub columns: Vec<String>,
    /// Columns that its index carries beside them.
    pub include: Vec<String>,
    /// Whether two NULLs are the same.
    pub nulls_not_distinct: bool,
    /// The columns that it compares otherwise than they are by themselves.
    pub orders: BTreeMap<String, KeyOrder>,
    /// Whether the last of its columns is a range that must not overlap: `WITHOUT OVERLAPS`, from
    /// PostgreSQL 18 on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub without_overlaps: bool,
    /// When it is checked.
    pub deferral: Deferral,
    /// The handling of a statement whose row violates it.
    pub conflict: Conflict,
    /// Storage options of its index.
    pub options: BTreeMap<String, String>,
    /// The constraint of the parent table that it belongs to, where that made it.
    pub parent: Option<ObjectName>,
    /// The comment on it.
    pub comment: Option<String>,
}
