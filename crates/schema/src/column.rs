use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Conflict, Expression, ObjectName, SequenceOptions, Type};

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub data_type: Type,
    /// Whether it refuses NULL. True for every column of a primary key, but on SQLite, where
    /// only that of an `INTEGER PRIMARY KEY` and those of a table that is strict or without
    /// rowids refuse it by themselves.
    pub not_null: bool,
    /// The constraint by which it refuses NULL, where that is not as the engine names and makes it
    /// by itself. From PostgreSQL 18 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_null_constraint: Option<NotNull>,
    /// The handling of a statement that gives it NULL.
    pub not_null_conflict: Conflict,
    /// Its default value.
    pub default: Option<Expression>,
    /// Whether its default is the next value of a sequence of its own.
    pub identity: Option<Identity>,
    /// The expression that computes it.
    pub generated: Option<Generated>,
    /// Its collation, where that is not its type's.
    pub collation: Option<ObjectName>,
    /// Whether it is there only because a parent table has it.
    pub inherited: bool,
    /// Its settings for the planner, as `ALTER COLUMN … SET (…)` has it: `n_distinct`,
    /// `n_distinct_inherited`.
    pub options: BTreeMap<String, String>,
    /// The comment on it.
    pub comment: Option<String>,
}

/// A constraint by which a column refuses NULL.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize)]
pub struct NotNull {
    /// Its name.
    pub name: String,
    /// Whether children do not have it.
    pub no_inherit: bool,
    /// Whether rows that were there before it were never checked.
    pub not_valid: bool,
    /// Whether the table has it only because one that it inherits from has.
    pub inherited: bool,
    /// The comment on it.
    pub comment: Option<String>,
}

/// `GENERATED … AS IDENTITY`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Identity {
    /// Whether it is `ALWAYS`: an insert may not choose the value. Else it is `BY DEFAULT`.
    pub always: bool,
    /// The name of its sequence, which is not among the schema's sequences. None where the
    /// engine has none (SQLite's AUTOINCREMENT), or may choose it.
    pub sequence: Option<ObjectName>,
    /// How its sequence counts.
    pub options: SequenceOptions,
}

/// `GENERATED ALWAYS AS (…)`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Generated {
    /// The expression.
    pub expression: Expression,
    /// The place of the value.
    pub kind: GeneratedKind,
}

/// The place of a generated column's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GeneratedKind {
    /// In the row, computed when it is written.
    Stored,
    /// Nowhere: it is computed when it is read.
    Virtual,
}
