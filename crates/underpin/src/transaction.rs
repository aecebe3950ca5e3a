use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use underpin_cluster::{Answer, Operation};
use underpin_core::driver::{BulkTarget, Collect};
use underpin_core::{
    Class, Deadline, Effect, Engine, Error, FromRow, FromValue, IntoParams, Params, Position,
    Result, RowStream, TransactionOptions, ValueRow,
};

use crate::one_row;
use crate::session::{Leftover, Session};
use crate::statements::statements;

/// A transaction, or a savepoint within one. It is owned, its calls take `&self`, and it ends with
/// [`commit`](Transaction::commit) or [`rollback`](Transaction::rollback). If it is dropped before
/// either, it is rolled back.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> underpin::Result<()> {
/// # let db = underpin::Database::connect("sqlite::memory:").await?;
/// # db.batch("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE)").await?;
/// let tx = db.begin().await?;
/// tx.execute("INSERT INTO users (email) VALUES ($1)", ("ada@example.com",)).await?;
/// drop(tx); // rolled back
///
/// let count: i64 = db.query_scalar("SELECT count(*) FROM users", ()).await?;
/// assert_eq!(count, 0);
/// # Ok(())
/// # }
/// ```
pub struct Transaction {
    pub(crate) shared: Arc<Shared>,
    /// Whether this is the handle for the caller's closure, which leaves the end of the transaction
    /// to the other handle.
    guest: bool,
}

pub(crate) struct Shared {
    session: Arc<Session>,
    deadline: Option<Duration>,
    /// The savepoint's name and the enclosing transaction; `None` for the transaction itself.
    savepoint: Option<(String, Arc<Shared>)>,
    phase: AtomicU8,
    /// Whether a statement failed in a way that a retry of the whole transaction may cure.
    conflict: AtomicBool,
}

/// Takes calls. Exits to `ENDED`.
const OPEN: u8 = 0;
/// Committed, rolled back, or left to be rolled back. No exit.
const ENDED: u8 = 1;

statements!(Transaction);

impl Transaction {
    pub(crate) async fn begin(
        session: Arc<Session>,
        options: TransactionOptions,
        deadline: Option<Duration>,
    ) -> Result<Transaction> {
        // Created before BEGIN is sent: a future dropped in between leaves the rollback.
        let transaction = Transaction::over(session, None, deadline);
        let by = transaction.deadline();
        match transaction.shared.session.begin(options, by).await {
            Ok(()) => Ok(transaction),
            Err(error) => {
                transaction.shared.phase.store(ENDED, Ordering::Relaxed);
                Err(error)
            }
        }
    }

    fn over(
        session: Arc<Session>,
        savepoint: Option<(String, Arc<Shared>)>,
        deadline: Option<Duration>,
    ) -> Self {
        let shared = Shared {
            session,
            deadline,
            savepoint,
            phase: AtomicU8::new(OPEN),
            conflict: AtomicBool::new(false),
        };
        Transaction {
            shared: Arc::new(shared),
            guest: false,
        }
    }

    /// The handle for a closure: it may be dropped, or kept too long, and the end of the
    /// transaction stays with the caller of the closure.
    pub(crate) fn guest(&self) -> Transaction {
        Transaction {
            shared: Arc::clone(&self.shared),
            guest: true,
        }
    }

    /// Whether a retry of the whole transaction may succeed after this failure.
    pub(crate) fn met_conflict(&self) -> bool {
        self.shared.conflict.load(Ordering::Relaxed)
    }

    fn deadline(&self) -> Deadline {
        let wait = self.shared.deadline;
        wait.map_or(Deadline::NONE, |wait| Deadline::after(Instant::now(), wait))
    }

    async fn run_at(
        &self,
        operation: Operation<'_>,
        sql: &str,
        params: Params,
        _: &'static Location<'static>,
    ) -> Result<Answer> {
        self.shared.require_open()?;
        let session = &self.shared.session;
        let result = session.run(operation, sql, params, self.deadline()).await;
        self.shared.noted(result)
    }

