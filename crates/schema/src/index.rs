use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Expression, ObjectName};

/// An index that no constraint made.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Index {
    /// The access method: `btree`, `gin`.
    pub method: String,
    /// Whether it refuses a second row of the same key.
    pub unique: bool,
    /// Its keys, in order.
    pub keys: Vec<IndexKey>,
    /// Columns that it carries beside them.
    pub include: Vec<String>,
    /// Whether, in a unique index, two NULLs are the same.
    pub nulls_not_distinct: bool,
    /// Which rows it holds; none: all.
    pub predicate: Option<Expression>,
    /// Storage options, as `WITH (…)` has them: `fillfactor`.
    pub options: BTreeMap<String, String>,
    /// Whether queries may use it. One that is not valid is what a failed
    /// `CREATE INDEX CONCURRENTLY` left, or waits for the indexes of partitions.
    pub valid: bool,
    /// The index of the parent table that it belongs to. Such an index lives and dies
    /// with that one.
    pub parent: Option<ObjectName>,
    /// The comment on it.
    pub comment: Option<String>,
}

impl Default for Index {
    /// A valid B-tree over nothing yet.
    fn default() -> Self {
        Index {
            method: "btree".to_owned(),
            unique: false,
            keys: Vec::new(),
            include: Vec::new(),
            nulls_not_distinct: false,
            predicate: None,
            options: BTreeMap::new(),
            valid: true,
            parent: None,
            comment: None,
        }
    }
}

/// One key of an index.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct IndexKey {
    /// Its column or expression.
    pub target: KeyTarget,
    /// Its collation, where that is not the column's or expression's own.
    pub collation: Option<ObjectName>,
    /// Its operator class, where that is not the default of the type, or has options.
    pub operator_class: Option<OperatorClass>,
    /// Whether it is ordered from high to low.
    pub descending: bool,
    /// Whether NULLs come first. They do by default where the order is descending. SQLite
    /// gives no choice, and there it is as by default.
    pub nulls_first: bool,
}

impl IndexKey {
    /// A column as it is: its own collation, the default operator class, ascending.
    pub fn column(name: impl Into<String>) -> Self {
        IndexKey::over(KeyTarget::Column(name.into()))
    }

    /// An expression as it is.
    pub fn expression(text: impl Into<Expression>) -> Self {
        IndexKey::over(KeyTarget::Expression(text.into()))
    }

    fn over(target: KeyTarget) -> Self {
        IndexKey {
            target,
            collation: None,
            operator_class: None,
            descending: false,
            nulls_first: false,
        }
    }
}

/// The column or expression of a key of an index or a partitioning.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyTarget {
    /// A column, by name.
    Column(String),
    /// An expression, without the parentheses around it.
    Expression(Expression),
}

/// How an index compares.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct OperatorClass {
    /// Its name.
    pub name: ObjectName,
    /// Its options: `siglen`.
    pub options: BTreeMap<String, String>,
}
