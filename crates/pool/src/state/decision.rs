use std::time::Duration;

use super::slot::SlotId;
use super::snapshot::Holder;

/// An action for the shell, apart from the result of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Open a connection for this slot. Then call `connected`, `connect_failed` or, if the pool
    /// closes or the attempt is stale, `connect_canceled`.
    Connect(SlotId),
    /// Close the idle connection in this slot. Then call `closed`.
    Close(SlotId),
    /// Check the idle connection in this slot. Then call `checked`.
    Check(SlotId),
    /// Deliver the failure to connect to the waiter with this cell; it was the `attempts`-th
    /// attempt.
    Fail { cell: u32, attempts: u32 },
    /// Deliver a timeout to the waiter with this cell. `waiting` callers were waiting then, perhaps
    /// for an attempt to connect.
    Expire {
        cell: u32,
        waiting: usize,
        awaits_connect: bool,
    },
    /// Deliver a seat in the lane in this slot to the waiter with this cell.
    Seat { cell: u32, slot: SlotId },
    /// The lane in this slot is empty and has ended: return its connection.
    ReturnLane(SlotId),
    /// Make all callers with a seat in this lane leave it: it is stuck.
    Rescue(SlotId),
    /// Deliver to the waiter with this cell that the pool is closed.
    Refuse { cell: u32 },
    /// Cancel all attempts to connect.
    CancelConnects,
    /// Deliver the connection of this slot, which was idle and is leased now, to the waiter with
    /// this cell, which tests it first if `check`.
    Handoff {
        slot: SlotId,
        cell: u32,
        check: bool,
    },
    /// Deliver to the waiter with this cell that its wait was canceled, because the pool has been
    /// overloaded for this long.
    Shed { cell: u32, overload: Duration },
    /// Report that this lease is held for too long.
    ReportLeak(Holder),
    /// The result of `next_due` may have become earlier.
    Reschedule,
    /// The pool is closed and all its connections are gone.
    Drained,
}

/// The result of `acquire`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acquisition {
    /// Leased; to be tested first if `check`.
    Ready { slot: SlotId, check: bool },
    /// No connection is free, or others come first: call `enqueue`.
    Wait,
    /// The pool is closed.
    Closed,
}

/// The decision about a connection that is ready for use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// It stays in the pool, idle.
    Keep,
    /// It is now leased to the waiter with this cell, which tests it first if `check`.
    Handoff { cell: u32, check: bool },
    /// It is no longer needed: close it, then call `closed`.
    Close,
}
