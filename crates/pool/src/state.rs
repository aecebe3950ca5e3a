//! The decisions of the pool, without I/O, clock or randomness. The input is an event and its time.
//! The output is what to do: as the result of the call if it concerns the connection that the call
//! is about, and as [`Action`]s otherwise.
//!
//! Invariants, which the simulation checks after each step:
//! - While a caller waits and the pool is not paused, no connection is idle, and an attempt to
//!   connect is in progress or planned, or every permit is in use.
//! - The permits in use never exceed the limit, unless the limit was lowered.
//! - Waiters are served in the order of their tickets.
//! - A leased connection belongs to the current generation.

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

/// The pool's state. The fields that each lease touches come first and together, so that they are
/// on few cache lines.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct State {
    queue: Queue,
    next_ticket: u64,
    /// The idle slots, sorted by the time of their return; the last one is leased next.
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
    /// Whether nothing is opened before the first acquire.
    lazy: bool,
    totals: Totals,
    lanes: Lanes,
    /// Latest time of the next call of `upkeep`.
    planned: Timestamp,
    policy: Policy,
    vacant: Vec<SlotId>,
    backoff: Backoff,
    /// Latest time at which connections were found to lead to the wrong server.
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

    /// Whether there are actions.
    #[inline]
    pub(crate) fn has_actions(&self) -> bool {
        !self.actions.is_empty()
    }

    /// The next action, oldest first.
    pub(crate) fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Issues a place in the order of arrival.
    pub(crate) fn issue_ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        Ticket {
            number: self.next_ticket,
            moved: Timestamp::START,
        }
    }

    /// Issues a place in the order of arrival for a caller that began to wait at another pool at
    /// `since`.
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

    /// A caller wants a connection. It overtakes nobody: while a caller waits, no connection is
    /// idle.
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

    /// Whether the queue has room for a caller that was told to wait. It always has room for a
    /// caller whose place is before that of a caller already waiting.
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

    /// Adds a caller that was told to wait.
    pub(crate) fn enqueue(&mut self, waiter: Waiter, now: Timestamp) {
        self.call_by(waiter.expires);
        self.queue.join(waiter);
        if self.lanes.any() {
            self.retire_lanes(now);
            self.call_by(self.lanes_due());
        }
        self.note_waiting(now);
        // At the limit, no connection can be opened for it.
        if self.counts.size() < self.bounds.limit() {
            self.plan(now);
        }
    }

    /// A waiter has gone away. Returns whether it was still waiting; does nothing if it was already
    /// served.
    pub(crate) fn abandon(&mut self, ticket: Ticket) -> bool {
        let waited = self.queue.leave(ticket).is_some();
        self.note_left();
        waited
    }

    /// Maximum number of waiters; `None` for any number.
    pub(crate) fn most_waiting(&self) -> Option<usize> {
        self.policy.max_waiting
    }

    /// A waiter has gone away because its wait timed out.
    pub(crate) fn timed_out(&mut self) {
        self.totals.timeouts += 1;
    }

    /// A lease was returned, and its connection is ready for the next caller.
    pub(crate) fn returned(&mut self, slot: SlotId, now: Timestamp) -> Placement {
        // A lane without seats may not have been used for a while.
        let since = match self.slot(slot).phase {
            Phase::Lane { since } => since,
            _ => now,
        };
        self.slot_mut(slot).verified = since;
        let check = self.is_check_due(slot, now);
        self.assign(slot, since, now, check)
    }

    /// A connection was handed to a waiter that had gone away: it goes to the next waiter.
    pub(crate) fn unclaimed(&mut self, slot: SlotId, now: Timestamp) -> Placement {
        let check = self.is_check_due(slot, now);
        self.assign(slot, now, now, check)
    }

    /// Whether the connection handed to a waiter is still of the current generation, and the pool
    /// still open, when the waiter fetches the connection.
    pub(crate) fn is_current(&self, slot: SlotId) -> bool {
        self.slot(slot).generation == self.generation
    }

    /// A lease was returned with a session that must be reset. Returns whether to reset it: if
    /// true, call `reset` or `broken` next; if false, close the connection and call `closed`.
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

    /// A check of an idle connection has ended. `None`: the server did not answer; close the
    /// connection, then call `closed`.
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

    /// A connection is lost, in any phase. Close it, then call `closed`.
    pub(crate) fn broken(&mut self, slot: SlotId, now: Timestamp) {
        self.enter(slot, Phase::Closing { counted: false });
        self.plan(now);
    }

    /// A live connection must not be used again, in any phase, because a hook refused it or its
    /// holder closes it. Close it, then call `closed`.
    pub(crate) fn dismissed(&mut self, slot: SlotId, now: Timestamp) {
        self.retire(slot, now);
    }

    /// A leased connection was taken out of the pool permanently.
    pub(crate) fn detached(&mut self, slot: SlotId, now: Timestamp) {
        self.closed(slot, now);
    }

    /// A connection has been closed, or was dropped.
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

    /// Total time spent connecting or waiting for the next attempt.
    pub(crate) fn connecting_time(&self, now: Timestamp) -> Duration {
        self.connecting_time.total(now)
    }

    /// Decides about a connection that is ready and not in the list of idle ones.
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

    /// Leases a connection to the caller that has waited longest, and returns that caller's cell.
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

    /// Updates the state after a waiter has left the queue.
    fn note_left(&mut self) {
        if self.queue.len() == 0 {
            self.overload.end();
        }
    }

    /// Closes a live connection that is no longer needed.
    fn retire(&mut self, slot: SlotId, now: Timestamp) {
        self.enter(slot, Phase::Closing { counted: true });
        self.plan(now);
    }

    /// Whether a connection may be used again.
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
        // The counts do not change from holder to holder.
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
