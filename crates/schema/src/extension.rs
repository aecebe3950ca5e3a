use serde::Serialize;

/// An extension that is installed in the database.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize)]
pub struct Extension {
    /// The namespace that holds its objects.
    pub namespace: String,
    /// The version that is installed.
    pub version: String,
    /// The comment on it; the extension itself brings one.
    pub comment: Option<String>,
}
