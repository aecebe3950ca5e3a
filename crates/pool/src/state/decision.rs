use std::time::Duration;

use super::slot::SlotId;
use super::snapshot::Holder;

/// What the shell has to do, apart from what a call answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Open a connection for this slot; then `connected`, `connect_failed` or, where the
    /// pool closes or the attempt is stale, `connect_cancelled`.
    Connect(SlotId),
    /// Close the idle connection in this slot; then `closed`.
    Close(SlotId),
    /// Ask the idle connection in this slot for a sign of life; then `checked`.
    Check(SlotId),
    /// Tell the waiter with this cell that connecting failed, at its `attempts`-th attempt.
    Fail { cell: u32, attempts: u32 },
    /// Tell the waiter with this cell that its time is up, as one of so many who waited,
    /// perhaps for an attempt to connect.
    Expire {
        cell: u32,
        waiting: usize,
        awaits_connect: bool,
    },
    /// Tell the waiter with this cell that it has a seat in the lane in this slot.
    Seat { cell: u32, slot: SlotId },
    /// The lane in this slot is empty and no lane any more: give its connection back.
    ReturnLane(SlotId),
    /// Tell all who have a seat in this lane to leave it: it is stuck.
    Rescue(SlotId),
    /// Tell the waiter with this cell that the pool is closed.
    Refuse { cell: u32 },
    /// End all attempts to connect.
    CancelConnects,
    /// Give the connection of this slot, which was idle and is leased now, to the waiter
    /// with this cell, who checks it first if `check`.
    Handoff {
        slot: SlotId,
        cell: u32,
        check: bool,
    },
    /// Tell the waiter with this cell that its wait was ended, because the pool has been
    /// overloaded for so long.
    Shed { cell: u32, overload: Duration },
    /// Tell the operator that this lease is held for too long.
    ReportLeak(Holder),
    /// What `next_due` says may have become earlier.
    Reschedule,
    /// The pool is closed and nothing is left of it.
    Drained,
}

/// The answer to `acquire`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acquisition {
    /// Leased; to be checked first if `check`.
    Ready { slot: SlotId, check: bool },
    /// Nothing is free, or others come first: `enqueue`.
    Wait,
    /// The pool is closed.
    Closed,
}

/// What becomes of a connection that is ready for use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// It stays in the pool, idle.
    Keep,
    /// It is now leased to the waiter with this cell, who checks it first if `check`.
    Handoff { cell: u32, check: bool },
    /// It is not wanted any more: close it; then `closed`.
    Close,
}
