use std::time::Duration;

use crate::state::{Snapshot, Totals};

/// A pool in numbers, all of the same moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// All connections: idle, in use, being opened, and sound ones being closed.
    pub size: usize,
    /// Connections that nobody uses.
    pub idle: usize,
    /// Connections leased out, being reset or being checked in the background.
    pub in_use: usize,
    /// Connections that many callers' statements share: those with a statement under way
    /// are among the connections in use, the others among the idle ones.
    pub lanes: usize,
    /// Callers who wait for a connection.
    pub waiting: usize,
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
    /// How long all the leases given out were waited for, together.
    pub wait_time_total: Duration,
    /// How long all the leases given back were held, together.
    pub use_time_total: Duration,
    /// Why the latest attempt to connect that failed did so.
    pub last_connection_error: Option<String>,
}

impl Statistics {
    pub(crate) fn new(now: &Snapshot, totals: &Totals, last_error: Option<String>) -> Self {
        Statistics {
            size: now.size,
            idle: now.idle,
            in_use: now.in_use,
            lanes: now.lanes,
            waiting: now.waiting,
            connecting: now.connecting,
            closing: now.closing,
            opened_total: totals.opened,
            closed_total: totals.closed,
            connection_errors_total: totals.connection_errors,
            acquired_total: totals.acquired,
            returned_total: totals.returned,
            timeouts_total: totals.timeouts,
            retries_total: totals.retries,
            rescued_total: totals.rescued,
            wait_time_total: totals.wait,
            use_time_total: totals.used,
            last_connection_error: last_error,
        }
    }

    /// How long a lease is waited for on average; zero before the first.
    pub fn average_wait(&self) -> Duration {
        average(self.wait_time_total, self.acquired_total)
    }

    /// How long a lease is held on average; zero before the first came back.
    pub fn average_use(&self) -> Duration {
        average(self.use_time_total, self.returned_total)
    }
}

fn average(total: Duration, count: u64) -> Duration {
    match count {
        0 => Duration::ZERO,
        _ => Duration::from_secs_f64(total.as_secs_f64() / count as f64),
    }
}
