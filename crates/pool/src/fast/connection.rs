use underpin_core::driver::Connector;

use crate::fast::epoch::Stamp;
use crate::state::SlotId;
use crate::timestamp::Timestamp;

/// A connection of the pool, with the data that travels with it from caller to caller. It has cache
/// lines of its own, since each lease writes to it.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct PoolConnection<T> {
    pub(crate) connection: T,
    pub(crate) slot: SlotId,
    /// The stamp of the latest lease.
    pub(crate) stamp: Stamp,
    /// The mailbox through which the connection came to its latest holder. It is empty by the time
    /// the connection is returned.
    pub(crate) mailbox: Option<u32>,
}

/// Boxed when the connection is opened, so that only a pointer is passed on.
pub(crate) type BoxedConnection<C> = Box<PoolConnection<<C as Connector>::Connection>>;

impl<T> PoolConnection<T> {
    /// Creates the entry of a connection that was opened for this slot.
    pub(crate) fn new(slot: SlotId, connection: T) -> Box<Self> {
        Box::new(PoolConnection {
            connection,
            slot,
            stamp: Stamp::NONE,
            mailbox: None,
        })
    }

    /// The time at which it was leased or cached.
    pub(crate) fn since(&self) -> Timestamp {
        self.stamp.since
    }
}
