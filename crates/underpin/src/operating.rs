use underpin_cluster::{Cluster, Events};
use underpin_core::{Class, Error, Result};
use underpin_pool::{Bounds, Pool, Statistics};

use crate::database::Database;

impl Database {
    /// Leases no connection until [`resume`](Database::resume): during a switchover, or work on the
    /// server. Calls wait, as long as their time allows; calls in progress continue. It applies to
    /// all handles of the database.
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

    /// Ends a [`pause`](Database::pause): the caller that has waited longest goes first.
    pub fn resume(&self) {
        self.shared.backend.resume();
    }

    /// Changes the bounds of the pool; surplus connections are closed when they are idle. On
    /// SQLite, the bounds are those of the readers, since there is one writer.
    /// [`config`](Database::config) does not change.
    ///
    /// # Errors
    /// `Class::Config` if the bounds contradict each other, `Class::Unsupported` for a database in
    /// memory, which has one connection; nothing changes then.
    pub fn resize(&self, bounds: Bounds) -> Result<()> {
        if self.config().is_memory() {
            return Err(Error::new(
                Class::Unsupported,
                "A database in memory always has exactly one connection.",
            ));
        }
        self.cluster()?.resize(bounds)
    }

    /// The events of the database's servers from now on: which ones answer, which one is the
    /// primary, and how long a failover took; also calls that got no connection or are retried. A
    /// database with a single host has only the latter. The stream ends when the database is
    /// closed.
    ///
    /// # Errors
    /// `Class::Unsupported` for an engine with a pool of its own.
    pub fn events(&self) -> Result<Events> {
        Ok(self.cluster()?.events())
    }

    /// The numbers of the pools, with histograms of the waits; the pool that takes writes is first.
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
