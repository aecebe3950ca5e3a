use std::fmt;

use serde::Serialize;

/// An expression, or the body of a view, as SQL text. In normal form it is as the server
/// renders it, all names qualified.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize)]
#[serde(transparent)]
pub struct Expression(pub String);

impl Expression {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Expression {
    fn from(text: &str) -> Self {
        Expression(text.to_owned())
    }
}

impl From<String> for Expression {
    fn from(text: String) -> Self {
        Expression(text)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
