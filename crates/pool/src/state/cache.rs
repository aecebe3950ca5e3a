use std::panic::Location;

use super::{Phase, Placement, SlotId, State};
use crate::fast::epoch::{Epoch, Stamp};
use crate::timestamp::Timestamp;

/// A cached connection counts as leased here: its lease goes on with another holder. No decision
/// depends on the cache, as long as the shell does three things:
/// - Before anybody waits, it closes the epoch and empties the cache.
/// - It empties the cache when the epoch has changed.
/// - Before the state machine is asked who holds what, it is told about changed holders.
impl State {
    /// The present epoch.
    pub(crate) fn epoch(&self) -> Epoch {
        let open = self.queue.len() == 0
            && self.cache_enabled
            && !self.closing
            && !self.paused
            && self.counts.open() <= self.bounds.max as usize;
        Epoch::new(self.epoch, open)
    }

    /// The stamp of a lease that begins now.
    pub(crate) fn stamp(&self, slot: SlotId, check: bool, now: Timestamp) -> Stamp {
        Stamp {
            epoch: Epoch::new(self.epoch, true),
            since: now,
            expires_at: self.slot(slot).expires_at,
            generation: self.generation,
            check,
        }
    }

    /// Has all connections go through the state machine, as when a hook runs on each before the
    /// next caller gets it.
    pub(crate) fn disable_cache(&mut self) {
        self.cache_enabled = false;
    }

    /// Number of nanoseconds without a sign of life after which a connection is tested before it is
    /// leased; `None` for never.
    pub(crate) fn check_after(&self) -> Option<u64> {
        self.policy.check_after
    }

    /// A lease has gone from holder to holder; the latest has held it since then.
    pub(crate) fn holder_changed(
        &mut self,
        slot: SlotId,
        caller: &'static Location<'static>,
        since: Timestamp,
    ) {
        debug_assert!(matches!(self.slot(slot).phase, Phase::Leased { .. }));
        self.slot_mut(slot).phase = Phase::Leased { since, caller };
    }

    /// A connection was returned at `since`, and taken out of the cache now.
    pub(crate) fn returned_from_cache(
        &mut self,
        slot: SlotId,
        since: Timestamp,
        now: Timestamp,
    ) -> Placement {
        self.slot_mut(slot).verified = since;
        let check = self.is_check_due(slot, now);
        self.assign(slot, since, now, check)
    }

    /// Since when this slot is leased, as far as is known here; `None` if it is not.
    pub(crate) fn leased_since(&self, slot: SlotId) -> Option<Timestamp> {
        match self.slot(slot).phase {
            Phase::Leased { since, .. } => Some(since),
            _ => None,
        }
    }

    /// All slots there ever were.
    pub(crate) fn slots(&self) -> impl Iterator<Item = SlotId> + use<> {
        (0..self.slots.len() as u32).map(SlotId)
    }

    /// Has all leased connections examined when they are returned.
    pub(super) fn advance_epoch(&mut self) {
        self.epoch += 1;
    }
}
