use std::panic::Location;

use super::{Phase, Placement, SlotId, State};
use crate::fast::epoch::{Epoch, Stamp};
use crate::timestamp::Timestamp;

/// A connection on standby counts as leased here: its lease goes on with another holder. So
/// nothing that is decided depends on standby, as long as the shell does three things:
/// - Before anybody waits, it closes the pass and brings back all that is on standby.
/// - It brings them back when the pass has changed.
/// - Before the state machine is asked who holds what, it is told of `renewed` leases.
impl State {
    /// The pass as of now.
    pub(crate) fn epoch(&self) -> Epoch {
        let open = self.cache_enabled
            && !self.closing
            && !self.paused
            && self.queue.len() == 0
            && self.counts.open() <= self.bounds.max as usize;
        Epoch::after(self.epoch, open)
    }

    /// The terms of a lease that begins now.
    pub(crate) fn stamp(&self, slot: SlotId, now: Timestamp) -> Stamp {
        Stamp {
            epoch: Epoch::after(self.epoch, true),
            since: now,
            expires_at: self.slot(slot).expires_at,
        }
    }

    /// All connections go through the state machine, as where something is to be done with
    /// each before the next caller has it.
    pub(crate) fn disable_cache(&mut self) {
        self.cache_enabled = false;
    }

    /// From how many nanoseconds without a sign of life on a connection is tested before it is
    /// leased out; `None`: never.
    pub(crate) fn check_after(&self) -> Option<u64> {
        self.policy.check_after
    }

    /// A lease has gone from holder to holder; the latest has it since then.
    pub(crate) fn holder_changed(
        &mut self,
        slot: SlotId,
        caller: &'static Location<'static>,
        since: Timestamp,
    ) {
        debug_assert!(matches!(self.slot(slot).phase, Phase::Leased { .. }));
        self.slot_mut(slot).phase = Phase::Leased { since, caller };
    }

    /// A connection came back at `since` and was on standby.
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

    /// Since when this slot is leased, as far as is known here; `None` where it is not.
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

    /// Has all that is leased out looked at when it comes back.
    pub(super) fn advance_epoch(&mut self) {
        self.epoch += 1;
    }
}
