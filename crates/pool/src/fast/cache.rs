//! Connections that came back while nobody waited, ready for the next caller without the
//! pool's lock.
//!
//! A connection that is given back stands by in the berth of its slot, and who asks next takes
//! it from there; to the state machine it has been leased all the time. No lock is taken, and
//! callers on several threads use berths of their own as long as there are enough of them.
//!
//! That nobody waits while a connection stands by is kept thus: who is about to wait closes the
//! pass and then empties each berth; who gives back fills its berth and then looks at the pass
//! again. Both change the berth by a swap, so that one of them comes second there and sees what
//! the other did before: the connection, or the closed pass. `tests/loom` tries all orders.

use crate::fast::connection::PoolConnection;
use crate::fast::epoch::Epoch;
use crate::fast::record::{LeaseTotals, Record};
use crate::fast::slot_table::SlotTable;
use crate::fast::sync::{AtomicBool, AtomicCell, AtomicU64, Ordering, last_slot, note_slot};
use crate::state::SlotId;
use crate::timestamp::Timestamp;

pub(crate) struct IdleCache<T> {
    epoch: AtomicU64,
    slots: SlotTable<CacheSlot<T>>,
    /// From how many nanoseconds on a connection is not taken from here, but tested first.
    check_after: u64,
}

/// The place of one slot. Two cache lines, since processors fetch them in pairs.
#[repr(align(128))]
struct CacheSlot<T> {
    pooled: AtomicCell<Option<Box<PoolConnection<T>>>>,
    /// A hint for who looks for a connection.
    filled: AtomicBool,
    record: Record,
}

/// What was found for a caller.
#[derive(Debug)]
pub(crate) enum Lookup<T> {
    Miss,
    Hit(Box<PoolConnection<T>>),
    /// It is stale, has expired, or is to be tested first.
    Unfit(Box<PoolConnection<T>>),
}

/// So many berths are looked at for one caller: those that differ in their lowest bits from
/// the one that its thread has filled last.
const PROBES: usize = 8;

impl<T> IdleCache<T> {
    /// With the pass of a state machine that has just begun.
    pub(crate) fn new(epoch: Epoch, check_after: Option<u64>) -> Self {
        IdleCache {
            epoch: AtomicU64::new(epoch.bits()),
            slots: SlotTable::new(),
            check_after: check_after.unwrap_or(u64::MAX),
        }
    }

    pub(crate) fn epoch(&self) -> Epoch {
        Epoch::of_bits(self.epoch.load(Ordering::Acquire))
    }

    /// Only with the pool's lock. What is there under another pass is then to be brought back.
    pub(crate) fn set_epoch(&self, epoch: Epoch) {
        self.epoch.store(epoch.bits(), Ordering::Release);
    }

    /// Looks for a connection, first where this thread has left one.
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

    /// Takes a connection whose session is clean from its holder; gives it back where the state
    /// machine is to decide what becomes of it.
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

    /// Takes out what stands by in the berth of this slot. A berth that is not seen yet is made
    /// here, since only one that both sides use puts them in order.
    pub(crate) fn take(&self, slot: SlotId) -> Option<Box<PoolConnection<T>>> {
        self.slots.at(slot.index()).pooled.take()
    }

    /// Where the leases of this slot are written down.
    #[inline]
    pub(crate) fn record(&self, slot: SlotId) -> &Record {
        &self.slots.at(slot.index()).record
    }

    /// What is written down of all leases.
    pub(crate) fn leases(&self) -> LeaseTotals {
        LeaseTotals::of(self.slots.iter().map(|slot| &slot.record))
    }

    /// Takes out all there is, when the pool is gone.
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
