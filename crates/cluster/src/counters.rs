use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Totals of the calls of one database. Each number is correct by itself; together they are not a
/// consistent snapshot.
#[derive(Debug, Default)]
pub struct Counters {
    queries: AtomicU64,
    failures: AtomicU64,
    nanos: AtomicU64,
    retries: AtomicU64,
    replays_awaited: AtomicU64,
    fallbacks: AtomicU64,
}

impl Counters {
    /// Counts a statement and its duration, including the wait for a connection.
    pub fn statement(&self, took: Duration, failed: bool) {
        self.queries.fetch_add(1, Relaxed);
        self.nanos
            .fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        if failed {
            self.failures.fetch_add(1, Relaxed);
        }
    }

    /// Counts a retry.
    pub fn retry(&self) {
        self.retries.fetch_add(1, Relaxed);
    }

    /// Counts a read that waited for a replica to replay a position.
    pub(crate) fn replay_awaited(&self) {
        self.replays_awaited.fetch_add(1, Relaxed);
    }

    /// Counts a read that went to the primary because no replica had replayed its position in time.
    pub(crate) fn fallback(&self) {
        self.fallbacks.fetch_add(1, Relaxed);
    }

    /// Reads that waited for a replica to replay a position.
    pub fn replays_awaited(&self) -> u64 {
        self.replays_awaited.load(Relaxed)
    }

    /// Reads that went to the primary because no replica had replayed their position in time.
    pub fn fallbacks(&self) -> u64 {
        self.fallbacks.load(Relaxed)
    }

    /// Statements run.
    pub fn queries(&self) -> u64 {
        self.queries.load(Relaxed)
    }

    /// Statements that failed.
    pub fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }

    /// Number of retries.
    pub fn retries(&self) -> u64 {
        self.retries.load(Relaxed)
    }

    /// Average duration of a statement.
    pub fn average(&self) -> Duration {
        match self.queries() {
            0 => Duration::ZERO,
            queries => Duration::from_nanos(self.nanos.load(Relaxed) / queries),
        }
    }
}
