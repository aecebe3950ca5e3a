use serde::Serialize;

use crate::{Expression, KeyTarget, ObjectName, OperatorClass};

/// How a table is split into partitions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct PartitionBy {
    /// By what rule.
    pub strategy: PartitionStrategy,
    /// By which columns or expressions.
    pub keys: Vec<PartitionKey>,
}

/// The rule by which rows go to partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartitionStrategy {
    /// From one value up to another.
    Range,
    /// Each of a list of values.
    List,
    /// By a hash of the key.
    Hash,
}

/// One key of a partitioning.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct PartitionKey {
    /// Its column or expression.
    pub target: KeyTarget,
    /// Its collation, where that is not the column's or expression's own.
    pub collation: Option<ObjectName>,
    /// Its operator class, where that is not the default of the type.
    pub operator_class: Option<OperatorClass>,
}

/// Of which table one is a partition, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct PartitionOf {
    /// The table that is split.
    pub parent: ObjectName,
    /// The rows that come here.
    pub bound: Bound,
}

/// The rows that go to a partition.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Those that no other partition takes.
    Default,
    /// Those of these values, as the server renders it: `FOR VALUES FROM (1) TO (10)`.
    Values(Expression),
}