    async fn stream_at<T: FromRow + Send + 'static>(
        &self,
        sql: &str,
        params: Params,
        _: &'static Location<'static>,
    ) -> Result<RowStream<T>> {
        self.shared.require_open()?;
        let session = Arc::clone(&self.shared.session);
        let result = session.stream(sql, params, self.deadline()).await;
        self.shared.noted(result)
    }

    /// The engine of the connection.
    pub fn engine(&self) -> Engine {
        self.shared.session.engine()
    }

    /// Commits the transaction, or makes the changes since the savepoint part of the enclosing
    /// transaction.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// # let db = underpin::Database::connect("sqlite::memory:").await?;
    /// # db.batch("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE)").await?;
    /// let tx = db.begin().await?;
    /// tx.execute("INSERT INTO users (email) VALUES ('ada@example.com')", ()).await?;
    /// if let Err(error) = tx.commit().await {
    ///     println!("{:?}: {error}", error.effect());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Effect::RolledBack`] if it did not take effect, for example because of a constraint that
    /// is checked at the end; [`Effect::Unknown`] if the answer was lost.
    ///
    /// # Cancel safety
    /// If the future is dropped, the commit may or may not have taken effect.
    pub async fn commit(self) -> Result<()> {
        self.finish_by_commit().await
    }

    /// Commits, like [`commit`](Transaction::commit), and returns the position of the database
    /// after it, for reads that must see it: [`Database::after`](crate::Database::after). The query
    /// for the position follows the commit, and costs no round trip.
    ///
    /// # Errors
    /// As for [`commit`](Transaction::commit). `Class::Unsupported` if the engine has no positions,
    /// or if this is a savepoint: then nothing is committed, and the transaction is rolled back.
    /// `Effect::Applied` if it was committed and the position could not be read.
    ///
    /// # Cancel safety
    /// As for [`commit`](Transaction::commit).
    pub async fn commit_with_position(self) -> Result<Position> {
        let position = self.commit_and_tell(true).await?;
        Ok(position.expect("the position was requested"))
    }

    pub(crate) async fn finish_by_commit(&self) -> Result<()> {
        self.commit_and_tell(false).await.map(drop)
    }

    pub(crate) async fn commit_and_tell(&self, positioned: bool) -> Result<Option<Position>> {
        let shared = &*self.shared;
        shared.require_open()?;
        if positioned && let Err(error) = shared.require_positions() {
            self.finish_by_rollback().await?;
            return Err(error);
        }
        let result = match &shared.savepoint {
            None if positioned => shared.session.commit_with_position().await.map(Some),
            None => shared.session.commit().await.map(|()| None),
            Some((name, _)) => {
                let released = shared.session.release_savepoint(name, self.deadline());
                released.await.map(|()| None)
            }
        };
        shared.phase.store(ENDED, Ordering::Relaxed);
        if let Err(error) = &result {
            shared.note(error);
        }
        result
    }

    /// Undoes the changes of the transaction, or those since the savepoint.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// # let db = underpin::Database::connect("sqlite::memory:").await?;
    /// let tx = db.begin().await?;
    /// tx.rollback().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Only if the connection is lost; the server rolls back then.
    ///
    /// # Cancel safety
    /// If the future is dropped, the transaction is rolled back before the next statement on the
    /// connection.
    pub async fn rollback(self) -> Result<()> {
        self.finish_by_rollback().await
    }

    pub(crate) async fn finish_by_rollback(&self) -> Result<()> {
        let shared = &*self.shared;
        shared.require_open()?;
        shared.leave_rollback();
        shared.session.clear_leftovers(self.deadline()).await
    }

    /// Sets a savepoint: a transaction within this one, which can be rolled back by itself. This
    /// transaction can be used again after the savepoint has ended.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// # let db = underpin::Database::connect("sqlite::memory:").await?;
    /// # db.batch("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE)").await?;
    /// let tx = db.begin().await?;
    /// let inner = tx.savepoint().await?;
    /// inner.execute("INSERT INTO users (email) VALUES ('ada@example.com')", ()).await?;
    /// inner.rollback().await?; // the transaction goes on
    /// tx.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Class::Closed` if this transaction has ended.
    ///
    /// # Cancel safety
    /// If the future is dropped, the savepoint is rolled back before the next statement.
    pub async fn savepoint(&self) -> Result<Transaction> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        self.shared.require_open()?;
        let name = format!("underpin_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let session = &self.shared.session;
        session.set_savepoint(&name, self.deadline()).await?;
        let inner = Some((name, Arc::clone(&self.shared)));
        Ok(Transaction::over(
            Arc::clone(session),
            inner,
            self.shared.deadline,
        ))
    }

    /// Runs the closure within a savepoint, which is kept if the closure returns `Ok` and rolled
    /// back if it returns `Err`; the enclosing transaction continues in both cases.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// # let db = underpin::Database::connect("sqlite::memory:").await?;
    /// # db.batch("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE)").await?;
    /// let tx = db.begin().await?;
    /// let failed = tx
    ///     .transaction(async |inner| inner.execute("INSERT INTO nowhere VALUES (1)", ()).await)
    ///     .await;
    /// assert!(failed.is_err()); // and rolled back to where it began
    /// tx.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The closure's own error, or that of setting or ending the savepoint.
    ///
    /// # Cancel safety
    /// If the future is dropped, the savepoint is rolled back before the next statement.
    pub async fn transaction<F, Fut, R, E>(&self, closure: F) -> Result<R, E>
    where
        F: FnOnce(Transaction) -> Fut + Send,
        Fut: Future<Output = Result<R, E>> + Send,
        R: Send,
        E: From<Error> + Send,
    {
        let inner = self.savepoint().await?;
        match closure(inner.guest()).await {
            Ok(result) => {
                inner.finish_by_commit().await?;
                Ok(result)
            }
            Err(error) => {
                inner.finish_by_rollback().await?;
                Err(error)
            }
        }
    }
}

