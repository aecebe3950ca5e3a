use std::panic::Location;
use std::time::{Duration, Instant};

use underpin_core::{Deadline, ReadFrom, TransactionOptions};
use underpin_pool::AcquireOptions;

use crate::reads::{After, MaxLag};

/// How the calls of a handle run. Copied into each handle, so that changing one handle does not
/// change others.
#[derive(Debug, Clone, Copy, Default)]
pub struct CallOptions {
    /// Whether the calls only read, so that any endpoint can serve them, including a replica or
    /// reader.
    pub read: bool,
    /// The members that serve a read.
    pub from: ReadFrom,
    /// Maximum lag of a replica that serves a read.
    pub max_lag: MaxLag,
    /// The position that a read must have seen.
    pub after: Option<After>,
    /// Whether statements run on a connection of their own.
    pub exclusive: bool,
    /// Whether a statement may run twice if the first attempt may have taken effect.
    pub idempotent: bool,
    /// Whether transactions are retried after a conflict.
    pub retry_transactions: bool,
    /// Maximum total duration of a call.
    pub deadline: Option<Duration>,
    /// Number of retries, if it differs from the configured number.
    pub retries: Option<u32>,
    /// How transactions begin.
    pub transaction: TransactionOptions,
}

impl CallOptions {
    /// Latest time for the answer to a call that begins now.
    pub fn deadline_from(&self, now: Instant) -> Deadline {
        self.deadline
            .map_or(Deadline::NONE, |wait| Deadline::after(now, wait))
    }

    /// Whether a read goes to all members in turn, so that no standing has to be examined.
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
