use std::future::Future;
use std::ops::Deref;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use underpin_cluster::{Answer, Operation};
use underpin_core::driver::{self, BulkTarget, Collect};
use underpin_core::{
    Class, Deadline, Engine, Error, FromRow, FromValue, IntoParams, Params, Result, RowStream,
    TransactionOptions, ValueRow,
};

use crate::config::IntoConfig;
use crate::one_row;
use crate::session::Session;
use crate::statements::statements;
use crate::transaction::Transaction;

/// One connection that one caller holds: session settings, locks and temporary objects are still
/// there for the next statement. [`Connection::connect`] opens a connection outside any pool;
/// [`Database::acquire`](crate::Database::acquire) leases one from the pool.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> underpin::Result<()> {
/// use underpin::Connection;
///
/// let connection = Connection::connect("sqlite::memory:").await?;
/// connection.execute("CREATE TEMP TABLE seen (id INTEGER)", ()).await?;
/// let count: i64 = connection.query_scalar("SELECT count(*) FROM seen", ()).await?;
/// assert_eq!(count, 0);
/// connection.close().await;
/// # Ok(())
/// # }
/// ```
pub struct Connection {
    pub(crate) session: Arc<Session>,
    pub(crate) deadline: Option<Duration>,
}

statements!(Connection);

impl Connection {
    /// Opens one connection outside any pool.
    ///
    /// # Errors
    /// `Class::Config` for a mistake in the configuration, otherwise the error of connecting, after
    /// the configured retries if a retry could help.
    ///
    /// # Cancel safety
    /// If the future is dropped, the connection that it has opened is closed.
    pub async fn connect(config: impl IntoConfig) -> Result<Connection> {
        let session = crate::connect::single(&config.into_config()?).await?;
        Ok(Connection::new(session, None))
    }

    pub(crate) fn new(session: Session, deadline: Option<Duration>) -> Self {
        Connection {
            session: Arc::new(session),
            deadline,
        }
    }

    fn deadline(&self) -> Deadline {
        self.deadline
            .map_or(Deadline::NONE, |wait| Deadline::after(Instant::now(), wait))
    }

    fn run_at(
        &self,
        operation: Operation<'_>,
        sql: &str,
        params: Params,
        _: &'static Location<'static>,
    ) -> impl Future<Output = Result<Answer>> + Send {
        self.session.run(operation, sql, params, self.deadline())
    }

    async fn stream_at<T: FromRow + Send + 'static>(
        &self,
        sql: &str,
        params: Params,
        _: &'static Location<'static>,
    ) -> Result<RowStream<T>> {
        let session = Arc::clone(&self.session);
        session.stream(sql, params, self.deadline()).await
    }

    /// The engine of the connection.
    pub fn engine(&self) -> Engine {
        self.session.engine()
    }

    /// Begins a transaction with the engine's default isolation. Until it ends, calls on the
    /// connection itself are part of it too. PostgreSQL learns of it with the first of them, as for
    /// [`Database::begin`](crate::Database::begin).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// use underpin::Connection;
    ///
    /// let connection = Connection::connect("sqlite::memory:").await?;
    /// let tx = connection.begin().await?;
    /// tx.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Class::Connect` if the connection is lost.
    ///
    /// # Cancel safety
    /// If the future is dropped, the transaction is rolled back before the next statement.
    pub async fn begin(&self) -> Result<Transaction> {
        self.begin_with(TransactionOptions::default()).await
    }

    /// Begins a transaction with these options.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// use underpin::{Connection, TransactionOptions};
    ///
    /// let connection = Connection::connect("sqlite::memory:").await?;
    /// let options = TransactionOptions { read_only: true, ..TransactionOptions::default() };
    /// let tx = connection.begin_with(options).await?;
    /// tx.rollback().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`begin`](Connection::begin).
    ///
    /// # Cancel safety
    /// As for [`begin`](Connection::begin).
    pub async fn begin_with(&self, options: TransactionOptions) -> Result<Transaction> {
        Transaction::begin(Arc::clone(&self.session), options, self.deadline).await
    }

    /// Checks that the server answers: one round trip.
    ///
    /// # Errors
    /// The error that ended the connection.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn ping(&self) -> Result<()> {
        self.session.ping(self.deadline()).await
    }

    /// Closes a connection outside a pool, or returns a leased one. If other handles (a
    /// transaction, a stream) still use the connection, it is closed with the last of them.
    ///
    /// # Cancel safety
    /// If the future is dropped, the connection is closed in the background.
    pub async fn close(self) {
        const BOUND: Duration = Duration::from_secs(5);
        if let Some(session) = Arc::into_inner(self.session) {
            session.close(Deadline::after(Instant::now(), BOUND)).await;
        }
    }

    /// The underlying PostgreSQL connection, with everything that its driver offers: its own
    /// client, COPY, notifications, canceling.
    ///
    /// # Errors
    /// `Class::Unsupported` on another engine.
    #[cfg(feature = "postgres")]
    pub fn postgres(&self) -> Result<&underpin_postgres::Connection> {
        self.native("PostgreSQL")
    }

    /// The underlying SQLite connection, with everything that its driver offers.
    ///
    /// # Errors
    /// `Class::Unsupported` on another engine.
    #[cfg(any(feature = "sqlite", feature = "sqlite-system"))]
    pub fn sqlite(&self) -> Result<&underpin_sqlite::Connection> {
        self.native("SQLite")
    }

    /// The Access connection beneath, for all that its driver can do.
    ///
    /// # Errors
    /// `Class::Unsupported` on another engine.
    #[cfg(feature = "access")]
    pub fn access(&self) -> Result<&underpin_access::Connection> {
        self.native("Access")
    }

    /// The ODBC connection beneath, for all that its driver can do.
    ///
    /// # Errors
    /// `Class::Unsupported` on another engine.
    #[cfg(feature = "odbc")]
    pub fn odbc(&self) -> Result<&underpin_odbc::Connection> {
        self.native("ODBC")
    }

    /// The underlying connection as the driver's own type. `client` is its name in an error.
    ///
    /// # Errors
    /// `Class::Unsupported` if the connection belongs to another driver.
    pub fn native<C: driver::Connection>(&self, client: &str) -> Result<&C> {
        self.session.held.downcast_ref().ok_or_else(|| {
            let engine = self.engine();
            Error::new(
                Class::Unsupported,
                format!(
                    "The native {client} client is not available: this connection is to {engine}."
                ),
            )
        })
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("engine", &self.engine())
            .finish_non_exhaustive()
    }
}

/// A connection of the pool that one caller holds. It is returned to the pool when dropped, after
/// the state that its holder left behind is cleaned up.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> underpin::Result<()> {
/// # let db = underpin::Database::connect("sqlite::memory:").await?;
/// let lease = db.acquire().await?;
/// let one: i64 = lease.query_scalar("SELECT 1", ()).await?; // all calls of `Connection`
/// # assert_eq!(one, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Lease(pub(crate) Connection);

impl Deref for Lease {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}
