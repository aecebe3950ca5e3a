use std::fmt;
use std::time::Duration;

use underpin_cluster::Cluster;

use crate::database::Database;

/// The numbers of one database at one point in time. Counts begin when it was opened.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Metrics {
    /// Connections that callers hold.
    pub active_connections: usize,
    /// Open connections without a holder.
    pub idle_connections: usize,
    /// Open connections.
    pub pool_size: usize,
    /// Callers waiting for a connection.
    pub waiting: usize,
    /// Connections opened so far.
    pub total_connections: u64,
    /// Attempts to connect that failed.
    pub connection_errors: u64,
    /// Waits for a connection that timed out.
    pub acquire_timeouts: u64,
    /// Waits for a connection that were refused or canceled under overload.
    pub acquires_shed: u64,
    /// Leases that were held past `leak_threshold`.
    pub leaks: u64,
    /// Statements run, whether they succeeded or not.
    pub total_queries: u64,
    /// Statements that failed.
    pub failed_queries: u64,
    /// Share of failed statements among all; 0 if there were none.
    pub failure_rate: f64,
    /// Average duration of a statement, including the wait for a connection.
    pub avg_query_time: Duration,
    /// Retries: of connecting, of statements and of transactions.
    pub retry_attempts: u64,
    /// Reads that waited for a replica to replay a position.
    pub replays_awaited: u64,
    /// Reads that went to the primary because no replica had replayed their position in time.
    pub read_fallbacks: u64,
}

impl Metrics {
    pub(crate) fn of(cluster: &Cluster) -> Self {
        let counters = cluster.counters();
        let mut metrics = Metrics {
            total_queries: counters.queries(),
            failed_queries: counters.failures(),
            avg_query_time: counters.average(),
            retry_attempts: counters.retries(),
            replays_awaited: counters.replays_awaited(),
            read_fallbacks: counters.fallbacks(),
            ..Metrics::default()
        };
        if metrics.total_queries > 0 {
            metrics.failure_rate = metrics.failed_queries as f64 / metrics.total_queries as f64;
        }
        for pool in cluster.pools() {
            let statistics = pool.statistics();
            metrics.active_connections += statistics.in_use;
            metrics.idle_connections += statistics.idle;
            metrics.pool_size += statistics.size;
            metrics.waiting += statistics.waiting;
            metrics.total_connections += statistics.opened_total;
            metrics.connection_errors += statistics.connection_errors_total;
            metrics.acquire_timeouts += statistics.timeouts_total;
            metrics.acquires_shed += statistics.turned_away_total + statistics.shed_total;
            metrics.leaks += statistics.leaks_total;
            metrics.retry_attempts += statistics.retries_total;
        }
        metrics
    }
}

impl Database {
    /// The current numbers. Costs no round trip.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// # let db = underpin::Database::connect("sqlite::memory:").await?;
    /// let metrics = db.metrics();
    /// println!("{metrics}");
    /// assert_eq!(metrics.waiting, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn metrics(&self) -> Metrics {
        self.shared.backend.metrics()
    }
}

impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "connections: {} ({} active, {} idle), {} waiting, {} opened, {} failed; \
             queries: {}, {:.2?} on average, {:.1} % failed; retries: {}",
            self.pool_size,
            self.active_connections,
            self.idle_connections,
            self.waiting,
            self.total_connections,
            self.connection_errors,
            self.total_queries,
            self.avg_query_time,
            self.failure_rate * 100.0,
            self.retry_attempts,
        )
    }
}
