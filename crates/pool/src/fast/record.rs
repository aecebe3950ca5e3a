use std::panic::Location;

use crate::fast::sync::{AtomicCell, AtomicU64, Ordering};
use crate::histogram::{Histogram, SharedHistogram};
use crate::timestamp::Timestamp;

/// The leases of all connections in one slot. Only the holder of the connection writes, so that
/// leases are counted without the pool's lock; any thread may read.
#[derive(Debug)]
pub(crate) struct Record {
    since: AtomicU64,
    caller: AtomicCell<Option<&'static Location<'static>>>,
    leases: AtomicU64,
    /// Waits of those leases that had to wait.
    waits: SharedHistogram,
    uses: SharedHistogram,
}

/// The totals of all records of a pool.
#[derive(Debug, Default)]
pub(crate) struct LeaseTotals {
    pub(crate) acquired: u64,
    pub(crate) returned: u64,
    pub(crate) waits: Histogram,
    pub(crate) uses: Histogram,
}

impl Default for Record {
    fn default() -> Self {
        Record {
            since: AtomicU64::new(0),
            caller: AtomicCell::new(None),
            leases: AtomicU64::new(0),
            waits: SharedHistogram::default(),
            uses: SharedHistogram::default(),
        }
    }
}

impl Record {
    /// Records that a caller has leased the connection after a wait of this many nanoseconds.
    #[inline]
    pub(crate) fn leased(&self, caller: &'static Location<'static>, since: Timestamp, waited: u64) {
        self.caller.store(Some(caller));
        self.since.store(since.nanos(), Ordering::Release);
        let leases = self.leases.load(Ordering::Relaxed);
        self.leases.store(leases + 1, Ordering::Relaxed);
        if waited > 0 {
            self.waits.record(waited);
        }
    }

    /// Records that the holder returned the connection after this many nanoseconds.
    #[inline]
    pub(crate) fn returned(&self, nanos: u64) {
        self.uses.record(nanos);
    }

    /// The latest holder, and when its lease began. `None` before the first lease.
    pub(crate) fn holder(&self) -> Option<(&'static Location<'static>, Timestamp)> {
        let since = Timestamp::of_nanos(self.since.load(Ordering::Acquire));
        Some((self.caller.load()?, since))
    }
}

impl LeaseTotals {
    /// Adds up these records.
    pub(crate) fn of<'a>(records: impl Iterator<Item = &'a Record>) -> Self {
        let mut all = LeaseTotals::default();
        for record in records {
            let waited = record.waits.add_to(&mut all.waits);
            let leases = record.leases.load(Ordering::Relaxed).max(waited);
            all.waits.record_many(0, leases - waited);
            all.acquired += leases;
            all.returned += record.uses.add_to(&mut all.uses);
        }
        all
    }
}
