use serde::Serialize;

/// When a constraint is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Deferral {
    /// With each statement, always.
    #[default]
    NotDeferrable,
    /// With each statement, until a transaction asks otherwise.
    InitiallyImmediate,
    /// At the end of the transaction, unless it asks otherwise.
    InitiallyDeferred,
}
