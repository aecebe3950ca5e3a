use serde::Serialize;

use crate::Expression;

/// A policy of row-level security.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Policy {
    /// Whether it gives access, as opposed to restricting what others give.
    pub permissive: bool,
    /// The command that it applies to.
    pub command: PolicyCommand,
    /// The roles that it is for, sorted; empty: all (`PUBLIC`).
    pub roles: Vec<String>,
    /// Which rows can be seen.
    pub using: Option<Expression>,
    /// Which rows can be written.
    pub check: Option<Expression>,
    /// The comment on it.
    pub comment: Option<String>,
}

/// The statements that a policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyCommand {
    /// All of them.
    All,
    /// SELECT.
    Select,
    /// INSERT.
    Insert,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
}
