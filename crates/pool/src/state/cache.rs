use std::panic::Location;

use super::{Phase, Placement, SlotId, State};
use crate::fast::epoch::{Epoch, Stamp};
use crate::timestamp::Timestamp;

/// A cached connection counts as leased here: its lease continues with another holder. No decision
/// depends on the cache, as long as the shell does three things:
/// - Before a caller waits, it closes the epoch and empties the cache.
/// - It empties the cache when the epoch has changed.
/// - Before it asks the state machine for the holders, it reports changed holders.
impl State {
    /// The current epoch.
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

    /// Makes all connections go through the state machine, for example because a hook runs on each
    /// before the next caller gets it.
    pub(crate) fn disable_cache(&mut self) {
        self.cache_enabled = false;
    }

    /// Number of nanoseconds without a sign of life after which a connection is tested before it is
    /// leased; `None` for never.
    pub(crate) fn check_after(&self) -> Option<u64> {
        self.policy.check_after
    }

    /// A lease has gone from holder to holder; the latest has held it since `since`.
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

    /// The time since which this slot is leased, as far as the state machine knows; `None` if it is
    /// not leased.
    pub(crate) fn leased_since(&self, slot: SlotId) -> Option<Timestamp> {
        match self.slot(slot).phase {
            Phase::Leased { since, .. } => Some(since),
            _ => None,
        }
    }

    /// All slots that were ever used.
    pub(crate) fn slots(&self) -> impl Iterator<Item = SlotId> + use<> {
        (0..self.slots.len() as u32).map(SlotId)
    }

    /// Makes the state machine examine all leased connections when they are returned.
    pub(super) fn advance_epoch(&mut self) {
        self.epoch += 1;
    }
}
