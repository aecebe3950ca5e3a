use underpin_core::driver::Connector;

use crate::fast::epoch::Stamp;
use crate::state::SlotId;
use crate::timestamp::Timestamp;

/// A connection of the pool, with what goes with it from one caller to the next.
#[derive(Debug)]
pub(crate) struct PoolConnection<T> {
    pub(crate) connection: T,
    pub(crate) slot: SlotId,
    /// Those of its latest lease.
    pub(crate) stamp: Stamp,
}

/// In a box, which is made when the connection is opened: what is passed on is one pointer.
pub(crate) type BoxedConnection<C> = Box<PoolConnection<<C as Connector>::Connection>>;

impl<T> PoolConnection<T> {
    /// A connection that was opened for this slot.
    pub(crate) fn new(slot: SlotId, connection: T) -> Box<Self> {
        Box::new(PoolConnection {
            connection,
            slot,
            stamp: Stamp::NONE,
        })
    }

    /// When it was leased, or put on standby.
    pub(crate) fn since(&self) -> Timestamp {
        self.stamp.since
    }
}
