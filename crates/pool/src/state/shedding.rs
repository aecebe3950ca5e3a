//! Load shedding by CoDel, "controlled delay": K. Nichols and V. Jacobson, "Controlling Queue
//! Delay", ACM Queue 10(5), 2012, as adapted to queues of requests in B. Maurer, "Fail at Scale",
//! ACM Queue 13(8), 2015. While a queue empties now and then, it absorbs a burst, and waits may be
//! long. Once it has not been empty for an interval, it is a standing queue, and a wait past a much
//! shorter target is canceled.
//!
//! Three things differ from Maurer's description. The order stays that of arrival, since a pool
//! promises it. The last waiter is never shed, as CoDel never drops the last packet: a returned
//! connection always finds a caller to serve, so that shedding costs no throughput, and a single
//! waiter behind one slow statement is not overload. And a queue that only shedding has emptied
//! does not show that the overload is over: that takes an interval in which no wait had to be shed,
//! as CoDel also remembers that it was dropping.

use std::time::Duration;

use super::{Action, State};
use crate::timestamp::Timestamp;

/// The time since which the queue has been standing: not empty, and served.
#[derive(Debug, Default)]
pub(super) struct Overload {
    since: Option<Timestamp>,
    empty: bool,
    shed_at: Option<Timestamp>,
}

impl Overload {
    /// A caller begins to wait.
    fn begin(&mut self, interval: Duration, now: Timestamp) {
        let is_shedding = self.shed_at.is_some_and(|at| now.since(at) < interval);
        if self.since.is_none() || self.empty && !is_shedding {
            self.since = Some(now);
        }
        self.empty = false;
    }

    /// No caller waits any more.
    pub(super) fn end(&mut self) {
        self.empty = true;
    }

    /// Serving has stopped, or begins only now for the waiting callers.
    pub(super) fn restart(&mut self, from: Option<Timestamp>) {
        self.since = from;
        self.shed_at = None;
    }
}

impl State {
    /// The time at which the oldest wait passes the target; `None` if nothing is to be shed.
    pub(super) fn shed_due(&self) -> Option<Timestamp> {
        let rule = self.policy.shedding?;
        // If no connection is open, the queue stands because the server cannot be reached. How long
        // callers tolerate that is not a question of load.
        if self.queue.len() < 2 || self.is_cold() {
            return None;
        }
        let overloaded_from = self.overload.since?.after(rule.interval);
        let overdue_from = self.queue.oldest()?.since.after(rule.target);
        Some(overloaded_from.max(overdue_from))
    }

    /// Cancels the waits that have passed the target.
    pub(super) fn shed(&mut self, now: Timestamp) {
        while self.shed_due().is_some_and(|due| due <= now)
            && let Some(waiter) = self.queue.pop()
        {
            self.totals.shed += 1;
            self.overload.shed_at = Some(now);
            let overload = now.since(self.overload.since.unwrap_or(now));
            let cell = waiter.cell;
            self.actions.push_back(Action::Shed { cell, overload });
        }
    }

    /// A connection is ready. If it is the first, the queue has not been served before.
    pub(super) fn note_service(&mut self, now: Timestamp) {
        if self.is_cold() {
            let waited_for = self.queue.len() > 0;
            self.overload.restart(waited_for.then_some(now));
        }
        self.shed(now);
    }

    /// A caller begins to wait, or serving begins again.
    pub(super) fn note_waiting(&mut self, now: Timestamp) {
        if let Some(rule) = self.policy.shedding
            && !self.paused
        {
            self.overload.begin(rule.interval, now);
        }
    }

    /// Whether no connection is open.
    fn is_cold(&self) -> bool {
        self.counts.open() == self.counts.connecting
    }
}

#[cfg(test)]
mod tests;
