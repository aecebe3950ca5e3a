//! The decisions of the pool, without I/O, clock or randomness: what happened goes in, with
//! the time at which it did; what to do comes out, as the answer of a call where it
//! concerns the connection that the call is about, and as [`Action`]s where it does not.
//!
//! What always holds, and the simulation checks after each step:
//! - While anybody waits and the pool is not paused, no connection is idle, and an attempt to connect is under way or
//!   planned, or every permit is in use.
//! - The permits in use are never more than the limit, unless that was lowered.
//! - Waiters are served in the order of their tickets.
//! - A connection that is leased out belongs to the current generation.

mod backoff;
mod cache;
mod closing;
mod connecting;
mod decision;
mod lanes;
mod leaks;
mod pausing;
mod policy;
mod queue;
#[cfg(test)]
mod rules;
mod shedding;
#[cfg(test)]
mod simulation;
mod slot;
mod snapshot;
mod upkeep;

use std::collections::VecDeque;
use std::panic::Location;
use std::time::Duration;

use crate::options::Bounds;
use crate::options::PoolOptions;
use crate::timestamp::Timestamp;
use backoff::Backoff;
pub(crate) use backoff::MIN_RETRY_GAP;
pub(crate) use connecting::AfterFailure;
use connecting::Stopwatch;
pub(crate) use decision::{Acquisition, Action, Placement};
pub(crate) use lanes::End;
use lanes::Lanes;
use leaks::Leaks;
use policy::Policy;
use queue::Queue;
pub(crate) use queue::{Ticket, Waiter};
use shedding::Overload;
pub(crate) use slot::SlotId;
use slot::{Phase, PhaseCounts, Replacement, Slot};
pub(crate) use snapshot::{Holder, Snapshot, Totals};
use underpin_core::HealthCheck;

/// The pool's state. What each lease touches comes first and together, so that it is on few
/// cache lines.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct State {
    queue: Queue,
    next_ticket: u64,
    /// The idle slots, sorted by the time of their return; the last one goes out next.
    idle: Vec<SlotId>,
    slots: Vec<Slot>,
    generation: u64,
    counts: PhaseCounts,
    actions: VecDeque<Action>,
    bounds: Bounds,
    closing: bool,
    paused: bool,
    cache_enabled: bool,
    epoch: u64,
    /// Nothing is opened before the first acquire.
    lazy: bool,
    totals: Totals,
    lanes: Lanes,
    /// When `upkeep` is called next, at the latest.
    planned: Timestamp,
    policy: Policy,
    vacant: Vec<SlotId>,
    backoff: Backoff,
    /// When connections were last found to lead elsewhere than they should.
    marked_stale_at: Option<Timestamp>,
    connecting_time: Stopwatch,
    leaks: Leaks,
    overload: Overload,
}

impl State {
    pub(crate) fn new(options: &PoolOptions) -> Self {
        State {
            policy: Policy::of(options),
            bounds: options.bounds(),
            slots: Vec::new(),
            vacant: Vec::new(),
            idle: Vec::new(),
            counts: PhaseCounts::default(),
            lanes: Lanes::default(),
            queue: Queue::default(),
            next_ticket: 0,
            backoff: Backoff::default(),
            generation: 0,
            marked_stale_at: None,
            closing: false,
            lazy: options.lazy,
            actions: VecDeque::new(),
            planned: Timestamp::START,
            totals: Totals::default(),
            connecting_time: Stopwatch::default(),
            leaks: Leaks::default(),
            paused: false,
            cache_enabled: options.health_check != HealthCheck::Always,
            epoch: 0,
            overload: Overload::default(),
        }
    }

    /// Whether there is anything to do.
    #[inline]
    pub(crate) fn has_actions(&self) -> bool {
        !self.actions.is_empty()
    }

