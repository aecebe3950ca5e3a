//! Handles over the same database that run their calls in another way.

use std::time::Duration;

use underpin_cluster::{After, CallOptions};
use underpin_core::{Class, Error, Isolation, Position, ReadFrom, Result};

use crate::database::Database;

impl Database {
    /// The same database for reads: statements go to all hosts that answer, in turns, or to
    /// SQLite's readers, and transactions are read-only. A statement that writes is refused, on a
    /// single host too: one whose text does not tell that it only reads runs in a read-only
    /// transaction, which costs a round trip more. What an [acquired](Database::acquire)
    /// connection does is the caller's own affair.
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

    /// The same database for reads that go to these hosts, in place of those that `read_from` in the
    /// configuration says. If no such host answers, the primary serves. The least busy host is
    /// found by asking each pool, which takes its lock.
    #[must_use]
    pub fn read_from(&self, from: ReadFrom) -> Database {
        self.read().with(|options| options.from = from)
    }

    /// The same database for reads from replicas that are at most so many bytes of the primary's
    /// history behind its last known position; members are probed each second. A replica whose lag
    /// is not known does not serve. Where none is near enough, the primary serves.
    #[must_use]
    pub fn max_lag_bytes(&self, most: u64) -> Database {
        self.read()
            .with(|options| options.max_lag.bytes = Some(most))
    }

    /// The same database for reads from replicas that have replayed everything up to the primary's
    /// last known position, or a change that is at most so old. Otherwise as
    /// [`max_lag_bytes`](Database::max_lag_bytes).
    #[must_use]
    pub fn max_lag_time(&self, most: Duration) -> Database {
        self.read()
            .with(|options| options.max_lag.time = Some(most))
    }

    /// The same database for reads that see at least what was written before this position, wherever
    /// it was taken: they go only where it has been replayed. Replicas are waited for up to 100 ms;
    /// then the primary serves. Each such read asks its server for its position, unless that was
    /// known to be far enough. Of a replica that position counts only where the user may read
    /// `pg_stat_wal_receiver`, as with `GRANT pg_read_all_stats`; else the primary serves.
    ///
    /// A position of a timeline that was left before it is an error of the read, `Class::Data`: the
    /// write may be lost. On an engine that tells no positions, reads fail with
    /// `Class::Unsupported`.
    #[must_use]
    pub fn after(&self, position: Position) -> Database {
        const WAIT: Duration = Duration::from_millis(100);
        self.after_within(position, WAIT)
    }

    /// The same as [`after`](Database::after) with another wait for the replicas. With zero the
    /// primary serves at once where no replica is far enough.
    #[must_use]
    pub fn after_within(&self, position: Position, wait: Duration) -> Database {
        let after = After { position, wait };
        self.read().with(|options| options.after = Some(after))
    }

    /// The same database for statements that each have a connection of their own while they
    /// run, as where a view or an operator writes, waits or takes a lock out of sight. Without
    /// it, statements that only read share connections with others' where the engine can.
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

    /// The same database for statements that may as well run twice: one whose connection
    /// is lost is tried again, also where it may have taken effect already. Retries are at most a
    /// fifth of the database's calls, or ten in each second, so that an outage does not become a
    /// storm.
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

    /// The same database for calls that take no longer than `wait` in all, the wait for a
    /// connection included. Within a transaction each call has that long.
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

    /// The same database with transactions that are run again, from the start, after a
    /// serialization failure, a deadlock or a lost connection. The closure's side effects
    /// are repeated with it.
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

    /// The same database with this isolation for its transactions.
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

    /// The same database with transactions that wait for a snapshot which cannot end in
    /// a conflict: with serializable and read-only ones on PostgreSQL.
    #[must_use]
    pub fn deferrable(&self) -> Database {
        self.with(|options| options.transaction.deferrable = true)
    }

    /// The same database with another number of tries after the first, for connecting and
    /// for what [`idempotent`](Database::idempotent) and [`retry`](Database::retry)
    /// repeat. Zero tries once.
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
    /// `Class::Config` for more than 100: with waits that double, that many would never end.
    pub fn retries(&self, retries: u32) -> Result<Database> {
        const MOST: u32 = 100;
        if retries > MOST {
            return Err(Error::new(
                Class::Config,
                format!("{retries} retries were asked for; the most is {MOST}."),
            )
            .with_hint("Use a deadline to bound the time, and a small number of retries."));
        }
        Ok(self.with(|options| options.retries = Some(retries)))
    }

    fn with(&self, change: impl FnOnce(&mut CallOptions)) -> Database {
        let mut handle = self.clone();
        change(&mut handle.options);
        handle
    }
}
