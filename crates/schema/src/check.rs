use serde::Serialize;

use crate::Expression;

/// A check constraint of a table or of a domain.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize)]
pub struct Check {
    /// The condition, without the parentheses around it.
    pub expression: Expression,
    /// Whether children do not have it.
    pub no_inherit: bool,
    /// Whether rows that were there before it were never checked.
    pub not_valid: bool,
    /// Whether it is not held against any row: `NOT ENFORCED`, from PostgreSQL 18 on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub not_enforced: bool,
    /// Whether it is there only because a parent table has it.
    pub inherited: bool,
    /// The comment on it.
    pub comment: Option<String>,
}
