use std::time::Duration;

use super::{Action, Backoff, SlotId, State};
use crate::options::Bounds;
use crate::timestamp::Timestamp;

/// Minimum time between two reports that a connection leads to the wrong server.
const MARK_STALE_INTERVAL: Duration = Duration::from_secs(1);

impl State {
    /// Makes all connections stale: idle ones are closed now, leased ones when they are returned,
    /// and those being opened when they are open.
    pub(crate) fn invalidate(&mut self, now: Timestamp) {
        self.generation += 1;
        self.advance_epoch();
        self.close_all_idle();
        self.retire_lanes(now);
        self.plan(now);
    }

    /// Like `invalidate`, and forgets earlier failures, which say nothing about the new connector.
    pub(crate) fn replaced(&mut self, now: Timestamp) {
        self.backoff = Backoff::default();
        self.invalidate(now);
        self.actions.push_back(Action::Reschedule);
    }

    /// A connection leads to the wrong server, for example because the server behind it has become
    /// a replica, and so do all connections of the same generation. Returns whether they are stale
    /// now. This happens at most once a second, since many callers find it at the same time, and
    /// the server may stay a replica.
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

    /// Changes the bounds. Surplus connections are closed, the longest idle first; those in use
    /// when they are returned.
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

    /// Stops leasing and closes connections as they are returned. Does nothing the second time.
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

    /// Whether the pool is closed and all its connections are gone.
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
