use std::time::Duration;

use super::{Action, Phase, Placement, Replacement, Slot, SlotId, State};
use crate::timestamp::Timestamp;

/// Minimum lifetime of a connection, as a share of the maximum lifetime.
const SHORTEST_LIFE: f64 = 0.8;

/// The consequences of a failed attempt to connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AfterFailure {
    /// Number of failed attempts since the last success; simultaneous ones count once.
    pub(crate) failures: u32,
    /// Number of waiters that get the failure because it was their last attempt.
    pub(crate) failed_waiters: usize,
    /// Time until the next attempt begins; `None` if no attempt is needed.
    pub(crate) retry_in: Option<Duration>,
}

/// The purpose of a further connection.
enum Need {
    Plain,
    Successor { of: SlotId },
}

/// Total time during which a condition held.
#[derive(Debug, Default)]
pub(crate) struct Stopwatch {
    total: Duration,
    running_since: Option<Timestamp>,
}

impl Stopwatch {
    /// Sets whether the condition holds from now on.
    pub(crate) fn set(&mut self, running: bool, now: Timestamp) {
        match (self.running_since, running) {
            (None, true) => self.running_since = Some(now),
            (Some(since), false) => {
                self.total += now.since(since);
                self.running_since = None;
            }
            _ => {}
        }
    }

    /// The total up to now.
    pub(crate) fn total(&self, now: Timestamp) -> Duration {
        self.total
            + self
                .running_since
                .map_or(Duration::ZERO, |since| now.since(since))
    }
}

impl State {
    /// Begins as many attempts to connect as are needed and allowed now.
    pub(super) fn plan(&mut self, now: Timestamp) {
        while let Some(need) = self.next_need() {
            // While attempts fail, one at a time tests whether connecting works again.
            let failing = self.backoff.is_failing();
            let at_once = if failing {
                1
            } else {
                self.policy.max_connecting
            };
            if self.counts.connecting >= at_once {
                break;
            }
            if self.next_attempt() > now {
                self.actions.push_back(Action::Reschedule);
                break;
            }
            self.totals.retries += u64::from(failing);
            self.begin_connect(need, now);
        }
        self.note_connecting(now);
    }

    /// A connection was opened. `random` in 0..1 chooses its lifetime.
    pub(crate) fn connected(&mut self, slot: SlotId, now: Timestamp, random: f64) -> Placement {
        self.backoff.succeeded();
        self.totals.opened += 1;
        if let Phase::Connecting { since, .. } = self.slot(slot).phase {
            self.totals.create.record(now.nanos_since(since));
        }
        let share = SHORTEST_LIFE + (1.0 - SHORTEST_LIFE) * random;
        let expires_at = match now.after(self.policy.max_lifetime) {
            Timestamp::NEVER => Timestamp::NEVER,
            latest => now.after(latest.since(now).mul_f64(share)),
        };
        let replace_before = self.policy.replace_before;
        let entry = self.slot_mut(slot);
        entry.verified = now;
        entry.expires_at = expires_at;
        entry.replace_at = match expires_at {
            Timestamp::NEVER => Timestamp::NEVER,
            at => now.after(at.since(now).saturating_sub(replace_before)),
        };
        self.retire_predecessor(slot, now);
        let placement = self.assign(slot, now, now, false);
        self.plan(now);
        self.actions.push_back(Action::Reschedule);
        placement
    }

    /// An attempt to connect failed. `permanent`: another attempt would fail the same way. `random`
    /// in 0..1 chooses the jitter of the waits.
    pub(crate) fn connect_failed(
        &mut self,
        slot: SlotId,
        permanent: bool,
        now: Timestamp,
        random: f64,
    ) -> AfterFailure {
        let Phase::Connecting {
            since: began,
            failures_before,
        } = self.slot(slot).phase
        else {
            debug_assert!(false, "only an attempt under way can fail");
            return AfterFailure {
                failures: 0,
                failed_waiters: 0,
                retry_in: None,
            };
        };
        self.totals.connection_errors += 1;
        if !self.is_current(slot) {
            // The attempt used a connector that has been replaced, so its failure concerns no
            // waiter.
            self.connect_canceled(slot, now);
            return AfterFailure {
                failures: self.backoff.streak(),
                failed_waiters: 0,
                retry_in: None,
            };
        }
        self.forget_attempt(slot);
        let retry = self.policy.retry;
        self.backoff
            .failed(failures_before, now, permanent, &retry, random);
        // Each attempt that is still in progress serves one waiter, the oldest first; the failure
        // concerns only the waiters behind them.
        let from = match (self.paused, permanent) {
            // No attempt is made on behalf of a caller.
            (true, _) => usize::MAX,
            (false, true) => 0,
            (false, false) => self.counts.connecting,
        };
        let failed = self.queue.take_used_up(from, |waiter| {
            let used_up = waiter.is_used_up_by(began, now, |n| retry.wait(n, random));
            used_up || permanent
        });
        self.note_left();
        for waiter in &failed {
            self.actions.push_back(Action::Fail {
                cell: waiter.cell,
                attempts: waiter.failures,
            });
        }
        self.plan(now);
        self.actions.push_back(Action::Reschedule);
        self.note_drained();
        AfterFailure {
            failures: self.backoff.streak(),
            failed_waiters: failed.len(),
            retry_in: self.next_need().map(|_| self.next_attempt().since(now)),
        }
    }

