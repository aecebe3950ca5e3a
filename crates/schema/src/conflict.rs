use serde::Serialize;

/// The handling of a statement whose row violates a constraint. Only SQLite lets a constraint
/// choose it, by `ON CONFLICT`; with every other engine it is the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// It fails, and takes back what it has changed.
    #[default]
    Abort,
    /// It fails, and the whole transaction is rolled back.
    Rollback,
    /// It fails, and what it has changed before that row stays.
    Fail,
    /// It goes on without that row.
    Ignore,
    /// The rows in the way go; NULL gives way to the column's default.
    Replace,
}
