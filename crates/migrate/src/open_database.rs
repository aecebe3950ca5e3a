use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use underpin_config::Config;
use underpin_core::driver::SessionState;
use underpin_core::{Executor, Result, TransactionOptions};

/// An open database, as far as migrations and the sources of schemas need one.
pub trait OpenDatabase: Clone + fmt::Debug + Send + Sync + 'static {
    /// A connection outside any pool.
    type Connection: OpenConnection;
    /// A connection of the database's pool.
    type Lease: Deref<Target = Self::Connection> + fmt::Debug + Send + Sync + 'static;

    /// Opens the database of a configuration and connects to it.
    ///
    /// # Errors
    /// The error of connecting.
    ///
    /// # Cancel safety
    /// Safe: what was opened is closed.
    fn open(config: Config) -> impl Future<Output = Result<Self>> + Send;

    /// The configuration that it was opened with.
    fn config(&self) -> Arc<Config>;

    /// Leases a connection of the pool.
    ///
    /// # Errors
    /// Why there is none.
    ///
    /// # Cancel safety
    /// Safe: the connection goes back.
    fn acquire(&self) -> impl Future<Output = Result<Self::Lease>> + Send;

    /// Closes all connections, those in use after this time.
    ///
    /// # Errors
    /// Which connections were still in use.
    ///
    /// # Cancel safety
    /// Dropped half-way, the database is closed to new callers.
    fn close(&self, wait: Duration) -> impl Future<Output = Result<()>> + Send;
}

/// An open connection, as far as migrations and the sources of schemas need one.
pub trait OpenConnection: Executor + fmt::Debug + Sized + 'static {
    /// A transaction on it.
    type Transaction: Executor;

    /// Opens a connection outside any pool.
    ///
    /// # Errors
    /// The error of connecting.
    ///
    /// # Cancel safety
    /// Safe: what was opened is closed.
    fn open(config: Config) -> impl Future<Output = Result<Self>> + Send;

    /// Begins a transaction.
    ///
    /// # Errors
    /// The server's refusal.
    ///
    /// # Cancel safety
    /// Dropped half-way, the transaction is rolled back.
    fn begin(
        &self,
        options: TransactionOptions,
    ) -> impl Future<Output = Result<Self::Transaction>> + Send;

    /// Commits a transaction.
    ///
    /// # Errors
    /// The server's refusal.
    ///
    /// # Cancel safety
    /// Dropped half-way, it may be committed or not.
    fn commit(transaction: Self::Transaction) -> impl Future<Output = Result<()>> + Send;

    /// Closes the connection.
    ///
    /// # Cancel safety
    /// Dropped half-way, the connection is closed in the background.
    fn close(self) -> impl Future<Output = ()> + Send;

    /// The state of the session, without asking the server.
    fn state(&self) -> SessionState;

    /// Makes the session what it was when it was opened: rolls back, and undoes what statements
    /// have set or created for the session alone.
    ///
    /// # Errors
    /// Where it cannot be done, and the connection is to be closed.
    ///
    /// # Cancel safety
    /// Dropped half-way, the connection is to be closed.
    fn reset(&self) -> impl Future<Output = Result<()>> + Send;

    /// The process that the other side announced for the session when it began, where engines
    /// have processes. A pooler in between announces another than the server's own.
    fn announced_process(&self) -> Option<i32>;

    /// Runs a statement that takes its rows from the client, and returns their number.
    ///
    /// # Errors
    /// The server's refusal; `Class::Unsupported` on an engine that has no such statement.
    ///
    /// # Cancel safety
    /// Dropped half-way, no row is put in, unless the last answer was under way.
    fn copy_text(&self, sql: &str, rows: &str) -> impl Future<Output = Result<u64>> + Send;
}
