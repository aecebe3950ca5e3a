use std::collections::BTreeSet;

use serde::Serialize;

/// An extension that is installed in the database.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize)]
pub struct Extension {
    /// The namespace that holds its objects.
    pub namespace: String,
    /// The version that is installed.
    pub version: String,
    /// The extensions that it stands on.
    pub requires: BTreeSet<String>,
    /// The comment on it; the extension itself brings one.
    pub comment: Option<String>,
}
