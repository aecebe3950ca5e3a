use std::panic::Location;
use std::time::Duration;

use super::{Phase, State};
use crate::histogram::Histogram;
use crate::timestamp::Timestamp;

/// The holder of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Holder {
    /// The line of the caller's code that asked for it.
    pub(crate) caller: &'static Location<'static>,
    /// Time for which it has been held.
    pub(crate) held: Duration,
}

/// The pool at one point in time, for messages and statistics.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    /// Permits in use.
    pub(crate) size: usize,
    pub(crate) limit: usize,
    pub(crate) idle: usize,
    /// Leased out, being reset or being checked.
    pub(crate) in_use: usize,
    /// Connections that statements share; those without seats count as idle, the others as in use.
    pub(crate) lanes: usize,
    /// Statements in progress in lanes.
    pub(crate) seated: usize,
    pub(crate) connecting: usize,
    pub(crate) closing: usize,
    pub(crate) waiting: usize,
    pub(crate) paused: bool,
    /// Whether an attempt to connect is in progress or planned.
    pub(crate) awaits_connect: bool,
}

/// Totals since the pool was opened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals {
    /// Durations of the successful attempts to connect.
    pub(crate) create: Histogram,
    pub(crate) opened: u64,
    pub(crate) closed: u64,
    pub(crate) connection_errors: u64,
    pub(crate) timeouts: u64,
    pub(crate) retries: u64,
    pub(crate) rescued: u64,
    /// Callers that found the queue full.
    pub(crate) turned_away: u64,
    /// Waits that were canceled to shed load.
    pub(crate) shed: u64,
    /// Leases held past the threshold.
    pub(crate) leaks: u64,
}

impl State {
    pub(crate) fn snapshot(&self) -> Snapshot {
        let counts = &self.counts;
        let free = self.lanes.free();
        Snapshot {
            size: counts.size(),
            limit: self.bounds.limit(),
            idle: counts.idle + free,
            in_use: counts.leased + counts.resetting + counts.checking + counts.lanes - free,
            lanes: counts.lanes,
            seated: self.lanes.seated(),
            connecting: counts.connecting,
            closing: counts.closing + counts.closing_uncounted,
            waiting: self.queue.len(),
            paused: self.paused,
            awaits_connect: !self.paused && (counts.connecting > 0 || self.needs_connection()),
        }
    }

    /// The holders of connections, the longest first.
    pub(crate) fn holders(&self, now: Timestamp) -> Vec<Holder> {
        let mut holders: Vec<Holder> = self
            .slots
            .iter()
            .filter_map(|slot| match slot.phase {
                Phase::Leased { since, caller } => Some(Holder {
                    caller,
                    held: now.since(since),
                }),
                _ => None,
            })
            .collect();
        holders.sort_by_key(|holder| std::cmp::Reverse(holder.held));
        holders
    }
}
