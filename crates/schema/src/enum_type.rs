use serde::Serialize;

/// An enumerated type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize)]
pub struct EnumType {
    /// Its labels, in order.
    pub labels: Vec<String>,
    /// The comment on it.
    pub comment: Option<String>,
}
