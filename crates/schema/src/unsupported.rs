use std::fmt;

use serde::Serialize;

/// Something that the database has and a [`Schema`](crate::Schema) cannot carry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Unsupported {
    /// Its kind, in the engine's words: `rule`, `aggregate`, `composite type`.
    pub kind: String,
    /// Its name, qualified, as a person would write it.
    pub name: String,
    /// A fingerprint of its definition and of the comment on it, so that a change is seen. Empty
    /// where its name says all there is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fingerprint: String,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}
