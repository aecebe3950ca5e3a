use std::time::Duration;

use crate::fast::record::LeaseTotals;
use crate::histogram::Histogram;
use crate::options::Bounds;
use crate::state::State;

/// The numbers of a pool, all read at the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Name of the pool in messages and logs.
    pub name: String,
    /// Limits on the number of connections.
    pub bounds: Bounds,
    /// All connections: idle, in use, being opened, and live ones being closed.
    pub size: usize,
    /// Connections without a holder.
    pub idle: usize,
    /// Connections leased out, being reset or being checked in the background.
    pub in_use: usize,
    /// Connections that many callers' statements share: those with a statement in progress are
    /// among the connections in use, the others among the idle ones.
    pub lanes: usize,
    /// Statements in progress in lanes.
    pub seated: usize,
    /// Callers waiting for a connection.
    pub waiting: usize,
    /// Whether the pool is paused.
    pub paused: bool,
    /// Attempts to connect that are in progress.
    pub connecting: usize,
    /// Connections being closed, including lost ones.
    pub closing: usize,
    /// Connections opened so far.
    pub opened_total: u64,
    /// Connections closed or lost so far.
    pub closed_total: u64,
    /// Attempts to connect that failed.
    pub connection_errors_total: u64,
    /// Leases that began.
    pub acquired_total: u64,
    /// Leases that ended.
    pub returned_total: u64,
    /// Callers whose wait for a connection timed out.
    pub timeouts_total: u64,
    /// Attempts to connect that were made because the one before had failed.
    pub retries_total: u64,
    /// Statements that were sent again on another connection because their lane did not answer.
    pub rescued_total: u64,
    /// Callers that found the queue full and failed immediately.
    pub turned_away_total: u64,
    /// Callers whose wait was canceled to shed load.
    pub shed_total: u64,
    /// Leases held past [`leak_threshold`](crate::PoolOptions::leak_threshold).
    pub leaks_total: u64,
    /// Waits of the leases: queue, connecting, and validation of earlier connections that were
    /// dead; zero if a connection was idle.
    pub wait: Histogram,
    /// Durations of the ended leases.
    pub use_time: Histogram,
    /// Durations of the successful attempts to connect.
    pub create: Histogram,
    /// Message of the latest failed attempt to connect.
    pub last_connection_error: Option<String>,
}

impl Statistics {
    pub(crate) fn new(
        name: &str,
        state: &State,
        leases: LeaseTotals,
        last_error: Option<String>,
    ) -> Self {
        let (now, totals) = (state.snapshot(), state.totals());
        Statistics {
            name: name.to_owned(),
            bounds: state.bounds(),
            size: now.size,
            idle: now.idle,
            in_use: now.in_use,
            lanes: now.lanes,
            seated: now.seated,
            waiting: now.waiting,
            paused: now.paused,
            connecting: now.connecting,
            closing: now.closing,
            opened_total: totals.opened,
            closed_total: totals.closed,
            connection_errors_total: totals.connection_errors,
            acquired_total: leases.acquired,
            returned_total: leases.returned,
            timeouts_total: totals.timeouts,
            retries_total: totals.retries,
            rescued_total: totals.rescued,
            turned_away_total: totals.turned_away,
            shed_total: totals.shed,
            leaks_total: totals.leaks,
            wait: leases.waits,
            use_time: leases.uses,
            create: totals.create.clone(),
            last_connection_error: last_error,
        }
    }

    /// Average wait for a lease; zero before the first.
    pub fn average_wait(&self) -> Duration {
        self.wait.mean()
    }

    /// Average duration of a lease; zero before the first has ended.
    pub fn average_use(&self) -> Duration {
        self.use_time.mean()
    }
}
