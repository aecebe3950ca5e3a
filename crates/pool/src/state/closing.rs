use std::time::Duration;

use super::{Action, Backoff, SlotId, State};
use crate::options::Bounds;
use crate::timestamp::Timestamp;

/// Minimum time between two reports that a connection leads to the wrong server.
const MARK_STALE_INTERVAL: Duration = Duration::from_secs(1);

impl State {
    /// Makes all connections stale: idle ones are closed now, the others when they come
    /// back, and those being opened when they are there.
    pub(crate) fn invalidate(&mut self, now: Timestamp) {
        self.generation += 1;
        self.advance_epoch();
        self.close_all_idle();
        self.retire_lanes(now);
        self.plan(now);
    }

    /// As `invalidate`, and what failed before says nothing of what is tried from now on.
    pub(crate) fn replaced(&mut self, now: Timestamp) {
        self.backoff = Backoff::default();
        self.invalidate(now);
        self.actions.push_back(Action::Reschedule);
    }

    /// A connection leads elsewhere than it should, as when the server behind it has become a
    /// replica: so do those of the same generation. Gives whether they are stale now. Those
    /// who find it at the same time, and a server that stays as it is, make it once a second.
    pub(crate) fn mark_stale(&mut self, slot: SlotId, now: Timestamp) -> bool {
        let again = self
            .marked_stale_at
            .is_some_and(|at| now.since(at) < MARK_STALE_INTERVAL);
        let news = self.is_current(slot) && !again;
        if news {
            self.marked_stale_at = Some(now);
            self.invalidate(now);
        }
        news
    }

    /// Changes the bounds. Surplus connections are closed, the longest idle first; those
    /// in use when they come back.
    pub(crate) fn resize(&mut self, bounds: Bounds, now: Timestamp) {
        self.bounds = bounds;
        self.advance_epoch();
        while self.counts.open() > bounds.max as usize
            && let Some(oldest) = self.idle.first().copied()
        {
            self.close_idle(oldest);
        }
        self.retire_lanes(now);
        self.plan(now);
        self.actions.push_back(Action::Reschedule);
    }

    /// Leases nothing out any more and closes what comes back. Does nothing the second time.
    pub(crate) fn drain(&mut self, now: Timestamp) {
        if self.closing {
            return;
        }
        self.closing = true;
        self.advance_epoch();
        while let Some(waiter) = self.queue.pop() {
            self.actions.push_back(Action::Refuse { cell: waiter.cell });
        }
        self.note_left();
        self.close_all_idle();
        self.retire_lanes(now);
        self.actions.push_back(Action::CancelConnects);
        self.note_drained();
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Whether the pool is closed and nothing is left of it.
    pub(crate) fn is_drained(&self) -> bool {
        self.closing && self.counts.is_empty()
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn note_drained(&mut self) {
        if self.is_drained() {
            self.actions.push_back(Action::Drained);
        }
    }

    fn close_all_idle(&mut self) {
        let idle: Vec<SlotId> = self.idle.clone();
        for slot in idle {
            self.close_idle(slot);
        }
    }
}
