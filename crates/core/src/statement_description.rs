use std::fmt;

use crate::value::Value;

/// Represents any text among the specimens of a statement's description; it is also JSON.
pub const ANY_TEXT: &str = "null";

/// An engine's description of a statement that it has prepared and not run.
#[derive(Debug)]
pub struct StatementDescription {
    /// The parameters, in order.
    pub parameters: Vec<ParameterDescription>,
    /// The columns of the result, in order; empty if it returns no rows.
    pub columns: Vec<ColumnDescription>,
}

/// An engine's expectation of one parameter.
pub struct ParameterDescription {
    /// The engine's name for its type; "any" if it accepts all.
    pub type_name: String,
    /// Whether a value can be sent there; if not, a clause with the reason.
    pub takes: Takes,
}

/// The function that says whether a value can be sent as a parameter.
pub type Takes = Box<dyn Fn(&Value) -> Result<(), String> + Send + Sync>;

/// An engine's description of one column of a result.
#[derive(Debug)]
pub struct ColumnDescription {
    /// Its name.
    pub name: String,
    /// The engine's name for its type; on SQLite the declared type, or "any".
    pub type_name: String,
    /// Its values, apart from NULL.
    pub holds: Holds,
    /// Whether it can be NULL, if it is directly a table's column; an outer join is not considered.
    /// `None` if that is not known.
    pub nullable: Option<bool>,
}

/// The values of a column, by specimens.
#[derive(Debug)]
pub enum Holds {
    /// Not known in advance.
    Unknown,
    /// All of these, and everything between them.
    Each(Vec<Value>),
    /// Any of these kinds; possibly only one of them.
    OneOf(Vec<Value>),
}

impl fmt::Debug for ParameterDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParameterDescription")
            .field("type_name", &self.type_name)
            .finish_non_exhaustive()
    }
}
