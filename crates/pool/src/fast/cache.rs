//! The cache of idle connections: connections that were returned while nobody was waiting, ready
//! for the next caller without the pool's lock.
//!
//! A returned connection is put into the cache slot of its own, and the next caller takes it from
//! there. To the state machine it has been leased all the time. No lock is taken, and callers on
//! several threads use different slots as long as there are enough.
//!
//! No connection stays in the cache while a caller waits: a caller that is about to wait closes the
//! epoch and then empties each cache slot; a caller that returns a connection fills its slot and
//! then looks at the epoch again. Both change the slot by a swap, so one of them comes second there
//! and sees what the other did before: the connection, or the closed epoch. `tests/loom` tries all
//! orders.

use crate::fast::connection::PoolConnection;
use crate::fast::epoch::Epoch;
use crate::fast::record::{LeaseTotals, Record};
use crate::fast::sync::{AtomicBool, AtomicCell, AtomicU64, Ordering, last_slot, note_slot};
use crate::fast::table::ChunkedTable;
use crate::state::SlotId;
use crate::timestamp::Timestamp;

pub(crate) struct IdleCache<T> {
    epoch: AtomicU64,
    slots: ChunkedTable<CacheSlot<T>>,
    /// Number of idle nanoseconds after which a connection is tested before it is leased.
    check_after: u64,
}

/// The cached connection of one slot. Two cache lines, since processors fetch them in pairs.
#[repr(align(128))]
struct CacheSlot<T> {
    pooled: AtomicCell<Option<Box<PoolConnection<T>>>>,
    /// A hint for callers looking for a connection.
    filled: AtomicBool,
    record: Record,
}

/// The result of looking for a connection.
#[derive(Debug)]
pub(crate) enum Lookup<T> {
    Miss,
    Hit(Box<PoolConnection<T>>),
    /// The connection is stale, has expired, or is to be tested first.
    Unfit(Box<PoolConnection<T>>),
}

/// Number of slots examined for one caller: those that differ in their lowest bits from the one
/// that its thread filled last.
const PROBES: usize = 8;

impl<T> IdleCache<T> {
    /// An empty cache, with the epoch of a new state machine.
    pub(crate) fn new(epoch: Epoch, check_after: Option<u64>) -> Self {
        IdleCache {
            epoch: AtomicU64::new(epoch.bits()),
            slots: ChunkedTable::new(),
            check_after: check_after.unwrap_or(u64::MAX),
        }
    }

    pub(crate) fn epoch(&self) -> Epoch {
        Epoch::of_bits(self.epoch.load(Ordering::Acquire))
    }

    /// Changes the epoch. Requires the pool's lock; connections cached under another epoch are to be
    /// taken out afterwards.
    pub(crate) fn set_epoch(&self, epoch: Epoch) {
        self.epoch.store(epoch.bits(), Ordering::Release);
    }

    /// Takes a connection, preferably the one that this thread put here last.
    #[inline]
    pub(crate) fn take_any(&self, now: Timestamp) -> Lookup<T> {
        let epoch = self.epoch();
        if !epoch.is_open() {
            return Lookup::Miss;
        }
        let last = last_slot();
        for probe in 0..PROBES {
            let Some(slot) = self.slots.get(last ^ probe) else {
                continue;
            };
            if !slot.filled.load(Ordering::Relaxed) {
                continue;
            }
            slot.filled.store(false, Ordering::Relaxed);
            let Some(pooled) = slot.pooled.take() else {
                continue;
            };
            let stamp = &pooled.stamp;
            let fit = stamp.epoch == epoch
                && stamp.expires_at > now
                && now.nanos_since(stamp.since) < self.check_after;
            return match fit {
                true => Lookup::Hit(pooled),
                false => Lookup::Unfit(pooled),
            };
        }
        Lookup::Miss
    }

    /// Caches a connection whose session is clean. Returns it if the state machine has to decide
    /// about it.
    #[inline]
    pub(crate) fn put(
        &self,
        mut pooled: Box<PoolConnection<T>>,
        now: Timestamp,
    ) -> Option<Box<PoolConnection<T>>> {
        let epoch = pooled.stamp.epoch;
        if epoch != self.epoch() {
            return Some(pooled);
        }
        let at = pooled.slot.index();
        let slot = self.slots.at(at);
        pooled.stamp.since = now;
        slot.pooled.store(Some(pooled));
        slot.filled.store(true, Ordering::Relaxed);
        note_slot(at);
        if epoch == self.epoch() {
            return None;
        }
        slot.pooled.take()
    }

    /// Takes the cached connection of this slot. An entry that this thread does not see yet is
    /// created here, since only an entry that both sides use orders their accesses.
    pub(crate) fn take(&self, slot: SlotId) -> Option<Box<PoolConnection<T>>> {
        self.slots.at(slot.index()).pooled.take()
    }

    /// The record of the leases of this slot.
    #[inline]
    pub(crate) fn record(&self, slot: SlotId) -> &Record {
        &self.slots.at(slot.index()).record
    }

    /// The totals of all records.
    pub(crate) fn leases(&self) -> LeaseTotals {
        LeaseTotals::of(self.slots.iter().map(|slot| &slot.record))
    }

    /// Takes out all connections, after the pool was dropped.
    pub(crate) fn drain(&self) -> impl Iterator<Item = Box<PoolConnection<T>>> {
        self.slots.iter().filter_map(|slot| slot.pooled.take())
    }
}

impl<T> Default for CacheSlot<T> {
    fn default() -> Self {
        CacheSlot {
            pooled: AtomicCell::new(None),
            filled: AtomicBool::new(false),
            record: Record::default(),
        }
    }
}
