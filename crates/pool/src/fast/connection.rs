use underpin_core::driver::Connector;

use crate::fast::epoch::Stamp;
use crate::state::SlotId;
use crate::timestamp::Timestamp;

/// A connection of the pool, with what goes with it from one caller to the next. On cache lines of
/// its own, since each lease writes to it.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct PoolConnection<T> {
    pub(crate) connection: T,
    pub(crate) slot: SlotId,
    /// That of its latest lease.
    pub(crate) stamp: Stamp,
    /// The mailbox through which it came to its latest holder: empty by the time the connection
    /// comes back.
    pub(crate) mailbox: Option<u32>,
}

/// In a box that is made when the connection is opened, so that one pointer is passed on.
pub(crate) type BoxedConnection<C> = Box<PoolConnection<<C as Connector>::Connection>>;

impl<T> PoolConnection<T> {
    /// A connection that was opened for this slot.
    pub(crate) fn new(slot: SlotId, connection: T) -> Box<Self> {
        Box::new(PoolConnection {
            connection,
            slot,
            stamp: Stamp::NONE,
            mailbox: None,
        })
    }

    /// When it was leased, or put into the cache.
    pub(crate) fn since(&self) -> Timestamp {
        self.stamp.since
    }
}
