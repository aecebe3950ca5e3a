use crate::timestamp::Timestamp;

/// A version of the pool, and whether connections may go from caller to caller without the state
/// machine. The version changes whenever the state machine is to examine leased connections when
/// they are returned. Each lease carries the epoch that it began in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Epoch(u64);

/// The lowest bit says whether the cache may be used.
const OPEN: u64 = 1;

impl Epoch {
    pub(crate) fn is_open(self) -> bool {
        self.0 & OPEN != 0
    }

    pub(crate) fn closed(self) -> Epoch {
        Epoch(self.0 & !OPEN)
    }

    pub(crate) fn new(version: u64, is_open: bool) -> Epoch {
        Epoch(version << 1 | u64::from(is_open))
    }

    pub(crate) fn of_bits(bits: u64) -> Epoch {
        Epoch(bits)
    }

    pub(crate) fn bits(self) -> u64 {
        self.0
    }
}

/// The facts about a lease that the shell needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    /// If this is still the pool's epoch when the lease ends, the connection may be cached.
    pub(crate) epoch: Epoch,
    pub(crate) since: Timestamp,
    /// When the connection expires.
    pub(crate) expires_at: Timestamp,
    /// The pool's generation when the lease began.
    pub(crate) generation: u64,
    /// Whether the connection is to be tested before the caller gets it.
    pub(crate) check: bool,
}

impl Stamp {
    /// The stamp of a connection that has not been leased yet.
    pub(crate) const NONE: Stamp = Stamp {
        epoch: Epoch(0),
        since: Timestamp::START,
        expires_at: Timestamp::START,
        generation: 0,
        check: false,
    };
}
