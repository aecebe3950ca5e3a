use std::future::Future;
use std::panic::Location;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use underpin_cluster::{Answer, AnyLease, CallOptions, Cluster, MaxLag, Operation, is_unsent};
use underpin_core::driver::{BulkTarget, Collect};
use underpin_core::retry::RetryPolicy;
use underpin_core::{
    Class, Deadline, Effect, Engine, Error, FromRow, FromValue, IntoParams, Params, Position,
    Result, RowStream, StatementDescription, ValueRow,
};

use crate::backend::Backend;
use crate::config::Config;
use crate::config::IntoConfig;
use crate::connection::{Connection, Lease};
use crate::engines::EngineDriver;
use crate::health::Health;
use crate::one_row;
use crate::session::{Held, Session};
use crate::statements::statements;
use crate::transaction::Transaction;

/// A database: its endpoints, pools, retries and numbers, in one handle that is cheap to clone.
///
/// Options are handles for the same database: `db.read().deadline(…)` is also a `Database`, and
/// changes nothing for other handles.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> underpin::Result<()> {
/// use underpin::Database;
///
/// let db = Database::connect("sqlite::memory:").await?;
/// db.batch("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE)").await?;
/// db.execute("INSERT INTO users (email) VALUES ($1)", ("ada@example.com",)).await?;
///
/// let handle = db.read(); // another handle over the same database
/// let count: i64 = handle.query_scalar("SELECT count(*) FROM users", ()).await?;
/// assert_eq!(count, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Database {
    pub(crate) shared: Arc<Shared>,
    pub(crate) options: CallOptions,
}

pub(crate) struct Shared {
    /// Replaced as a whole when the database is reconfigured.
    pub(crate) config: RwLock<Arc<Config>>,
    pub(crate) driver: Arc<dyn EngineDriver>,
    pub(crate) backend: Box<dyn Backend>,
}

statements!(Database);

impl Database {
    pub(crate) fn new(
        driver: Arc<dyn EngineDriver>,
        config: Config,
        backend: Box<dyn Backend>,
    ) -> Self {
        let options = CallOptions {
            from: config.read_from(),
            max_lag: MaxLag {
                bytes: config.max_lag_bytes().map(u64::from),
                time: config.max_lag_time(),
            },
            ..CallOptions::default()
        };
        Database {
            shared: Arc::new(Shared {
                config: RwLock::new(Arc::new(config)),
                driver,
                backend,
            }),
            options,
        }
    }

    /// Opens the database at a URL or of a [`Config`], and connects to it once, so that a mistake
    /// surfaces here and not at the first statement. A URL is used as it is: no environment
    /// variable is read.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// use underpin::{Config, Database};
    ///
    /// let db = Database::connect("sqlite::memory:").await?;
    ///
    /// let config = Config::from_url("sqlite::memory:")?.to_builder().max_retries(0).build()?;
    /// let other = Database::connect(config).await?;
    /// # let _ = (db, other);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Class::Config` for a mistake in the configuration, otherwise the error of connecting, after
    /// the configured retries if a retry could help.
    ///
    /// # Cancel safety
    /// If the future is dropped, the connections that it has opened are closed.
    #[track_caller]
    pub fn connect(config: impl IntoConfig) -> impl Future<Output = Result<Database>> + Send {
        let place = Location::caller();
        let config = config.into_config();
        async move {
            let database = crate::connect::open(config?, false)?;
            match database.connect_once(place).await {
                Ok(()) => Ok(database),
                Err(error) => {
                    let _ = database.close(Duration::ZERO).await;
                    Err(error)
                }
            }
        }
    }