impl Shared {
    fn require_open(&self) -> Result<()> {
        if self.is_open() {
            return Ok(());
        }
        Err(Error::new(
            Class::Closed,
            "The transaction has already ended; nothing was sent.",
        )
        .with_effect(Effect::NotSent)
        .with_hint("Make all calls of a transaction before committing it or rolling it back."))
    }

    fn require_positions(&self) -> Result<()> {
        if self.savepoint.is_some() {
            return Err(Error::new(
                Class::Unsupported,
                "A savepoint has no position of its own; it was rolled back.",
            )
            .with_effect(Effect::RolledBack)
            .with_hint("Request the position when the enclosing transaction is committed."));
        }
        let missing = |error: Error| error.with_effect(Effect::RolledBack);
        self.session.require_positions().map_err(missing)
    }

    /// Whether neither it nor an enclosing transaction has ended.
    fn is_open(&self) -> bool {
        self.phase.load(Ordering::Relaxed) == OPEN
            && self
                .savepoint
                .as_ref()
                .is_none_or(|(_, outer)| outer.is_open())
    }

    fn noted<T>(&self, result: Result<T>) -> Result<T> {
        result.inspect_err(|error| self.note(error))
    }

    fn note(&self, error: &Error) {
        if matches!(
            error.class(),
            Class::Conflict | Class::Connect | Class::ReadOnly
        ) {
            self.conflict.store(true, Ordering::Relaxed);
            if let Some((_, outer)) = &self.savepoint {
                outer.note(error);
            }
        }
    }

    /// Leaves the rollback to the next user of the session.
    fn leave_rollback(&self) {
        let open = self.is_open();
        self.phase.store(ENDED, Ordering::Relaxed);
        if open {
            self.session.leave(match &self.savepoint {
                None => Leftover::Transaction,
                Some((name, _)) => Leftover::Savepoint(name.clone()),
            });
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if !self.guest {
            self.shared.leave_rollback();
        }
    }
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction")
            .field(
                "savepoint",
                &self.shared.savepoint.as_ref().map(|(name, _)| name),
            )
            .field("open", &(self.shared.phase.load(Ordering::Relaxed) == OPEN))
            .finish_non_exhaustive()
    }
}
