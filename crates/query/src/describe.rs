use std::future::Future;

use underpin_core::{Result, StatementDescription};

/// A database that describes a statement without running it.
pub trait Describe: Sync {
    /// What the engine says of the statement's parameters and columns.
    ///
    /// # Errors
    /// What connecting failed with, and what the engine refuses to prepare.
    ///
    /// # Cancel safety
    /// Safe: nothing is run.
    fn describe(&self, sql: &str) -> impl Future<Output = Result<StatementDescription>> + Send;
}
