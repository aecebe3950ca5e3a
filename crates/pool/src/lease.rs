use std::fmt;
use std::ops::Deref;
use std::panic::Location;
use std::sync::Arc;

use underpin_core::driver::Connector;

use crate::background::SlotGuard;
use crate::fast::connection::BoxedConnection;
use crate::inner::PoolHandle;
use crate::lane::{Grant, Lane, Seat};
use crate::release::release;
use crate::timestamp::Timestamp;

/// A connection held by one caller alone. Dropping the lease returns the connection: immediately if
/// the session is clean, after a reset in the background if it is not. A lost connection is closed
/// and replaced. The lease may be dropped anywhere, inside or outside a runtime.
pub struct Lease<C: Connector> {
    inner: PoolHandle<C>,
    /// `Some` until the lease ends.
    pooled: Option<BoxedConnection<C>>,
    /// Whether the caller has the connection. Before that it is tested, and the lease is not
    /// counted.
    begun: bool,
}

impl<C: Connector> Lease<C> {
    pub(crate) fn new(inner: PoolHandle<C>, pooled: BoxedConnection<C>) -> Self {
        Lease {
            inner,
            pooled: Some(pooled),
            begun: false,
        }
    }

    /// Creates a lease that has already been recorded.
    pub(crate) fn begun(inner: PoolHandle<C>, pooled: BoxedConnection<C>) -> Self {
        Lease {
            inner,
            pooled: Some(pooled),
            begun: true,
        }
    }

    /// Removes the connection from the pool; the pool may open another in its place.
    pub fn detach(mut self) -> C::Connection {
        let mut pooled = self.pooled.take().expect(HELD);
        let now = self.inner.now();
        self.inner.count_return(&pooled, now);
        self.inner.with_at(now, |locked, now| {
            locked.forget(&mut pooled);
            locked.state.detached(pooled.slot, now);
        });
        pooled.connection
    }

    /// Closes the connection instead of returning it, within 5 s, after running the hook within
    /// another 5 s.
    ///
    /// # Cancel safety
    /// If the future is dropped, so is the connection; nothing is leaked.
    pub async fn close(mut self) {
        if let Some(mut pooled) = self.pooled.take() {
            let now = self.inner.now();
            self.inner.count_return(&pooled, now);
            self.inner.with_at(now, |locked, now| {
                locked.forget(&mut pooled);
                locked.state.dismissed(pooled.slot, now);
            });
            let claim = SlotGuard::new(&self.inner, pooled.slot);
            self.inner.hooks.close(pooled.connection).await;
            drop(claim);
        }
    }

    /// Marks all connections of this one's generation as stale because it leads to the wrong
    /// server, for example after the server has become a replica. At most once a second, so that
    /// the pool does not reconnect over and over to a server that stays a replica.
    pub fn mark_stale(&self) {
        let slot = self.pooled().slot;
        let stale = self
            .inner
            .with(|locked, now| locked.state.mark_stale(slot, now));
        if stale {
            let pool = self.inner.name();
            tracing::warn!(
                pool,
                "a connection leads to the wrong server; all are replaced"
            );
        }
    }

    /// Records that the caller that asked at `asked` now has the connection.
    pub(crate) fn begin(&mut self, caller: &'static Location<'static>, asked: Timestamp) {
        self.begun = true;
        let pooled = self.pooled();
        let since = pooled.since();
        let record = self.inner.cache.record(pooled.slot);
        record.leased(caller, since, since.nanos_since(asked));
    }

    /// Whether the connection must be tested before the caller gets it.
    pub(crate) fn is_check_due(&self) -> bool {
        self.pooled().stamp.check
    }

    fn pooled(&self) -> &BoxedConnection<C> {
        self.pooled.as_ref().expect(HELD)
    }

    pub(crate) fn pool(&self) -> &PoolHandle<C> {
        &self.inner
    }

    pub(crate) fn pool_name(&self) -> &str {
        self.inner.name()
    }

    /// Closes a connection that died before the caller got it. Returns the handle.
    pub(crate) fn refuse(mut self) -> PoolHandle<C> {
        if let Some(pooled) = self.pooled.take() {
            self.inner.with(|locked, now| {
                locked.state.broken(pooled.slot, now);
                locked.close(pooled);
            });
        }
        Arc::clone(&self.inner)
    }

    /// Closes a live connection that was refused to the caller. Returns the handle.
    pub(crate) fn dismiss(mut self) -> PoolHandle<C> {
        if let Some(pooled) = self.pooled.take() {
            self.inner.with(|locked, now| {
                locked.state.dismissed(pooled.slot, now);
                locked.close(pooled);
            });
        }
        Arc::clone(&self.inner)
    }

    /// Turns the connection into a lane, if the pool wants another one.
    pub(crate) fn offer(mut self) -> Grant<C> {
        let slot = self.pooled().slot;
        let mut pooled = self.pooled.take();
        let lane = self.inner.with(|locked, now| {
            if !locked.state.offer_lane(slot, now) {
                return None;
            }
            let pooled = pooled.take()?;
            self.inner.count_return(&pooled, now);
            let lane = Arc::new(Lane::new(pooled));
            locked.open_lane(slot, Arc::clone(&lane));
            Some((lane, now))
        });
        match lane {
            Some((lane, now)) => Grant::Lane(Seat::new(Arc::clone(&self.inner), slot, lane, now)),
            None => {
                self.pooled = pooled;
                Grant::Lease(self)
            }
        }
    }
}

const HELD: &str = "a lease has its connection until it ends";

impl<C: Connector> Deref for Lease<C> {
    type Target = C::Connection;

    fn deref(&self) -> &Self::Target {
        &self.pooled().connection
    }
}

impl<C: Connector> Drop for Lease<C> {
    fn drop(&mut self) {
        if let Some(pooled) = self.pooled.take() {
            release(&self.inner, pooled, self.begun);
        }
    }
}

impl<C: Connector> fmt::Debug for Lease<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("pool", &self.inner.name())
            .field("slot", &self.pooled().slot.0)
            .finish_non_exhaustive()
    }
}
