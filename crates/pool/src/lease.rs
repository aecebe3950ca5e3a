use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use underpin_core::driver::{Connector, Pooled, SessionState};

use crate::background::Claim;
use crate::inner::Inner;
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

    /// Gives back a connection that was dead before the caller had it.
    pub(crate) fn refuse(mut self) {
        if let Some(connection) = self.connection.take() {
            self.inner.with(|locked, now| {
                locked.state.refused(self.slot, now);
                locked.give(Job::Close(self.slot, connection));
            });
        }
    }

    /// Gives back a connection that is sound, but was refused to the caller.
    pub(crate) fn dismiss(mut self) {
        if let Some(connection) = self.connection.take() {
            self.inner.with(|locked, now| {
                locked.state.unused(self.slot, now);
                locked.give(Job::Close(self.slot, connection));
            });
        }
    }

    fn give_back(&self, connection: C::Connection) {
        let slot = self.slot;
        let state = match connection.state() {
            SessionState::Clean if !connection.is_open() => SessionState::Broken,
            state => state,
        };
        self.inner.with(|locked, now| match state {
            SessionState::Clean if !self.inner.hooks.has_after_release() => {
                let placement = locked.state.returned(slot, now);
                locked.put(slot, connection, placement);
            }
            SessionState::Broken => {
                locked.state.returned_broken(slot, now);
                locked.give(Job::Close(slot, connection));
            }
            _ if locked.state.returned_dirty(slot, now) => {
                locked.give(Job::Reset(slot, connection));
            }
            _ => locked.give(Job::Close(slot, connection)),
        });
        tracing::debug!(pool = self.inner.name(), ?state, "returned");
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
            self.give_back(connection);
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
