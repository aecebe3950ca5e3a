use crate::timestamp::Timestamp;

/// Whether connections may go from caller to caller without the state machine. It changes
/// whenever those that are leased out are to be looked at when they come back, so that each
/// carries the one that it was leased under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Epoch(u64);

/// The lowest bit says whether it is allowed now.
const OPEN: u64 = 1;

impl Epoch {
    pub(crate) fn is_open(self) -> bool {
        self.0 & OPEN != 0
    }

    pub(crate) fn closed(self) -> Epoch {
        Epoch(self.0 & !OPEN)
    }

    /// The one that follows so many recalls.
    pub(crate) fn after(epoch: u64, is_open: bool) -> Epoch {
        Epoch(epoch << 1 | u64::from(is_open))
    }

    pub(crate) fn of_bits(bits: u64) -> Epoch {
        Epoch(bits)
    }

    pub(crate) fn bits(self) -> u64 {
        self.0
    }
}

/// What a lease was given on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    /// Where this is the pool's pass when the lease ends, the next caller may have the connection.
    pub(crate) epoch: Epoch,
    pub(crate) since: Timestamp,
    /// From when it is not leased out any more.
    pub(crate) expires_at: Timestamp,
}

impl Stamp {
    /// Of a connection that was not leased yet.
    pub(crate) const NONE: Stamp = Stamp {
        epoch: Epoch(0),
        since: Timestamp::START,
        expires_at: Timestamp::START,
    };
}
