//! Handles for the same database with other options for their calls.

use std::time::Duration;

use underpin_cluster::{After, CallOptions};
use underpin_core::{Class, Error, Isolation, Position, ReadFrom, Result};

use crate::database::Database;

impl Database {
    /// A handle for reads: statements go in turn to all hosts that answer, or to SQLite's readers,
    /// and transactions are read-only. A statement that writes is refused, even on a single host:
    /// if its text does not show that it only reads, it runs in a read-only transaction, which
    /// costs one more round trip. An [acquired](Database::acquire) connection is not restricted.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// # let db = underpin::Database::connect("sqlite::memory:").await?;
    /// # db.batch("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE)").await?;
    /// let count: i64 = db.read().query_scalar("SELECT count(*) FROM users", ()).await?;
    /// assert_eq!(count, 0);
    ///
    /// let error = db.read().execute("DELETE FROM users", ()).await.unwrap_err();
    /// assert_eq!(error.class(), underpin::Class::ReadOnly);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn read(&self) -> Database {
        self.with(|options| {
            options.read = true;
            options.transaction.read_only = true;
        })
    }

    /// A handle for reads that go to these hosts, instead of those of the configuration's
    /// `read_from`. If no such host answers, the primary serves the read. Finding the least busy
    /// host locks each pool briefly.
    #[must_use]
    pub fn read_from(&self, from: ReadFrom) -> Database {
        self.read().with(|options| options.from = from)
    }

    /// A handle for reads from replicas that are at most this many bytes of the primary's history
    /// behind its last known position. Members are probed each second. A replica whose lag is not
    /// known does not serve. If no replica is near enough, the primary serves the read.
    #[must_use]
    pub fn max_lag_bytes(&self, most: u64) -> Database {
        self.read()
            .with(|options| options.max_lag.bytes = Some(most))
    }

    /// A handle for reads from replicas that have replayed everything up to the primary's last
    /// known position, or a change that is at most this old. Otherwise like
    /// [`max_lag_bytes`](Database::max_lag_bytes).
    #[must_use]
    pub fn max_lag_time(&self, most: Duration) -> Database {
        self.read()
            .with(|options| options.max_lag.time = Some(most))
    }

    /// A handle for reads that see at least everything that was written before this position, from
    /// whichever handle or process it comes. Reads go only to servers that have replayed the
    /// position. Replicas have up to 100 ms to replay it; then the primary serves the read. Each
    /// such read asks its server for its position, unless that was already known to be far enough.
    /// The position of a replica counts only if the user may read `pg_stat_wal_receiver`, as with
    /// `GRANT pg_read_all_stats`; otherwise the primary serves the read.
    ///
    /// If the position is on a timeline that was left before the position, the read fails with
    /// `Class::Data`: the write may be lost. On an engine without positions, reads fail with
    /// `Class::Unsupported`.
    #[must_use]
    pub fn after(&self, position: Position) -> Database {
        const WAIT: Duration = Duration::from_millis(100);
        self.after_within(position, WAIT)
    }

    /// Like [`after`](Database::after) with another wait for the replicas. With zero, the primary
    /// serves immediately if no replica is far enough.
    #[must_use]
    pub fn after_within(&self, position: Position, wait: Duration) -> Database {
        let after = After { position, wait };
        self.read().with(|options| options.after = Some(after))
    }

    /// A handle whose statements each have a connection of their own while they run. Use it if a
    /// view or an operator writes, waits or takes a lock unseen. Otherwise, statements that only
    /// read share connections with those of other callers if the engine supports that.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// # let db = underpin::Database::connect("sqlite::memory:").await?;
    /// let one: i64 = db.exclusive().query_scalar("SELECT 1", ()).await?;
    /// # assert_eq!(one, 1);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn exclusive(&self) -> Database {
        self.with(|options| options.exclusive = true)
    }

    /// A handle for statements that may run twice: a statement whose connection is lost is retried
    /// even if it may already have taken effect. Retries are at most a fifth of the database's
    /// calls, or ten per second, so that an outage does not become a storm.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// # let db = underpin::Database::connect("sqlite::memory:").await?;
    /// # db.batch("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE)").await?;
    /// let sql = "UPDATE users SET email = lower(email) WHERE id = $1";
    /// db.idempotent().execute(sql, (7,)).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn idempotent(&self) -> Database {
        self.with(|options| options.idempotent = true)
    }

    /// A handle for calls that take no longer than `wait` in total, including the wait for a
    /// connection. Within a transaction, each call has this much time.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// use std::time::Duration;
    ///
    /// # let db = underpin::Database::connect("sqlite::memory:").await?;
    /// let quick = db.deadline(Duration::from_millis(200));
    /// let one: i64 = quick.query_scalar("SELECT 1", ()).await?;
    /// # assert_eq!(one, 1);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn deadline(&self, wait: Duration) -> Database {
        self.with(|options| options.deadline = Some(wait))
    }

    /// A handle whose transactions are retried from the start after a serialization failure, a
    /// deadlock or a lost connection. The closure's side effects are repeated too.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// # let db = underpin::Database::connect("sqlite::memory:").await?;
    /// # db.batch("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE)").await?;
    /// let sql = "INSERT INTO users (email) VALUES ($1)";
    /// db.retry()
    ///     .transaction(async |tx| tx.execute(sql, ("ada@example.com",)).await)
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn retry(&self) -> Database {
        self.with(|options| options.retry_transactions = true)
    }

    /// A handle with this isolation for its transactions.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// use underpin::Isolation;
    ///
    /// # let db = underpin::Database::connect("sqlite::memory:").await?;
    /// # db.batch("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE)").await?;
    /// let careful = db.isolation(Isolation::Serializable).retry();
    /// careful.transaction(async |tx| tx.execute("DELETE FROM users", ()).await).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn isolation(&self, isolation: Isolation) -> Database {
        self.with(|options| options.transaction.isolation = Some(isolation))
    }

    /// A handle whose transactions wait for a snapshot that cannot end in a conflict. It applies to
    /// serializable and read-only transactions on PostgreSQL.
    #[must_use]
    pub fn deferrable(&self) -> Database {
        self.with(|options| options.transaction.deferrable = true)
    }

    /// A handle with another number of retries, for connecting and for the calls that
    /// [`idempotent`](Database::idempotent) and [`retry`](Database::retry) repeat. With zero, there
    /// is one attempt.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// # let db = underpin::Database::connect("sqlite::memory:").await?;
    /// let impatient = db.retries(0)?;
    /// impatient.ping().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Class::Config` for more than 100: with waits that double, that many retries would never
    /// end.
    pub fn retries(&self, retries: u32) -> Result<Database> {
        const MOST: u32 = 100;
        if retries > MOST {
            return Err(Error::new(
                Class::Config,
                format!("{retries} retries were requested; the maximum is {MOST}."),
            )
            .with_hint("Use a deadline to limit the time, and a small number of retries."));
        }
        Ok(self.with(|options| options.retries = Some(retries)))
    }

    fn with(&self, change: impl FnOnce(&mut CallOptions)) -> Database {
        let mut handle = self.clone();
        change(&mut handle.options);
        handle
    }
}
