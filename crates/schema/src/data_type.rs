use serde::Serialize;

/// The type of a column, as the engine spells it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize)]
pub struct Type {
    /// The namespace of a type that is not the engine's own: an enum's, a domain's, an
    /// extension's. None where the engine defines the type.
    pub namespace: Option<String>,
    /// The name without its parameters. Of the engine's own types, SQL text in the engine's
    /// long form: `character varying`, `timestamp with time zone`, `interval day to second`.
    /// Of others, the identifier as the catalog has it. On SQLite, what was declared.
    pub name: String,
    /// What stands in parentheses: the length, the precision and scale. Empty where nothing does.
    pub parameters: Vec<String>,
    /// Whether it is an array of that. PostgreSQL keeps no number of dimensions.
    pub array: bool,
}
