use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use underpin_core::Error;

use crate::fast::connection::PoolConnection;
use crate::fast::mailbox::Parcel;
use crate::lane::Lane;
use crate::state::SlotId;
use crate::timestamp::Timestamp;

/// The result of a wait: a connection that is leased to the waiter, or an answer.
pub(crate) type Outcome<T> = Parcel<T, Answer<T>>;

/// The mailbox of a waiter of a pool.
pub(crate) type Mailbox<T> = crate::fast::mailbox::Mailbox<T, Answer<T>>;

/// The result of a wait that is not a connection.
#[derive(Debug)]
pub(crate) enum Answer<T> {
    /// A seat in a lane, taken at this time.
    Seated {
        slot: SlotId,
        lane: Arc<Lane<T>>,
        since: Timestamp,
    },
    /// The wait timed out. `waiting` callers were waiting then, perhaps for an attempt to connect.
    TimedOut {
        waiting: usize,
        awaits_connect: bool,
    },
    /// Connecting failed, at the last attempt that the waiter was willing to wait for.
    Failed { error: Arc<Error>, attempts: u32 },
    /// The queue was full, with this many waiters.
    Full { most: usize },
    /// The wait was canceled because the pool has been overloaded for this long.
    Shed { overload: Duration },
    /// The pool was closed.
    Closed,
}

/// An outcome on its way to a waiter.
#[derive(Debug)]
pub(crate) struct Delivery<T> {
    /// The number of the waiter's mailbox.
    pub(crate) cell: u32,
    pub(crate) waker: Option<Waker>,
    pub(crate) outcome: Outcome<T>,
}

impl<T> From<Answer<T>> for Outcome<T> {
    fn from(answer: Answer<T>) -> Self {
        Parcel::Answer(answer)
    }
}

impl<T> From<Box<PoolConnection<T>>> for Outcome<T> {
    fn from(connection: Box<PoolConnection<T>>) -> Self {
        Parcel::Connection(connection)
    }
}
