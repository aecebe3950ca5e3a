//! The part of the shell that passes connections from caller to caller without the state machine,
//! as in `locked.rs`, `fast/cache.rs` and `checkout.rs`.

use super::*;
use crate::fast::epoch::Epoch;

/// A connection that was returned while no caller waited.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cached {
    pub(super) slot: SlotId,
    pub(super) since: Timestamp,
    pub(super) epoch: Epoch,
}

/// The record of the latest lease of a slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    pub(super) stamp: Stamp,
    pub(super) caller: &'static Location<'static>,
}

impl World {
    pub(super) fn record(&self, slot: SlotId) -> &Record {
        let record = self.records.get(slot.index());
        record
            .and_then(Option::as_ref)
            .expect("it was leased before")
    }

    fn record_mut(&mut self, slot: SlotId) -> &mut Option<Record> {
        if self.records.len() <= slot.index() {
            self.records.resize(slot.index() + 1, None);
        }
        &mut self.records[slot.index()]
    }

    /// The holders of connections, the longest first.
    fn holders(&self, now: Timestamp) -> Vec<(Duration, u32)> {
        let holder = |slot: &SlotId| {
            let Record { stamp, caller } = self.record(*slot);
            (now.since(stamp.since), caller.line())
        };
        let mut holders: Vec<_> = self.leased.iter().map(holder).collect();
        holders.sort_unstable();
        holders
    }
}

impl Run {
    /// A lease from the state machine begins.
    pub(super) fn begin(&mut self, slot: SlotId, caller: &'static Location<'static>) {
        let stamp = self.state.stamp(slot, false, self.now);
        *self.world.record_mut(slot) = Some(Record { stamp, caller });
    }

    /// Returns whether the next caller may have the connection.
    pub(super) fn put_in_cache(&mut self, slot: SlotId) -> bool {
        let epoch = self.world.record(slot).stamp.epoch;
        let puts = epoch == self.world.epoch;
        if puts {
            let since = self.now;
            self.world.cache.push(Cached { slot, since, epoch });
        }
        puts
    }

    /// A caller looks for a cached connection. Returns whether it got one.
    pub(super) fn take_from_cache(&mut self, caller: &'static Location<'static>) -> bool {
        let epoch = self.world.epoch;
        // Not all cache slots are examined.
        if !epoch.is_open() || self.world.cache.is_empty() || self.random.u8(..8) == 0 {
            return false;
        }
        let nth = self.random.usize(..self.world.cache.len());
        let Cached { slot, since, .. } = self.world.cache.swap_remove(nth);
        let stamp = self.world.record(slot).stamp;
        let limit = self.state.check_after().unwrap_or(u64::MAX);
        let fit = stamp.epoch == epoch
            && stamp.expires_at > self.now
            && self.now.nanos_since(since) < limit;
        if !fit {
            self.returned_from_cache(slot, since);
        } else if self.goes_wrong() && self.random.u8(..4) == 0 {
            self.state.broken(slot, self.now);
            self.world.closing.push(slot);
        } else {
            self.holder_changed += 1;
            self.lease(slot);
            let since = self.now;
            let stamp = Stamp { since, ..stamp };
            *self.world.record_mut(slot) = Some(Record { stamp, caller });
            return true;
        }
        self.obey();
        false
    }

    fn returned_from_cache(&mut self, slot: SlotId, since: Timestamp) {
        let placement = self.state.returned_from_cache(slot, since, self.now);
        self.put(slot, placement);
    }

    /// Returns whether any connection was cached.
    fn flush_cache(&mut self) -> bool {
        let all = std::mem::take(&mut self.world.cache);
        for Cached { slot, since, .. } in &all {
            self.returned_from_cache(*slot, *since);
        }
        !all.is_empty()
    }

    /// Before a caller waits.
    pub(super) fn close_cache(&mut self) -> bool {
        if !self.world.epoch.is_open() {
            return false;
        }
        self.world.epoch = self.world.epoch.closed();
        self.flush_cache()
    }

    /// Before the state machine is asked for the holders.
    pub(super) fn reconcile(&mut self) {
        self.flush_cache();
        for slot in self.world.leased.clone() {
            let Record { stamp, caller } = *self.world.record(slot);
            let known = self.state.leased_since(slot);
            if known.is_some_and(|known| stamp.since >= known) {
                self.state.holder_changed(slot, caller, stamp.since);
            }
        }
    }

    /// After each event.
    pub(super) fn publish_epoch(&mut self) {
        let (old, new) = (self.world.epoch, self.state.epoch());
        if old != new {
            self.world.epoch = new;
            if old.is_open() {
                self.flush_cache();
            }
        }
    }

    /// A caller asks for the numbers and the holders.
    pub(super) fn look(&mut self) {
        self.reconcile();
        self.verify_holders();
        let snapshot = self.state.snapshot();
        let (counts, free) = (&self.state.counts, self.state.lanes.free());
        assert_eq!(
            snapshot.idle,
            counts.idle + free,
            "cached connections are idle"
        );
        let in_use = counts.checking + counts.resetting + counts.lanes - free;
        assert_eq!(
            snapshot.in_use,
            in_use + self.world.leased.len(),
            "who holds one uses it"
        );
    }

    /// Compares with the current holders, not with those that the state machine knew last.
    pub(super) fn verify_holders(&self) {
        let holders = self.state.holders(self.now);
        assert!(holders.is_sorted_by(|one, next| one.held >= next.held));
        let known = holders.iter().map(|one| (one.held, one.caller.line()));
        let mut known: Vec<_> = known.collect();
        known.sort_unstable();
        assert_eq!(known, self.world.holders(self.now), "the latest holders");
    }

    pub(super) fn verify_cache(&self) {
        let (state, world) = (&self.state, &self.world);
        if world.epoch.is_open() {
            assert_eq!(
                world.epoch,
                state.epoch(),
                "the epoch is open and should not be"
            );
        }
        for one in &world.cache {
            assert!(world.waiting.is_empty(), "{one:?}, while somebody waits");
            assert!(world.epoch.is_open(), "{one:?}, and nobody may take it");
            assert_eq!(one.epoch, world.epoch, "{one:?}, of an earlier epoch");
            assert!(state.is_current(one.slot), "{one:?}, and is stale");
            assert!(!world.leased.contains(&one.slot), "{one:?}, and is held");
        }
    }
}
