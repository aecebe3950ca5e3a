use std::time::Duration;

use crate::fast::record::LeaseTotals;
use crate::histogram::Histogram;
use crate::options::Bounds;
use crate::state::State;

/// A pool in numbers, all taken at the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// What messages and logs call the pool.
    pub name: String,
    /// How many connections it may have.
    pub bounds: Bounds,
    /// All connections: idle, in use, being opened, and sound ones being closed.
    pub size: usize,
    /// Connections that nobody uses.
    pub idle: usize,
    /// Connections leased out, being reset or being checked in the background.
    pub in_use: usize,
    /// Connections that many callers' statements share: those with a statement under way
    /// are among the connections in use, the others among the idle ones.
    pub lanes: usize,
    /// Statements under way in those.
    pub seated: usize,
    /// Callers who wait for a connection.
    pub waiting: usize,
    /// Whether the pool is paused.
    pub paused: bool,
    /// Attempts to connect that are under way.
    pub connecting: usize,
    /// Connections being closed, lost ones included.
    pub closing: usize,
    /// Connections opened so far.
    pub opened_total: u64,
    /// Connections closed or lost so far.
    pub closed_total: u64,
    /// Attempts to connect that failed.
    pub connection_errors_total: u64,
    /// Leases given out.
    pub acquired_total: u64,
    /// Leases given back.
    pub returned_total: u64,
    /// Callers whose time was up before they had a connection.
    pub timeouts_total: u64,
    /// Attempts to connect that were made because the one before had failed.
    pub retries_total: u64,
    /// Statements that were asked again elsewhere, since their lane gave no answer.
    pub rescued_total: u64,
    /// Callers who found the queue full, and were told so at once.
    pub turned_away_total: u64,
    /// Callers whose wait was ended early, to shed load.
    pub shed_total: u64,
    /// Leases held past [`leak_threshold`](crate::PoolOptions::leak_threshold).
    pub leaks_total: u64,
    /// How long the leases given out were waited for: queue, connecting and validation of
    /// an earlier one that was dead; nothing where a connection was idle.
    pub wait: Histogram,
    /// How long the leases given back were held.
    pub use_time: Histogram,
    /// How long opening a connection took, where it succeeded.
    pub create: Histogram,
    /// Why the latest attempt to connect that failed did so.
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

    /// How long a lease is waited for on average; zero before the first.
    pub fn average_wait(&self) -> Duration {
        self.wait.mean()
    }

    /// How long a lease is held on average; zero before the first came back.
    pub fn average_use(&self) -> Duration {
        self.use_time.mean()
    }
}
