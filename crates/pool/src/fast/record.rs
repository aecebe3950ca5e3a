use std::panic::Location;

use crate::fast::sync::{AtomicCell, AtomicU64, Ordering};
use crate::histogram::{Histogram, SharedHistogram};
use crate::timestamp::Timestamp;

/// The leases of one connection after another in the same slot. Only who has the connection
/// writes, so that counting is done without the pool's lock; anybody may read.
#[derive(Debug)]
pub(crate) struct Record {
    since: AtomicU64,
    caller: AtomicCell<Option<&'static Location<'static>>>,
    leases: AtomicU64,
    /// How long those leases were waited for that were waited for at all.
    waits: SharedHistogram,
    uses: SharedHistogram,
}

/// What the records of a pool come to.
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
    /// Somebody has leased the connection after so many nanoseconds.
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

    /// The holder gave it back after so many nanoseconds.
    #[inline]
    pub(crate) fn returned(&self, nanos: u64) {
        self.uses.record(nanos);
    }

    /// Who leased it last, and when. `None` where nobody did.
    pub(crate) fn holder(&self) -> Option<(&'static Location<'static>, Timestamp)> {
        let since = Timestamp::of_nanos(self.since.load(Ordering::Acquire));
        Some((self.caller.load()?, since))
    }
}

impl LeaseTotals {
    /// Those of all these records.
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
