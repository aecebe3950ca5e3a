use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// What the calls of one database add up to. Each number is right by itself; together
/// they are a moment's glance, not a snapshot.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    queries: AtomicU64,
    failures: AtomicU64,
    nanos: AtomicU64,
    retries: AtomicU64,
}

impl Counters {
    pub(crate) fn statement(&self, took: Duration, failed: bool) {
        self.queries.fetch_add(1, Relaxed);
        self.nanos
            .fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        if failed {
            self.failures.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn retry(&self) {
        self.retries.fetch_add(1, Relaxed);
    }

    pub(crate) fn queries(&self) -> u64 {
        self.queries.load(Relaxed)
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }

    pub(crate) fn retries(&self) -> u64 {
        self.retries.load(Relaxed)
    }

    pub(crate) fn average(&self) -> Duration {
        match self.queries() {
            0 => Duration::ZERO,
            queries => Duration::from_nanos(self.nanos.load(Relaxed) / queries),
        }
    }
}
