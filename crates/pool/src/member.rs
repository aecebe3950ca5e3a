use underpin_core::driver::Connector;

use crate::moment::Moment;
use crate::pass::Terms;
use crate::state::SlotId;

/// A connection of the pool, with what goes with it from one caller to the next.
#[derive(Debug)]
pub(crate) struct Member<T> {
    pub(crate) connection: T,
    pub(crate) slot: SlotId,
    /// Those of its latest lease.
    pub(crate) terms: Terms,
}

/// In a box, which is made when the connection is opened: what is passed on is one pointer.
pub(crate) type Held<C> = Box<Member<<C as Connector>::Connection>>;

impl<T> Member<T> {
    /// A connection that was opened for this slot.
    pub(crate) fn new(slot: SlotId, connection: T) -> Box<Self> {
        Box::new(Member {
            connection,
            slot,
            terms: Terms::NONE,
        })
    }

    /// When it was leased, or put on standby.
    pub(crate) fn since(&self) -> Moment {
        self.terms.since
    }
}
