use std::time::Duration;

use underpin_core::Secret;

/// Who connects to a data source, and what bounds the statements there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// The user, where the data source does not name one.
    pub user: Option<String>,
    /// The password.
    pub password: Secret,
    /// How long a statement may run, where the call's own deadline is not earlier.
    /// No limit by default.
    pub statement_timeout: Option<Duration>,
}
