use serde::Serialize;

use crate::{Deferral, ObjectName};

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize)]
pub struct ForeignKey {
    /// Its columns, in order.
    pub columns: Vec<String>,
    /// The table that they point into.
    pub references: ObjectName,
    /// The columns there, one for each.
    pub referenced_columns: Vec<String>,
    /// The action when the referenced row changes its key.
    pub on_update: Action,
    /// The action when the referenced row is deleted.
    pub on_delete: Action,
    /// Which columns `on_delete` sets to NULL or to their default; empty: all of them.
    pub on_delete_columns: Vec<String>,
    /// When a key that is partly NULL is not a reference.
    pub matching: Match,
    /// When it is checked.
    pub deferral: Deferral,
    /// Whether rows that were there before it were never checked.
    pub not_valid: bool,
    /// Whether it is not held against any row: `NOT ENFORCED`, from PostgreSQL 18 on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub not_enforced: bool,
    /// Whether the last of its columns is a `PERIOD`, from PostgreSQL 18 on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub period: bool,
    /// Whether it is there only because a parent table has it.
    pub inherited: bool,
    /// The comment on it.
    pub comment: Option<String>,
}

/// The action of a foreign key when the referenced row changes or is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It refuses, when the constraint is checked.
    #[default]
    NoAction,
    /// It refuses at once.
    Restrict,
    /// It does the same to the rows that point.
    Cascade,
    /// It sets their columns to NULL.
    SetNull,
    /// It sets their columns to their defaults.
    SetDefault,
}

/// When a key of several columns that is partly NULL is not a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Match {
    /// When any of its columns is NULL.
    #[default]
    Simple,
    /// When all are; some, but not all, is an error.
    Full,
}
