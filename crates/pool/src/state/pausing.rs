use super::{Action, State};
use crate::timestamp::Timestamp;

impl State {
    /// Leases nothing until `resume`. New callers wait, in order; returned connections stay idle;
    /// the minimum is kept filled, but nothing is opened for waiters.
    pub(crate) fn pause(&mut self, now: Timestamp) {
        self.paused = true;
        self.advance_epoch();
        self.overload.restart(None);
        self.retire_lanes(now);
    }

    /// Leases again, to the callers that have waited longest.
    pub(crate) fn resume(&mut self, now: Timestamp) {
        if !self.paused {
            return;
        }
        self.paused = false;
        while self.queue.len() > 0
            && let Some(slot) = self.idle.pop()
        {
            if self.slot(slot).expires_at <= now {
                self.actions.push_back(Action::Close(slot));
                self.retire(slot, now);
                continue;
            }
            let check = self.is_check_due(slot, now);
            if let Some(cell) = self.serve_oldest(slot, now) {
                self.actions
                    .push_back(Action::Handoff { slot, cell, check });
            }
        }
        if self.queue.len() > 0 {
            self.note_waiting(now);
        }
        self.plan(now);
        self.actions.push_back(Action::Reschedule);
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused
    }

    /// Number of waiters to open connections for: 0 while the pool is paused.
    pub(super) fn demand(&self) -> usize {
        if self.paused { 0 } else { self.queue.len() }
    }
}
