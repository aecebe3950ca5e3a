use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use underpin_core::driver::Connector;

use crate::background::Claim;
use crate::give_back::give_back;
use crate::inner::Inner;
use crate::lane::{Lane, Place, Seat};
use crate::state::SlotId;
use crate::work::Job;

/// A connection while one caller holds it alone. Dropping it gives the connection back:
/// at once where the session is clean, after a reset in the background where it is not;
/// a connection that is lost is closed and replaced. It may be dropped anywhere, within a
/// runtime or outside.
pub struct Lease<C: Connector> {
    inner: Arc<Inner<C>>,
    slot: SlotId,
    /// There until the lease ends.
    connection: Option<C::Connection>,
}

impl<C: Connector> Lease<C> {
    pub(crate) fn new(inner: Arc<Inner<C>>, slot: SlotId, connection: C::Connection) -> Self {
        Lease {
            inner,
            slot,
            connection: Some(connection),
        }
    }

    /// Takes the connection out of the pool for good; the pool may open another in its place.
    pub fn detach(mut self) -> C::Connection {
        let connection = self.connection.take();
        self.inner
            .with(|locked, now| locked.state.detached(self.slot, now));
        connection.expect(HELD)
    }

    /// Closes the connection instead of giving it back, within 5 s, and the hook before it
    /// within 5 s more.
    ///
    /// # Cancel safety
    /// Dropped half-way, the connection is dropped as it stands; nothing is leaked.
    pub async fn close(mut self) {
        if let Some(connection) = self.connection.take() {
            self.inner
                .with(|locked, now| locked.state.returned_for_good(self.slot, now));
            let claim = Claim::new(&self.inner, self.slot);
            self.inner.hooks.close(connection).await;
            drop(claim);
        }
    }

    /// Says that the connection leads elsewhere than it should, as when its server turned out
    /// to be a replica: makes all connections of its generation stale. At most once a second,
    /// so that a server which stays a replica is not connected to over and over.
    pub fn suspect(&self) {
        let stale = self
            .inner
            .with(|locked, now| locked.state.suspect(self.slot, now));
        if stale {
            let pool = self.inner.name();
            tracing::warn!(
                pool,
                "a connection leads elsewhere than it should; all are replaced"
            );
        }
    }

    pub(crate) fn pool(&self) -> &Arc<Inner<C>> {
        &self.inner
    }

    pub(crate) fn pool_name(&self) -> &str {
        self.inner.name()
    }

    /// Gives back a connection that was dead before the caller had it, and gives back what
    /// it was taken through.
    pub(crate) fn refuse(mut self) -> Arc<Inner<C>> {
        if let Some(connection) = self.connection.take() {
            self.inner.with(|locked, now| {
                locked.state.refused(self.slot, now);
                locked.give(Job::Close(self.slot, connection));
            });
        }
        Arc::clone(&self.inner)
    }

    /// Gives back a connection that is sound, but was refused to the caller.
    pub(crate) fn dismiss(mut self) -> Arc<Inner<C>> {
        if let Some(connection) = self.connection.take() {
            self.inner.with(|locked, now| {
                locked.state.unused(self.slot, now);
                locked.give(Job::Close(self.slot, connection));
            });
        }
        Arc::clone(&self.inner)
    }

    /// Lets others share the connection, where the pool wants another lane.
    pub(crate) fn offer(mut self) -> Place<C> {
        let Some(connection) = self.connection.take() else {
            return Place::Lease(self);
        };
        let slot = self.slot;
        let mut connection = Some(connection);
        let lane = self.inner.with(|locked, now| {
            if !locked.state.offer_lane(slot, now) {
                return None;
            }
            let lane = Arc::new(Lane::new(connection.take()?));
            locked.open_lane(slot, Arc::clone(&lane));
            Some((lane, now))
        });
        match lane {
            Some((lane, now)) => Place::Lane(Seat::new(Arc::clone(&self.inner), slot, lane, now)),
            None => {
                self.connection = connection;
                Place::Lease(self)
            }
        }
    }
}

const HELD: &str = "a lease has its connection until it ends";

impl<C: Connector> Deref for Lease<C> {
    type Target = C::Connection;

    fn deref(&self) -> &Self::Target {
        self.connection.as_ref().expect(HELD)
    }
}

impl<C: Connector> Drop for Lease<C> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            give_back(&self.inner, self.slot, connection);
        }
    }
}

impl<C: Connector> fmt::Debug for Lease<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("pool", &self.inner.name())
            .field("slot", &self.slot.0)
            .finish_non_exhaustive()
    }
}