    /// What to do next, oldest first.
    pub(crate) fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// A place in the order of arrival.
    pub(crate) fn issue_ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        Ticket {
            number: self.next_ticket,
            moved: Timestamp::START,
        }
    }

    /// A place in the order of arrival for a caller that began to wait at another pool then.
    pub(crate) fn issue_ticket_since(&mut self, since: Timestamp) -> Ticket {
        match self.queue.first_since(since) {
            Some(later) => Ticket {
                number: match later.moved {
                    Timestamp::START => later.number - 1,
                    _ => later.number,
                },
                moved: since.after(Duration::from_nanos(1)),
            },
            None => self.issue_ticket(),
        }
    }

    /// Somebody wants a connection. Nobody is overtaken: while anybody
    /// waits, no connection is idle.
    pub(crate) fn acquire(
        &mut self,
        caller: &'static Location<'static>,
        now: Timestamp,
    ) -> Acquisition {
        if self.closing {
            return Acquisition::Closed;
        }
        if self.lazy {
            self.lazy = false;
        }
        if self.paused {
            return Acquisition::Wait;
        }
        while let Some(slot) = self.idle.pop() {
            if self.slot(slot).expires_at <= now {
                self.actions.push_back(Action::Close(slot));
                self.retire(slot, now);
                continue;
            }
            let check = self.is_check_due(slot, now);
            self.enter(slot, Phase::Leased { since: now, caller });
            return Acquisition::Ready { slot, check };
        }
        Acquisition::Wait
    }

    /// Whether there is room in the queue for who was told to wait. There is for who has a
    /// place before others who wait already.
    pub(crate) fn has_room_for(&mut self, ticket: Ticket) -> bool {
        let room = match self.policy.max_waiting {
            Some(most) => {
                self.queue.len() < most
                    || self.queue.newest().is_some_and(|last| ticket < last.ticket)
            }
            None => true,
        };
        self.totals.turned_away += u64::from(!room);
        room
    }

    /// Who was told to wait does so.
    pub(crate) fn enqueue(&mut self, waiter: Waiter, now: Timestamp) {
        self.call_by(waiter.expires);
        self.queue.join(waiter);
        if self.lanes.any() {
            self.retire_lanes(now);
            self.call_by(self.lanes_due());
        }
        self.note_waiting(now);
        // At the limit nothing can be opened for it.
        if self.counts.size() < self.bounds.limit() {
            self.plan(now);
        }
    }

    /// A waiter has gone away. Gives whether it waited still; does nothing where it was
    /// served already.
    pub(crate) fn abandon(&mut self, ticket: Ticket) -> bool {
        let waited = self.queue.leave(ticket).is_some();
        self.note_left();
        waited
    }

    /// How many may wait; `None` for any number.
    pub(crate) fn most_waiting(&self) -> Option<usize> {
        self.policy.max_waiting
    }

    /// A waiter has gone away because its time was up.
    pub(crate) fn timed_out(&mut self) {
        self.totals.timeouts += 1;
    }

    /// A lease came back with its connection ready for the next.
    pub(crate) fn returned(&mut self, slot: SlotId, now: Timestamp) -> Placement {
        // A lane that nobody had a seat in may not have been used for a while.
        let since = match self.slot(slot).phase {
            Phase::Lane { since } => since,
            _ => now,
        };
        self.slot_mut(slot).verified = since;
        let check = self.is_check_due(slot, now);
        self.assign(slot, since, now, check)
    }

    /// A connection was handed to a waiter who had gone away: it goes to the next.
    pub(crate) fn unclaimed(&mut self, slot: SlotId, now: Timestamp) -> Placement {
        let check = self.is_check_due(slot, now);
        self.assign(slot, now, now, check)
    }

    /// Whether the connection handed to a waiter is still of the current generation, and
    /// the pool open, when the waiter comes to fetch it.
    pub(crate) fn is_current(&self, slot: SlotId) -> bool {
        self.slot(slot).generation == self.generation
    }

    /// A lease came back with a session that has to be reset. Gives whether that is worth
    /// while: true, then `reset` or `broken`; false, close it; then `closed`.
    pub(crate) fn returned_dirty(&mut self, slot: SlotId, now: Timestamp) -> bool {
        let wanted = self.is_wanted(slot, now);
        if wanted {
            self.enter(slot, Phase::Resetting);
        } else {
            self.retire(slot, now);
        }
        wanted
    }

    /// A reset succeeded.
    pub(crate) fn reset(&mut self, slot: SlotId, now: Timestamp) -> Placement {
        self.slot_mut(slot).verified = now;
        self.assign(
            slot,
            now,
            now,
            self.policy.health_check == HealthCheck::Always,
        )
    }

    /// An idle connection has been asked for a sign of life. `None`: it gave none, close
    /// it; then `closed`.
    pub(crate) fn checked(
        &mut self,
        slot: SlotId,
        well: bool,
        now: Timestamp,
    ) -> Option<Placement> {
        self.actions.push_back(Action::Reschedule);
        if !well {
            self.broken(slot, now);
            return None;
        }
        let Phase::Checking { idle_since } = self.slot(slot).phase else {
            debug_assert!(
                false,
                "only a connection that is being checked can be `checked`"
            );
            return None;
        };
        self.slot_mut(slot).verified = now;
        Some(self.assign(slot, idle_since, now, false))
    }

    /// A connection is lost, in whatever phase; close it, then `closed`.
    pub(crate) fn broken(&mut self, slot: SlotId, now: Timestamp) {
        self.enter(slot, Phase::Closing { counted: false });
        self.plan(now);
    }

    /// A sound connection is not to be used again, in whatever phase, as where a hook refuses
    /// it or its holder closes it; close it, then `closed`.
    pub(crate) fn dismissed(&mut self, slot: SlotId, now: Timestamp) {
        self.retire(slot, now);
    }

    /// A lease was taken out of the pool for good.
    pub(crate) fn detached(&mut self, slot: SlotId, now: Timestamp) {
        self.closed(slot, now);
    }

    /// A connection has been closed, or nothing is left of it.
    pub(crate) fn closed(&mut self, slot: SlotId, now: Timestamp) {
        self.totals.closed += 1;
        self.vacate(slot);
        self.plan(now);
        self.note_drained();
    }

    pub(crate) fn bounds(&self) -> Bounds {
        self.bounds
    }

    pub(crate) fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The total of the time spent connecting or waiting for the next attempt.
    pub(crate) fn connecting_time(&self, now: Timestamp) -> Duration {
        self.connecting_time.total(now)
    }

    /// Finds the use for a connection that is ready and not in the list of idle ones.
    fn assign(&mut self, slot: SlotId, since: Timestamp, now: Timestamp, check: bool) -> Placement {
        if !self.is_wanted(slot, now) {
            self.retire(slot, now);
            return Placement::Close;
        }
        self.note_service(now);
        if let Some(cell) = self.serve_oldest(slot, now) {
            return Placement::Handoff { cell, check };
        }
        if self.counts.open() > self.bounds.max as usize {
            self.retire(slot, now);
            return Placement::Close;
        }
        self.enter(slot, Phase::Idle { since });
        let newest = self
            .idle
            .last()
            .is_none_or(|last| self.idle_since(*last) <= since);
        let at = if newest {
            self.idle.len()
        } else {
            self.idle
                .partition_point(|other| self.idle_since(*other) <= since)
        };
        self.idle.insert(at, slot);
        Placement::Keep
    }

    /// Leases a connection to who has waited longest, and gives that caller's cell.
    fn serve_oldest(&mut self, slot: SlotId, now: Timestamp) -> Option<u32> {
        if self.paused {
            return None;
        }
        let waiter = self.queue.pop()?;
        self.note_left();
        let caller = waiter.caller;
        self.enter(slot, Phase::Leased { since: now, caller });
        Some(waiter.cell)
    }

    /// Somebody has left the queue.
    fn note_left(&mut self) {
        if self.queue.len() == 0 {
            self.overload.end();
        }
    }

    /// Gives up a connection that is sound, but not wanted any more.
    fn retire(&mut self, slot: SlotId, now: Timestamp) {
        self.enter(slot, Phase::Closing { counted: true });
        self.plan(now);
    }

    /// Whether a connection may be used again at all.
    fn is_wanted(&self, slot: SlotId, now: Timestamp) -> bool {
        !self.closing
            && self.is_current(slot)
            && now < self.slot(slot).expires_at
            && self.counts.open() <= self.bounds.limit()
    }

    fn is_check_due(&self, slot: SlotId, now: Timestamp) -> bool {
        self.policy
            .check_after
            .is_some_and(|limit| now.nanos_since(self.slot(slot).verified) >= limit)
    }

    fn idle_since(&self, slot: SlotId) -> Timestamp {
        match self.slot(slot).phase {
            Phase::Idle { since } => since,
            _ => Timestamp::START,
        }
    }

    fn slot(&self, slot: SlotId) -> &Slot {
        &self.slots[slot.index()]
    }

    fn slot_mut(&mut self, slot: SlotId) -> &mut Slot {
        &mut self.slots[slot.index()]
    }

    fn enter(&mut self, slot: SlotId, phase: Phase) {
        let entry = &mut self.slots[slot.index()];
        // From holder to holder nothing changes in number.
        let passed_on = matches!(
            (entry.phase, phase),
            (Phase::Leased { .. }, Phase::Leased { .. })
        );
        if !passed_on {
            self.counts.leave(entry.phase);
            self.counts.enter(phase);
        }
        entry.phase = phase;
    }

    fn vacate(&mut self, slot: SlotId) {
        self.enter(slot, Phase::Vacant);
        *self.slot_mut(slot) = Slot::VACANT;
        self.vacant.push(slot);
    }
}
