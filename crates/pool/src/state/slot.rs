use std::panic::Location;

use crate::timestamp::Timestamp;

/// One permit of the pool and what it is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SlotId(pub(crate) u32);

impl SlotId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The state machine's knowledge about a connection.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub(crate) struct Slot {
    pub(crate) phase: Phase,
    /// The pool's generation when the attempt to connect began.
    pub(crate) generation: u64,
    /// Time from which it is no longer leased.
    pub(crate) expires_at: Timestamp,
    /// Latest time at which it was known to work.
    pub(crate) verified: Timestamp,
    /// Time from which a successor is wanted.
    pub(crate) replace_at: Timestamp,
    pub(crate) replacement: Replacement,
}

impl Slot {
    pub(crate) const VACANT: Slot = Slot {
        phase: Phase::Vacant,
        generation: 0,
        replace_at: Timestamp::NEVER,
        expires_at: Timestamp::NEVER,
        verified: Timestamp::START,
        replacement: Replacement::NotDue,
    };
}

/// The use of a slot.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Phase {
    /// No connection. Exits to `Connecting`, when a connection is needed.
    Vacant,
    /// A connection is being opened. Exits to `Leased` (on success, if a caller waits), `Idle` (on
    /// success), `Closing` (on success, but no longer needed) or `Vacant` (on failure, or when the
    /// pool closes).
    Connecting {
        /// The time at which the attempt began.
        since: Timestamp,
        /// Number of failures since the last success when it began.
        failures_before: u32,
    },
    /// An open connection without a holder. Exits to `Leased` (acquire), `Checking` (unused for the
    /// interval) or `Closing` (idle too long, expired, stale, surplus, drained).
    Idle {
        /// The time of its return.
        since: Timestamp,
    },
    /// An idle connection is being checked. Exits to `Leased` (it works, and a caller waits),
    /// `Idle` (it works) or `Closing` (it does not work, or is no longer needed).
    Checking {
        /// The time of its return.
        idle_since: Timestamp,
    },
    /// One caller holds the connection, or it is on its way to the caller. Exits to `Leased`
    /// (returned, and a caller waits), `Lane` (offered as a lane), `Idle`, `Resetting` (returned,
    /// but not clean), `Closing` (broken or no longer needed) or `Vacant` (detached).
    Leased {
        /// The time at which the lease began.
        since: Timestamp,
        /// The line of the caller's code.
        caller: &'static Location<'static>,
    },
    /// Many callers' statements share the connection. Exits like `Leased`, once the lane is retired
    /// and its last seat is left.
    Lane {
        /// Latest time at which it was known to work, once it is retired.
        since: Timestamp,
    },
    /// A connection is being reset for the next caller. Exits to `Leased`, `Idle` or `Closing` (the
    /// reset failed, or the connection is no longer needed).
    Resetting,
    /// The connection is being closed. Exits to `Vacant`.
    Closing {
        /// Whether it still counts as open: true for a live connection, which occupies the server
        /// until it is closed; false for a broken one, so that a dead socket that takes its time
        /// does not hold a permit meanwhile.
        counted: bool,
    },
}

impl Phase {
    /// Whether the connection is open or will be.
    fn is_open(self) -> bool {
        !matches!(self, Phase::Vacant | Phase::Closing { .. })
    }
}

/// Progress of the replacement of an aging connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replacement {
    /// It is not old yet. Exits to `Due`.
    NotDue,
    /// A successor is wanted. Exits to `Underway`, when there is room for one.
    Due,
    /// The successor is being opened in this slot. Exits to `Done`, or back to `Due`.
    Underway(SlotId),
    /// The successor is open: this one is closed as soon as it is not in use.
    Done,
}

/// Number of slots in each phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PhaseCounts {
    pub(crate) connecting: usize,
    pub(crate) idle: usize,
    pub(crate) checking: usize,
    pub(crate) leased: usize,
    pub(crate) lanes: usize,
    pub(crate) resetting: usize,
    pub(crate) closing: usize,
    pub(crate) closing_uncounted: usize,
    /// Total of the slots whose connection is open or will be.
    open: usize,
}

impl PhaseCounts {
    /// All permits in use; never more than the limit, unless the limit was lowered.
    pub(crate) fn size(&self) -> usize {
        self.open() + self.closing
    }

    /// The permits whose connection is open or will be.
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    /// Whether all slots are vacant.
    pub(crate) fn is_empty(&self) -> bool {
        self.size() == 0 && self.closing_uncounted == 0
    }

    pub(crate) fn enter(&mut self, phase: Phase) {
        self.open += usize::from(phase.is_open());
        if let Some(count) = self.count(phase) {
            *count += 1;
        }
    }

    pub(crate) fn leave(&mut self, phase: Phase) {
        self.open -= usize::from(phase.is_open());
        if let Some(count) = self.count(phase) {
            *count -= 1;
        }
    }

    fn count(&mut self, phase: Phase) -> Option<&mut usize> {
        match phase {
            Phase::Vacant => None,
            Phase::Connecting { .. } => Some(&mut self.connecting),
            Phase::Idle { .. } => Some(&mut self.idle),
            Phase::Checking { .. } => Some(&mut self.checking),
            Phase::Leased { .. } => Some(&mut self.leased),
            Phase::Lane { .. } => Some(&mut self.lanes),
            Phase::Resetting => Some(&mut self.resetting),
            Phase::Closing { counted: true } => Some(&mut self.closing),
            Phase::Closing { counted: false } => Some(&mut self.closing_uncounted),
        }
    }
}
