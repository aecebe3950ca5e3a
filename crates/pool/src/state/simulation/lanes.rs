//! The actions of callers that share connections.

use super::*;

impl Run {
    pub(super) fn share(&mut self) {
        if self.state.would_share_work(self.now) {
            self.close_cache();
        }
        match self.state.join(self.now) {
            Some(slot) => self.sit(slot),
            None => {
                let ticket = self.state.issue_ticket();
                self.acquire_as(ticket, true);
            }
        }
    }

    pub(super) fn sit(&mut self, slot: SlotId) {
        assert!(self.state.is_current(slot), "a stale lane was joined");
        assert!(!self.state.closing, "a lane of a closed pool was joined");
        self.seated += 1;
        self.world.seats.push((slot, self.now));
    }

    /// A lease whose caller would share it.
    pub(super) fn offer(&mut self, slot: SlotId) {
        if self.state.offer_lane(slot, self.now) {
            self.world.leased.retain(|other| *other != slot);
            self.sit(slot);
        }
    }

    pub(super) fn leave_seat(&mut self) {
        if self.world.seats.is_empty() {
            return;
        }
        let nth = self.random.usize(..self.world.seats.len());
        let (slot, joined) = self.world.seats.swap_remove(nth);
        let end = match self.random.u8(..20) {
            0 => End::Abandoned,
            1 if self.goes_wrong() => End::Lost,
            _ => End::Answered,
        };
        self.leave(slot, joined, end);
    }

    pub(super) fn leave(&mut self, slot: SlotId, joined: Timestamp, end: End) {
        let left = self.state.left(slot, joined, end, self.now);
        assert!(
            left.took <= self.now.since(joined),
            "a statement took longer than it was there"
        );
        if left.ended {
            self.world.returning.push(slot);
        }
    }

    pub(super) fn return_lane(&mut self) {
        if let Some(slot) = self.any(|world| &mut world.returning) {
            self.come_back(slot);
        }
    }
}
