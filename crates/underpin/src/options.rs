use std::time::Duration;

use underpin_core::TransactionOptions;

/// How a handle wants its calls done. Copied into each handle, so that setting one
/// changes no other.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Options {
    /// Reads only: any endpoint will do, a replica or a reader too.
    pub(crate) read: bool,
    /// Statements run on a connection of their own.
    pub(crate) exclusive: bool,
    /// Statements may be run twice where the first may have taken hold.
    pub(crate) idempotent: bool,
    /// Transactions are run again after a conflict.
    pub(crate) retry_transactions: bool,
    /// The longest that a call may take in all.
    pub(crate) deadline: Option<Duration>,
    /// Tries after the first, where not the configured number.
    pub(crate) retries: Option<u32>,
    /// How transactions begin.
    pub(crate) transaction: TransactionOptions,
}
