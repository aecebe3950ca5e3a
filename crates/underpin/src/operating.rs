use underpin_cluster::{Cluster, Events};
use underpin_core::{Class, Error, Result};
use underpin_pool::{Bounds, Pool, Statistics};

use crate::database::Database;

impl Database {
    /// Lends no connection out until [`resume`](Database::resume): for the time of a
    /// switch-over, or of work on the server. Calls wait, as long as their time allows; what
    /// is under way goes on. It holds for all handles of the database.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// # let db = underpin::Database::connect("sqlite::memory:").await?;
    /// db.pause();
    /// // Calls now wait, while the server is being switched over.
    /// db.resume();
    /// db.ping().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn pause(&self) {
        self.shared.backend.pause();
    }

    /// Ends a [`pause`](Database::pause): who has waited longest goes first.
    pub fn resume(&self) {
        self.shared.backend.resume();
    }

    /// Changes how many connections the pool may have; surplus ones are closed when they are
    /// idle. On SQLite that is the number of readers, since there is one writer. It is not
    /// written into [`config`](Database::config).
    ///
    /// # Errors
    /// `Class::Config` where the bounds contradict each other, `Class::Unsupported` for a
    /// database in memory, which has one connection; nothing changes then.
    pub fn resize(&self, bounds: Bounds) -> Result<()> {
        if self.config().is_memory() {
            return Err(Error::new(
                Class::Unsupported,
                "A database in memory has one connection, and no other number.",
            ));
        }
        self.cluster()?.resize(bounds)
    }

    /// What becomes of the database's servers from now on: which ones answer, which one is the
    /// primary, and how long a failover took; and calls that had no connection or are tried again. Of a
    /// database that has a single host, only the latter come. The stream ends when the database is
    /// closed.
    ///
    /// # Errors
    /// `Class::Unsupported` for an engine with a pool of its own.
    pub fn events(&self) -> Result<Events> {
        Ok(self.cluster()?.events())
    }

    /// The pools in numbers, with histograms of the waits; the one that takes writes first.
    /// [`metrics`](Database::metrics) adds them up.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// # let db = underpin::Database::connect("sqlite::memory:").await?;
    /// for pool in db.statistics() {
    ///     println!("{} open, {} in use, {} waiting", pool.size, pool.in_use, pool.waiting);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn statistics(&self) -> Vec<Statistics> {
        let cluster = self.shared.backend.cluster();
        let pools = cluster.map(Cluster::pools).unwrap_or_default();
        pools.iter().map(Pool::statistics).collect()
    }
}