    /// Opens the database without connecting: the first call does that.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// use underpin::Database;
    ///
    /// let db = Database::connect_lazy("sqlite::memory:")?;
    /// db.ping().await?; // connects
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Class::Config` for a mistake in the configuration, or outside a Tokio runtime.
    pub fn connect_lazy(config: impl IntoConfig) -> Result<Database> {
        crate::connect::open(config.into_config()?, true)
    }

    /// Opens the database and reports its health, whether it answers or not: for a service that
    /// starts in any case and reports the result.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// use underpin::Database;
    ///
    /// let (db, health) = Database::connect_with_health("sqlite::memory:").await?;
    /// println!("{health}");
    /// # let _ = db;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Class::Config` for a mistake in the configuration. If the database cannot be reached, that
    /// is not an error here: its health is `Unhealthy`.
    ///
    /// # Cancel safety
    /// As for [`connect`](Database::connect).
    #[track_caller]
    pub fn connect_with_health(
        config: impl IntoConfig,
    ) -> impl Future<Output = Result<(Database, Health)>> + Send {
        let database = Database::connect_lazy(config);
        let place = Location::caller();
        async move {
            let database = database?;
            let health = database.health_at(place).await;
            Ok((database, health))
        }
    }

    /// Opens the database that `underpin.toml` in the working directory and the environment
    /// describe, and connects to it.
    ///
    /// ```,no_run
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// use underpin::Database;
    ///
    /// // DATABASE_URL=postgres://app@db1/shop
    /// let db = Database::from_env().await?;
    /// # let _ = db;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`connect`](Database::connect).
    ///
    /// # Cancel safety
    /// As for [`connect`](Database::connect).
    #[track_caller]
    pub fn from_env() -> impl Future<Output = Result<Database>> + Send {
        let config = Config::from_env();
        let place = Location::caller();
        async move {
            let database = crate::connect::open(config?, false)?;
            database.connect_once(place).await?;
            Ok(database)
        }
    }

    /// Opens a PostgreSQL database over byte streams that the caller opens itself: through a
    /// tunnel, a proxy, or an existing socket.
    ///
    /// # Errors
    /// As for [`connect`](Database::connect); `Class::Unsupported` for another engine.
    ///
    /// # Cancel safety
    /// As for [`connect`](Database::connect).
    #[cfg(feature = "postgres")]
    #[track_caller]
    pub fn connect_through(
        config: impl IntoConfig,
        dial: impl underpin_postgres::Dial,
    ) -> impl Future<Output = Result<Database>> + Send {
        Database::postgres(config).dial(dial).connect()
    }

    /// Like [`connect_through`](Database::connect_through), without connecting: the first call
    /// connects.
    ///
    /// # Errors
    /// `Class::Config` for a mistake in the configuration, or outside a Tokio runtime;
    /// `Class::Unsupported` for another engine than PostgreSQL.
    #[cfg(feature = "postgres")]
    pub fn connect_lazy_through(
        config: impl IntoConfig,
        dial: impl underpin_postgres::Dial,
    ) -> Result<Database> {
        Database::postgres(config).dial(dial).connect_lazy()
    }

    /// The position of the primary in the history of the database: everything that was committed so
    /// far lies before it. One round trip. For a transaction,
    /// [`commit_with_position`](Transaction::commit_with_position) needs none.
    ///
    /// # Errors
    /// `Class::Unsupported` if the engine has no positions, otherwise as for
    /// [`acquire`](Database::acquire).
    ///
    /// # Cancel safety
    /// Safe.
    #[track_caller]
    pub fn position(&self) -> impl Future<Output = Result<Position>> + Send {
        let place = Location::caller();
        let mut primary = self.clone();
        primary.options.read = false;
        primary.options.transaction.read_only = false;
        primary.options.after = None;
        async move {
            let deadline = primary.options.deadline_from(Instant::now());
            primary
                .lease_at(deadline, place)
                .await?
                .position(deadline)
                .await
        }
    }

    /// The engine of the database.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// # let db = underpin::Database::connect("sqlite::memory:").await?;
    /// assert_eq!(db.engine().to_string(), "sqlite");
    /// # Ok(())
    /// # }
    /// ```
    pub fn engine(&self) -> Engine {
        self.shared.driver.engine()
    }

