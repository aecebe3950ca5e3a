use std::future::Future;

use underpin_core::{Result, StatementDescription};

/// A database that describes a statement without running it. It cannot be implemented by other types.
pub trait Describe: crate::sealed::Describe + Sync {
    /// Returns the engine's description of the statement's parameters and columns.
    ///
    /// # Errors
    /// The error of connecting, or the engine's refusal to prepare the statement.
    ///
    /// # Cancel safety
    /// Safe: nothing is run.
    fn describe(&self, sql: &str) -> impl Future<Output = Result<StatementDescription>> + Send;
}
