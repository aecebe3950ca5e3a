use std::time::Duration;

use underpin_core::Secret;

/// How a file is opened, and what bounds the statements on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// The password of an encrypted `.accdb`. An `.mdb` with a password is not encrypted, and is read
    /// without one.
    pub password: Secret,
    /// Leaves rows that cannot be read out, and takes values that cannot be read for NULL, with a
    /// warning in the log. Without it they are errors.
    pub lenient: bool,
    /// How long a statement may run, where the call's own deadline is not earlier.
    /// No limit by default.
    pub statement_timeout: Option<Duration>,
    /// How many prepared statements a connection keeps; 0, the default, keeps none.
    pub statement_cache_size: usize,
}
