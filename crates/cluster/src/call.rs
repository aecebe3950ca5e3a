use std::panic::Location;
use std::time::{Duration, Instant};

use underpin_core::{Deadline, ReadFrom, TransactionOptions};
use underpin_pool::AcquireOptions;

use crate::reads::{After, MaxLag};

/// How a handle wants its calls run. Copied into each handle, so that setting one changes
/// no other.
#[derive(Debug, Clone, Copy, Default)]
pub struct CallOptions {
    /// Reads only: any endpoint will do, a replica or a reader too.
    pub read: bool,
    /// Which members serve a read.
    pub from: ReadFrom,
    /// The most that a replica may lag behind to serve a read.
    pub max_lag: MaxLag,
    /// What a read is to see at least.
    pub after: Option<After>,
    /// Statements run on a connection of their own.
    pub exclusive: bool,
    /// Statements may be run twice where the first may have taken effect.
    pub idempotent: bool,
    /// Transactions are run again after a conflict.
    pub retry_transactions: bool,
    /// The longest that a call may take in all.
    pub deadline: Option<Duration>,
    /// Tries after the first, where not the configured number.
    pub retries: Option<u32>,
    /// How transactions begin.
    pub transaction: TransactionOptions,
}

impl CallOptions {
    /// The latest time for the answer to a call that begins now.
    pub fn deadline_from(&self, now: Instant) -> Deadline {
        self.deadline
            .map_or(Deadline::NONE, |wait| Deadline::after(now, wait))
    }

    /// Whether a read goes to all members in turns, so that nothing is to be looked at.
    pub(crate) fn reads_anywhere(&self) -> bool {
        self.from == ReadFrom::All && self.max_lag.is_none()
    }

    pub(crate) fn acquire(
        &self,
        deadline: Deadline,
        place: &'static Location<'static>,
    ) -> AcquireOptions {
        AcquireOptions {
            deadline,
            timeout: None,
            retries: self.retries,
            arrived: None,
            caller: place,
        }
    }
}
