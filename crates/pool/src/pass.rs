use crate::moment::Moment;

/// Whether connections may go from caller to caller without the state machine. It changes
/// whenever those that are leased out are to be looked at when they come back, so that each
/// carries the one that it was leased under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pass(u64);

/// The lowest bit says whether it is allowed now.
const OPEN: u64 = 1;

impl Pass {
    pub(crate) fn is_open(self) -> bool {
        self.0 & OPEN != 0
    }

    pub(crate) fn closed(self) -> Pass {
        Pass(self.0 & !OPEN)
    }

    /// The one that follows so many recalls.
    pub(crate) fn after(recalls: u64, is_open: bool) -> Pass {
        Pass(recalls << 1 | u64::from(is_open))
    }

    pub(crate) fn of_bits(bits: u64) -> Pass {
        Pass(bits)
    }

    pub(crate) fn bits(self) -> u64 {
        self.0
    }
}

/// What a lease was given on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// Where this is the pool's pass when the lease ends, the next caller may have the connection.
    pub(crate) pass: Pass,
    pub(crate) since: Moment,
    /// From when it is not leased out any more.
    pub(crate) expires_at: Moment,
}

impl Terms {
    /// Of a connection that was not leased yet.
    pub(crate) const NONE: Terms = Terms {
        pass: Pass(0),
        since: Moment::START,
        expires_at: Moment::START,
    };
}
