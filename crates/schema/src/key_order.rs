use serde::Serialize;

use crate::ObjectName;

/// How a key compares one of its columns. Only SQLite lets a primary key or a unique
/// constraint choose it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize)]
pub struct KeyOrder {
    /// The collation, where that is not the column's own.
    pub collation: Option<ObjectName>,
    /// Whether it is ordered from high to low.
    pub descending: bool,
}
