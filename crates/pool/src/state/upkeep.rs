use super::{Action, Phase, Replacement, SlotId, Snapshot, State};
use crate::timestamp::Timestamp;

impl State {
    /// Does everything that is due by `now`. The caller asks `next_due` afterwards, so it gets no
    /// action to do so.
    pub(crate) fn upkeep(&mut self, now: Timestamp) {
        if self.closing {
            return;
        }
        self.expire_waiters(now);
        self.close_expired(now);
        self.close_long_idle(now);
        self.check_idle(now);
        self.mark_old(now);
        self.rescue_stuck(now);
        self.retire_lanes(now);
        self.report_leaks(now);
        self.shed(now);
        self.plan(now);
        self.actions.retain(|action| *action != Action::Reschedule);
    }

    /// Latest time at which `upkeep` has something to do next. It is never later than the time at
    /// which a connection returned from now on could be due, so that returning a connection does
    /// not have to wake the task that sleeps until then.
    pub(crate) fn next_due(&mut self, now: Timestamp) -> Timestamp {
        self.planned = self.due(now);
        self.planned
    }

    /// Ensures that `upkeep` is called at `due` or earlier.
    pub(super) fn call_by(&mut self, due: Timestamp) {
        if due < self.planned {
            self.planned = due;
            self.actions.push_back(Action::Reschedule);
        }
    }

    pub(super) fn due(&self, now: Timestamp) -> Timestamp {
        let pause = self.policy.idle_timeout.min(self.policy.check_interval);
        let mut due = now.after(pause.min(self.policy.leak_threshold.unwrap_or(pause)));
        if self.closing {
            return due;
        }
        if let Some(rule) = self.policy.shedding {
            let looked_at = now.after(rule.interval);
            due = due.min(self.shed_due().unwrap_or(looked_at).min(looked_at));
        }
        if let Some(leak) = self.leak_due() {
            due = due.min(leak);
        }
        if self.kept() > self.bounds.min as usize
            && let Some(oldest) = self.idle.first()
        {
            due = due.min(self.idle_since(*oldest).after(self.policy.idle_timeout));
        }
        for slot in &self.idle {
            let entry = self.slot(*slot);
            due = due.min(entry.expires_at);
            if self.counts.checking < self.policy.max_connecting {
                due = due.min(entry.verified.after(self.policy.check_interval));
            }
        }
        for slot in self.slots.iter().filter(|slot| self.is_alive(slot)) {
            if slot.replacement == Replacement::NotDue {
                due = due.min(slot.replace_at);
            }
        }
        due = due.min(self.lanes_due());
        due = due.min(self.queue.earliest_expiry().unwrap_or(Timestamp::NEVER));
        let next_attempt = self.next_attempt();
        if next_attempt > now && self.counts.connecting == 0 && self.needs_connection() {
            due = due.min(next_attempt);
        }
        due
    }

    /// Removes a connection from the idle ones and closes it.
    pub(super) fn close_idle(&mut self, slot: SlotId) {
        self.idle.retain(|other| *other != slot);
        self.enter(slot, Phase::Closing { counted: true });
        self.actions.push_back(Action::Close(slot));
    }

    fn expire_waiters(&mut self, now: Timestamp) {
        if self.queue.earliest_expiry().is_none_or(|first| first > now) {
            return;
        }
        let Snapshot {
            waiting,
            awaits_connect,
            ..
        } = self.snapshot();
        for waiter in self.queue.take_expired(now) {
            self.actions.push_back(Action::Expire {
                cell: waiter.cell,
                waiting,
                awaits_connect,
            });
        }
        self.note_left();
    }

    fn close_expired(&mut self, now: Timestamp) {
        let expired: Vec<SlotId> = self
            .idle
            .iter()
            .copied()
            .filter(|slot| self.slot(*slot).expires_at <= now)
            .collect();
        for slot in expired {
            self.close_idle(slot);
        }
    }

    fn close_long_idle(&mut self, now: Timestamp) {
        while self.kept() > self.bounds.min as usize
            && let Some(oldest) = self.idle.first().copied()
            && now.since(self.idle_since(oldest)) >= self.policy.idle_timeout
        {
            self.close_idle(oldest);
        }
    }

    /// Checks idle connections, a few at a time, so that the others can be leased.
    fn check_idle(&mut self, now: Timestamp) {
        while self.counts.checking < self.policy.max_connecting {
            let is_due =
                |slot: &SlotId| now.since(self.slot(*slot).verified) >= self.policy.check_interval;
            let Some(at) = self.idle.iter().position(is_due) else {
                break;
            };
            let slot = self.idle.remove(at);
            let idle_since = self.idle_since(slot);
            self.enter(slot, Phase::Checking { idle_since });
            self.actions.push_back(Action::Check(slot));
        }
    }

    fn mark_old(&mut self, now: Timestamp) {
        for index in 0..self.slots.len() {
            let slot = &self.slots[index];
            let is_old = slot.replace_at <= now && slot.replacement == Replacement::NotDue;
            if is_old && self.is_alive(slot) {
                self.slots[index].replacement = Replacement::Due;
            }
        }
    }
}
