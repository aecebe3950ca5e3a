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

/// What the state machine knows of a connection.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub(crate) struct Slot {
    pub(crate) phase: Phase,
    /// The pool's generation when the attempt to connect began.
    pub(crate) generation: u64,
    /// From when it is not leased out any more.
    pub(crate) expires_at: Timestamp,
    /// When it was last known to be well.
    pub(crate) verified: Timestamp,
    /// From when a successor is wanted.
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

/// What a slot is used for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Phase {
    /// Nothing. Exits to `Connecting`, when a connection is wanted.
    Vacant,
    /// A connection is being opened. Exits to `Leased` (on success, where somebody waits),
    /// `Idle` (on success), `Closing` (on success, but no longer wanted) or `Vacant` (on
    /// failure, or when the pool closes).
    Connecting {
        /// When the attempt began.
        since: Timestamp,
        /// How many had failed by then since the last success.
        failures_before: u32,
    },
    /// An open connection that nobody uses. Exits to `Leased` (acquire), `Checking` (not
    /// used for the interval) or `Closing` (idle too long, expired, stale, surplus, drained).
    Idle {
        /// When it was given back.
        since: Timestamp,
    },
    /// An idle connection is being asked for a sign of life. Exits to `Leased` (well, and
    /// somebody waits), `Idle` (well) or `Closing` (not well, or no longer wanted).
    Checking {
        /// When it was given back.
        idle_since: Timestamp,
    },
    /// One caller holds the connection, or has been handed it. Exits to `Leased` (given
    /// back, and somebody waits), `Lane` (offered as one), `Idle`, `Resetting` (given back,
    /// but not clean), `Closing` (broken or no longer wanted) or `Vacant` (detached).
    Leased {
        /// When the lease began.
        since: Timestamp,
        /// From where in the caller's code.
        caller: &'static Location<'static>,
    },
    /// Many callers' statements share the connection. Exits as from `Leased`, once it is
    /// retired and its last seat is left.
    Lane {
        /// When it was last known to be well, once it is retired.
        since: Timestamp,
    },
    /// A connection is being made fit for the next caller. Exits to `Leased`, `Idle` or
    /// `Closing` (could not be reset, or no longer wanted).
    Resetting,
    /// The connection is being closed. Exits to `Vacant`.
    Closing {
        /// Whether it still counts as open: true for a sound connection, which the server
        /// knows of until it is gone; false for a broken one, so that a dead socket which
        /// takes its time does not hold a permit meanwhile.
        counted: bool,
    },
}

impl Phase {
    /// Whether the connection is there or will be.
    fn is_open(self) -> bool {
        !matches!(self, Phase::Vacant | Phase::Closing { .. })
    }
}

/// How far the replacement of a connection that grows old has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replacement {
    /// It is not yet old. Exits to `Due`.
    NotDue,
    /// A successor is wanted. Exits to `Underway`, when there is room for one.
    Due,
    /// The successor is being opened in this slot. Exits to `Done`, or back to `Due`.
    Underway(SlotId),
    /// The successor is there: closed as soon as it is not in use.
    Done,
}

/// How many slots are in which phase.
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
    /// The sum of those whose connection is there or will be.
    open: usize,
}

impl PhaseCounts {
    /// All permits in use; never more than the limit, unless that was lowered.
    pub(crate) fn size(&self) -> usize {
        self.open() + self.closing
    }

    /// The permits whose connection is there or will be.
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    /// Whether there is nothing at all.
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
