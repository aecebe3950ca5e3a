use underpin_core::Value;

/// A query of the catalog, with its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The query.
    pub sql: String,
    /// Its parameters, in order.
    pub params: Vec<Value>,
}
