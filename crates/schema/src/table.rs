use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    Check, Column, Exclusion, ForeignKey, Index, ObjectName, ObjectRef, PartitionBy, PartitionOf,
    Policy, PrimaryKey, Trigger, Unique,
};

/// A table, with everything that goes when it goes.
///
/// Constraints are by name. Where an engine keeps none for an unnamed constraint (SQLite),
/// the name is the one that PostgreSQL would give: `table_column_key`, `table_column_check`,
/// `table_column_fkey`, `table_pkey`, with a number where it is taken.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Table {
    /// The columns, in order.
    pub columns: Vec<Column>,
    /// The primary key.
    pub primary_key: Option<PrimaryKey>,
    /// The unique constraints. A unique index that no constraint made is among the indexes.
    pub uniques: BTreeMap<String, Unique>,
    /// The check constraints. NOT NULL is the column's.
    pub checks: BTreeMap<String, Check>,
    /// The foreign keys of this table to others.
    pub foreign_keys: BTreeMap<String, ForeignKey>,
    /// The exclusion constraints.
    pub exclusions: BTreeMap<String, Exclusion>,
    /// The indexes, but for those that a constraint made. They are in the table's namespace.
    pub indexes: BTreeMap<String, Index>,
    /// The triggers.
    pub triggers: BTreeMap<String, Trigger>,
    /// The row-level security policies.
    pub policies: BTreeMap<String, Policy>,
    /// Whether the policies hold.
    pub row_security: RowSecurity,
    /// How it is split into partitions.
    pub partition_by: Option<PartitionBy>,
    /// The table that it is a partition of.
    pub partition_of: Option<PartitionOf>,
    /// The tables that it inherits from, in order; not the parent of a partition.
    pub inherits: Vec<ObjectName>,
    /// Whether its rows outlive a crash.
    pub persistence: Persistence,
    /// Storage options, as `WITH (…)` has them: `fillfactor`, `toast.autovacuum_enabled`.
    /// On SQLite `strict` and `without_rowid`, each `true` where it is there.
    pub options: BTreeMap<String, String>,
    /// The objects that its defaults, generated columns, checks and exclusions need beside the types of
    /// its columns, as the engine knows it. What its indexes, triggers and policies need is
    /// no part of it, since they are made when all else is there.
    pub depends_on: BTreeSet<ObjectRef>,
    /// The comment on it.
    pub comment: Option<String>,
}

impl Table {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The tables that it has columns from: of which it is a partition, or inherits.
    pub(crate) fn parents(&self) -> impl Iterator<Item = &ObjectName> {
        let partition_of = self.partition_of.iter().map(|of| &of.parent);
        partition_of.chain(&self.inherits)
    }

    /// Whether it has any of those.
    pub(crate) fn is_child(&self) -> bool {
        self.partition_of.is_some() || !self.inherits.is_empty()
    }

    /// What is left of it when it is no longer a partition: what it had from its parent is
    /// its own then, but for triggers, which go.
    pub(crate) fn detached(&self) -> Table {
        let mut table = self.clone();
        for column in &mut table.columns {
            column.inherited = false;
        }
        if let Some(key) = &mut table.primary_key {
            key.parent = None;
        }
        for unique in table.uniques.values_mut() {
            unique.parent = None;
        }
        for check in table.checks.values_mut() {
            check.inherited = false;
        }
        for key in table.foreign_keys.values_mut() {
            key.inherited = false;
        }
        for exclusion in table.exclusions.values_mut() {
            exclusion.parent = None;
        }
        for index in table.indexes.values_mut() {
            index.parent = None;
        }
        table.triggers.retain(|_, trigger| !trigger.inherited);
        table
    }
}

/// Whether rows outlive a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Persistence {
    /// They do.
    #[default]
    Permanent,
    /// They do not, and are not replicated: `UNLOGGED`.
    Unlogged,
}

/// The switches of row-level security.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
pub struct RowSecurity {
    /// Whether policies hold for those who do not own the table.
    pub enabled: bool,
    /// Whether they hold for its owner too.
    pub forced: bool,
}