    /// An attempt to connect was canceled because the pool closes or its connections are stale.
    pub(crate) fn connect_canceled(&mut self, slot: SlotId, now: Timestamp) {
        self.forget_attempt(slot);
        self.plan(now);
        self.note_drained();
    }

    /// The time at which the next attempt may begin.
    pub(super) fn next_attempt(&self) -> Timestamp {
        let due = self.queue.earliest_due().filter(|_| !self.paused);
        self.backoff.next_attempt(due)
    }

    /// The purpose of the next attempt, within the bounds.
    fn next_need(&self) -> Option<Need> {
        let size = self.counts.size();
        if self.closing || self.lazy || size >= self.bounds.limit() {
            return None;
        }
        if self.counts.connecting < self.demand() {
            return Some(Need::Plain);
        }
        if size >= self.bounds.max as usize {
            return None;
        }
        let for_lanes = self.lanes.wants_another && self.counts.connecting == 0;
        if for_lanes || self.kept() < self.bounds.min as usize {
            return Some(Need::Plain);
        }
        let due = |slot: &Slot| self.is_alive(slot) && slot.replacement == Replacement::Due;
        let of = self.slots.iter().position(due)?;
        Some(Need::Successor {
            of: SlotId(of as u32),
        })
    }

    /// Number of connections after successors have replaced the old ones. The minimum is compared
    /// with this number.
    pub(super) fn kept(&self) -> usize {
        let replaced = |slot: &&Slot| {
            self.is_alive(slot) && matches!(slot.replacement, Replacement::Underway(_))
        };
        self.counts.open() - self.slots.iter().filter(replaced).count()
    }

    pub(super) fn needs_connection(&self) -> bool {
        self.next_need().is_some()
    }

    /// Whether this is an open connection of the current generation.
    pub(super) fn is_alive(&self, slot: &Slot) -> bool {
        let open = matches!(
            slot.phase,
            Phase::Idle { .. }
                | Phase::Checking { .. }
                | Phase::Leased { .. }
                | Phase::Lane { .. }
                | Phase::Resetting
        );
        open && slot.generation == self.generation
    }

    fn begin_connect(&mut self, need: Need, now: Timestamp) {
        let slot = self.vacant.pop().unwrap_or_else(|| {
            self.slots.push(Slot::VACANT);
            SlotId((self.slots.len() - 1) as u32)
        });
        self.lanes.wants_another = false;
        let failures_before = self.backoff.streak();
        self.enter(
            slot,
            Phase::Connecting {
                since: now,
                failures_before,
            },
        );
        self.slot_mut(slot).generation = self.generation;
        if let Need::Successor { of } = need {
            self.slot_mut(of).replacement = Replacement::Underway(slot);
        }
        self.actions.push_back(Action::Connect(slot));
    }

    /// Closes the predecessor of the connection in `slot`, or has it closed on return.
    fn retire_predecessor(&mut self, slot: SlotId, now: Timestamp) {
        let Some(old) = self.predecessor_of(slot) else {
            return;
        };
        let entry = self.slot_mut(old);
        entry.replacement = Replacement::Done;
        entry.expires_at = now;
        match entry.phase {
            Phase::Idle { .. } => self.close_idle(old),
            Phase::Lane { .. } => self.retire_lanes(now),
            Phase::Leased { .. } => self.advance_epoch(),
            _ => {}
        }
    }

    fn forget_attempt(&mut self, slot: SlotId) {
        if let Some(old) = self.predecessor_of(slot) {
            self.slot_mut(old).replacement = Replacement::Due;
        }
        self.vacate(slot);
    }

    fn predecessor_of(&self, slot: SlotId) -> Option<SlotId> {
        let succeeded = |old: &Slot| old.replacement == Replacement::Underway(slot);
        let old = self.slots.iter().position(succeeded)?;
        Some(SlotId(old as u32))
    }

    fn note_connecting(&mut self, now: Timestamp) {
        let running = self.counts.connecting > 0 || self.backoff.is_failing();
        self.connecting_time.set(running, now);
    }
}
