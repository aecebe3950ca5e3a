use std::panic::Location;

use super::{Phase, Placement, SlotId, State};
use crate::moment::Moment;
use crate::pass::{Pass, Terms};

/// A connection on standby counts as leased here: its lease goes on with another holder. So
/// nothing that is decided depends on standby, as long as the shell does three things:
/// - Before anybody waits, it closes the pass and brings back all that is on standby.
/// - It brings them back when the pass has changed.
/// - Before the state machine is asked who holds what, it is told of `renewed` leases.
impl State {
    /// The pass as of now.
    pub(crate) fn pass(&self) -> Pass {
        let open = self.stands_by
            && !self.closing
            && !self.paused
            && self.queue.len() == 0
            && self.census.open() <= self.bounds.max as usize;
        Pass::after(self.recalls, open)
    }

    /// The terms of a lease that begins now.
    pub(crate) fn terms(&self, slot: SlotId, now: Moment) -> Terms {
        Terms {
            pass: Pass::after(self.recalls, true),
            since: now,
            expires_at: self.slot(slot).expires_at,
        }
    }

    /// All connections go through the state machine, as where something is to be done with
    /// each before the next caller has it.
    pub(crate) fn forbid_standby(&mut self) {
        self.stands_by = false;
    }

    /// From how many nanoseconds without a sign of life on a connection is tested before it is
    /// leased out; `None`: never.
    pub(crate) fn check_after(&self) -> Option<u64> {
        self.rules.check_after
    }

    /// A lease has gone from holder to holder; the latest has it since then.
    pub(crate) fn renewed(
        &mut self,
        slot: SlotId,
        place: &'static Location<'static>,
        since: Moment,
    ) {
        debug_assert!(matches!(self.slot(slot).phase, Phase::Leased { .. }));
        self.slot_mut(slot).phase = Phase::Leased { since, place };
    }

    /// A connection came back at `since` and was on standby.
    pub(crate) fn came_back(&mut self, slot: SlotId, since: Moment, now: Moment) -> Placement {
        self.slot_mut(slot).verified = since;
        let check = self.is_check_due(slot, now);
        self.place(slot, since, now, check)
    }

    /// Since when this slot is leased, as far as is known here; `None` where it is not.
    pub(crate) fn leased_since(&self, slot: SlotId) -> Option<Moment> {
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
    pub(super) fn recall(&mut self) {
        self.recalls += 1;
    }
}
