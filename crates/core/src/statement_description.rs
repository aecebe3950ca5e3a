use std::fmt;

use crate::value::Value;

/// What stands for any text among the specimens of a statement's description; it is JSON as
/// well.
pub const ANY_TEXT: &str = "null";

/// What an engine says of a statement that it has prepared and not run.
#[derive(Debug)]
pub struct StatementDescription {
    /// The parameters, in order.
    pub parameters: Vec<ParameterDescription>,
    /// The columns of the result, in order; none where it gives no rows.
    pub columns: Vec<ColumnDescription>,
}

/// What an engine expects in the place of one parameter.
pub struct ParameterDescription {
    /// The engine's name for its type; "any" where it takes all.
    pub type_name: String,
    /// Whether a value can be sent there; a clause says why not.
    pub takes: Takes,
}

/// The function that says whether a value can be sent as a parameter.
pub type Takes = Box<dyn Fn(&Value) -> Result<(), String> + Send + Sync>;

/// What an engine says of one column of a result.
#[derive(Debug)]
pub struct ColumnDescription {
    /// Its name.
    pub name: String,
    /// The engine's name for its type; on SQLite the declared type, or "any".
    pub type_name: String,
    /// What its values are, NULL apart.
    pub holds: Holds,
    /// Whether it can be NULL, where it is a table's column as it stands there; an outer join
    /// is not seen. `None` where that is not known.
    pub nullable: Option<bool>,
}

/// What the values of a column are, by specimens.
#[derive(Debug)]
pub enum Holds {
    /// Not known beforehand.
    Unknown,
    /// All of these, and what lies between them.
    Each(Vec<Value>),
    /// Any of these kinds; perhaps but one of them.
    OneOf(Vec<Value>),
}

impl fmt::Debug for ParameterDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParameterDescription")
            .field("type_name", &self.type_name)
            .finish_non_exhaustive()
    }
}
