use serde::Serialize;

use crate::{Expression, FunctionName};

/// A trigger on a table or a view.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Trigger {
    /// All of it, as the server renders it, without a semicolon: `CREATE TRIGGER …`.
    pub definition: Expression,
    /// The function that it runs; none where its body is its own (SQLite).
    pub function: Option<FunctionName>,
    /// When it fires.
    pub state: TriggerState,
    /// Whether it is there only because the parent of the partition has it.
    pub inherited: bool,
    /// The comment on it.
    pub comment: Option<String>,
}

/// When a trigger fires, by `session_replication_role`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerState {
    /// The origin of a change.
    #[default]
    Enabled,
    /// Never.
    Disabled,
    /// Only where a change is replayed.
    Replica,
    /// In both cases.
    Always,
}
