use serde::Serialize;

/// A namespace, which PostgreSQL calls a schema.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize)]
pub struct Namespace {
    /// The comment on it.
    pub comment: Option<String>,
}