    /// The current configuration.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// # let db = underpin::Database::connect("sqlite::memory:").await?;
    /// println!("{}", db.config().to_url_masked());
    /// assert_eq!(db.config().pool_max_size(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn config(&self) -> Arc<Config> {
        let config = self.shared.config.read();
        Arc::clone(&config.unwrap_or_else(PoisonError::into_inner))
    }

    /// Leases a connection of the pool until it is dropped: for everything that needs one session,
    /// such as `SET`, advisory locks, temporary tables or the native client.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// # let db = underpin::Database::connect("sqlite::memory:").await?;
    /// let lease = db.acquire().await?;
    /// lease.execute("CREATE TEMP TABLE seen (id INTEGER)", ()).await?;
    /// lease.execute("INSERT INTO seen VALUES (1)", ()).await?;
    /// drop(lease); // returned to the pool, cleaned
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Class::Timeout` if the wait times out; the error says where the time went and who holds the
    /// connections. `Class::Closed` after [`close`](Database::close). Otherwise the error of
    /// connecting.
    ///
    /// # Cancel safety
    /// Safe: the caller leaves the queue, and a connection on its way goes to the next caller.
    #[track_caller]
    pub fn acquire(&self) -> impl Future<Output = Result<Lease>> + Send {
        let place = Location::caller();
        async move {
            let deadline = self.options.deadline_from(Instant::now());
            let session = self.lease_at(deadline, place).await?;
            Ok(Lease(Connection::new(session, self.options.deadline)))
        }
    }

    pub(crate) async fn lease_at(
        &self,
        deadline: Deadline,
        place: &'static Location<'static>,
    ) -> Result<Session> {
        let cluster = self.cluster()?;
        let lease = cluster.lease(self.options, deadline, place).await?;
        Ok(self.session(lease, cluster))
    }

    fn session(&self, lease: AnyLease, cluster: &Cluster) -> Session {
        let counters = Arc::clone(cluster.counters());
        Session::new(
            Held::Leased(lease),
            &*self.shared.driver,
            counters,
            cluster.observer(),
        )
    }

    /// Connects, so that a mistake surfaces immediately.
    pub(crate) async fn connect_once(&self, place: &'static Location<'static>) -> Result<()> {
        match self.shared.backend.cluster() {
            Some(_) => self.lease_at(Deadline::NONE, place).await.map(drop),
            None => self.shared.backend.ping(self.options, place).await,
        }
    }

    /// The cluster with Underpin's own pools.
    pub(crate) fn cluster(&self) -> Result<&Cluster> {
        let cluster = self.shared.backend.cluster();
        cluster.ok_or_else(|| self.without_pool_of_ours())
    }

    #[cold]
    fn without_pool_of_ours(&self) -> Error {
        Error::new(
            Class::Unsupported,
            format!(
                "The engine {} has a pool of its own, takes no SQL, and cannot be leased, resized or \
                 reconfigured from here; nothing was sent.",
                self.engine()
            ),
        )
        .with_effect(Effect::NotSent)
        .with_hint("Use the engine's own calls.")
    }

    async fn run_at(
        &self,
        operation: Operation<'_>,
        sql: &str,
        params: Params,
        place: &'static Location<'static>,
    ) -> Result<Answer> {
        let cluster = self.cluster()?;
        cluster
            .run(operation, sql, params, self.options, place)
            .await
    }

    async fn stream_at<T: FromRow + Send + 'static>(
        &self,
        sql: &str,
        params: Params,
        place: &'static Location<'static>,
    ) -> Result<RowStream<T>> {
        let deadline = self.options.deadline_from(Instant::now());
        let cluster = self.cluster()?;
        let lease = cluster
            .lease_for(sql, self.options, deadline, place)
            .await?;
        let session = Arc::new(self.session(lease, cluster));
        if self.options.read && cluster.needs_guard(sql) {
            session.begin(self.options.transaction, deadline).await?;
        }
        session.stream(sql, params, deadline).await
    }

    /// Begins a transaction that the caller ends. PostgreSQL learns of it with the first call in
    /// it, so that beginning costs no round trip, and a transaction without calls costs none at
    /// all. On PostgreSQL, `now()` is the time of that first call, and the server's limits on idle
    /// transactions count from it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// # let db = underpin::Database::connect("sqlite::memory:").await?;
    /// # db.batch("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE)").await?;
    /// let tx = db.begin().await?;
    /// tx.execute("INSERT INTO users (email) VALUES ($1)", ("ada@example.com",)).await?;
    /// tx.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`acquire`](Database::acquire). If PostgreSQL refuses to begin, the first call
    /// returns its error, and later calls are not sent.
    ///
    /// # Cancel safety
    /// Safe: nothing stays open on the server.
    #[track_caller]
    pub fn begin(&self) -> impl Future<Output = Result<Transaction>> + Send {
        let place = Location::caller();
        async move { self.begin_at(place).await }
    }

    async fn begin_at(&self, place: &'static Location<'static>) -> Result<Transaction> {
        let deadline = self.options.deadline_from(Instant::now());
        let mut silent = 0;
        loop {
            let session = Arc::new(self.lease_at(deadline, place).await?);
            let begun =
                Transaction::begin(session, self.options.transaction, self.options.deadline);
            match begun.await {
                Err(error) if is_unsent(&error, silent) => silent += 1,
                result => return result,
            }
        }
    }

    /// Runs the closure in a transaction, which is committed if the closure returns `Ok` and rolled
    /// back if it returns `Err`. The closure runs once, unless [`retry`](Database::retry) is set.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// # let db = underpin::Database::connect("sqlite::memory:").await?;
    /// # db.batch("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE)").await?;
    /// let count = db
    ///     .transaction(async |tx| {
    ///         tx.execute("INSERT INTO users (email) VALUES ($1)", ("ada@example.com",)).await?;
    ///         tx.query_scalar::<i64>("SELECT count(*) FROM users", ()).await
    ///     })
    ///     .await?;
    /// assert_eq!(count, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The closure's own error, or that of beginning or committing; then [`Error::effect`] says
    /// whether the commit took effect.
    ///
    /// # Cancel safety
    /// If the future is dropped before the commit is sent, the transaction is rolled back; if it is
    /// dropped during the commit, the transaction may or may not have taken effect.
    #[track_caller]
    pub fn transaction<F, Fut, R, E>(&self, closure: F) -> impl Future<Output = Result<R, E>> + Send
    where
        F: FnMut(Transaction) -> Fut + Send,
        Fut: Future<Output = Result<R, E>> + Send,
        R: Send,
        E: From<Error> + Send,
    {
        let place = Location::caller();
        let ended = self.transaction_at(closure, false, place);
        async move { ended.await.map(|(result, _)| result) }
    }

    /// Runs the closure in a transaction, like [`transaction`](Database::transaction), and also
    /// returns the position of the database after the commit, for reads that must see it:
    /// [`after`](Database::after). The query for the position follows the commit, and costs no
    /// round trip.
    ///
    /// # Errors
    /// As for [`transaction`](Database::transaction). `Class::Unsupported`, before anything is
    /// committed, if the engine has no positions. `Effect::Applied` if the transaction was
    /// committed and the position could not be read.
    ///
    /// # Cancel safety
    /// As for [`transaction`](Database::transaction).
    #[track_caller]
    pub fn transaction_with_position<F, Fut, R, E>(
        &self,
        closure: F,
    ) -> impl Future<Output = Result<(R, Position), E>> + Send
    where
        F: FnMut(Transaction) -> Fut + Send,
        Fut: Future<Output = Result<R, E>> + Send,
        R: Send,
        E: From<Error> + Send,
    {
        let place = Location::caller();
        let ended = self.transaction_at(closure, true, place);
        async move {
            let (result, position) = ended.await?;
            Ok((result, position.expect("the position was requested")))
        }
    }

    async fn transaction_at<F, Fut, R, E>(
        &self,
        mut closure: F,
        positioned: bool,
        place: &'static Location<'static>,
    ) -> Result<(R, Option<Position>), E>
    where
        F: FnMut(Transaction) -> Fut + Send,
        Fut: Future<Output = Result<R, E>> + Send,
        R: Send,
        E: From<Error> + Send,
    {
        let mut attempt = 0;
        loop {
            let transaction = self.begin_at(place).await?;
            let error: E = match closure(transaction.guest()).await {
                Ok(result) => match transaction.commit_and_tell(positioned).await {
                    Ok(position) => return Ok((result, position)),
                    // A transaction that may have taken effect must not be repeated.
                    Err(error) if error.effect() != Effect::RolledBack => {
                        return Err(error.into());
                    }
                    Err(error) => error.into(),
                },
                Err(error) => {
                    // If this fails, the connection is lost, and with it the transaction.
                    let _ = transaction.finish_by_rollback().await;
                    error
                }
            };
            let Some(wait) = self.wait_to_repeat(&transaction, attempt) else {
                return Err(error);
            };
            drop(transaction);
            attempt += 1;
            tokio::time::sleep(wait).await;
        }
    }

    /// The wait before a retry of a failed transaction; `None` if it is not retried.
    fn wait_to_repeat(&self, transaction: &Transaction, attempt: u32) -> Option<Duration> {
        if !self.options.retry_transactions || !transaction.met_conflict() {
            return None;
        }
        let cluster = self.shared.backend.cluster()?;
        // Jitter separates the transactions that met in a conflict. A conflict is over as soon as
        // the other one ends, so the first wait is short.
        let policy = RetryPolicy {
            base: Duration::from_millis(10),
            jitter: 1.0,
            ..cluster.policy(self.options)
        };
        let cause = "A transaction ended in a conflict, or lost its connection.";
        (attempt < policy.max_retries && cluster.may_retry(cause)).then(|| {
            let wait = policy.wait(attempt, fastrand::f64());
            tracing::warn!(
                wait_ms = wait.as_millis() as u64,
                "a transaction is retried"
            );
            wait
        })
    }

    /// Waits for all calls in progress and closes all connections. Connections that are still held
    /// after `wait` are named in the error, and closed when they are returned. Closing twice, or
    /// before the first connection, is not an error.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// use std::time::Duration;
    ///
    /// # let db = underpin::Database::connect("sqlite::memory:").await?;
    /// db.close(Duration::from_secs(10)).await?;
    /// assert!(db.ping().await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Class::Timeout` names the holders of connections, with their lines of code.
    ///
    /// # Cancel safety
    /// If the future is dropped, the database is closed anyway, without the report.
    pub async fn close(&self, wait: Duration) -> Result<()> {
        let deadline = Deadline::after(Instant::now(), wait);
        self.shared.backend.close(deadline).await
    }

    /// Checks on a connection of the pool that the server answers.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// # let db = underpin::Database::connect("sqlite::memory:").await?;
    /// db.ping().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`acquire`](Database::acquire).
    ///
    /// # Cancel safety
    /// Safe.
    #[track_caller]
    pub fn ping(&self) -> impl Future<Output = Result<()>> + Send {
        self.shared.backend.ping(self.options, Location::caller())
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database")
            .field("engine", &self.engine())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl underpin_query::sealed::Describe for Database {}

impl underpin_query::Describe for Database {
    #[track_caller]
    fn describe(&self, sql: &str) -> impl Future<Output = Result<StatementDescription>> + Send {
        let place = Location::caller();
        async move {
            let answer = self.run_at(Operation::Describe, sql, Params::new(), place);
            Ok(answer.await?.description())
        }
    }
}
