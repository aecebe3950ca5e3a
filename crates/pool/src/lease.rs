use std::fmt;
use std::ops::Deref;
use std::panic::Location;
use std::sync::Arc;

use underpin_core::driver::Connector;

use crate::background::Claim;
use crate::give_back::give_back;
use crate::inner::Hold;
use crate::lane::{Lane, Place, Seat};
use crate::member::Held;
use crate::moment::Moment;
use crate::work::Job;

/// A connection while one caller holds it alone. Dropping it gives the connection back:
/// at once where the session is clean, after a reset in the background where it is not;
/// a connection that is lost is closed and replaced. It may be dropped anywhere, within a
/// runtime or outside.
pub struct Lease<C: Connector> {
    inner: Hold<C>,
    /// There until the lease ends.
    member: Option<Held<C>>,
    /// Whether the caller has it: before that it is tested, and is no lease that counts.
    begun: bool,
}

impl<C: Connector> Lease<C> {
    pub(crate) fn new(inner: Hold<C>, member: Held<C>) -> Self {
        Lease {
            inner,
            member: Some(member),
            begun: false,
        }
    }

    /// One that is written down already.
    pub(crate) fn begun(inner: Hold<C>, member: Held<C>) -> Self {
        Lease {
            inner,
            member: Some(member),
            begun: true,
        }
    }

    /// Takes the connection out of the pool for good; the pool may open another in its place.
    pub fn detach(mut self) -> C::Connection {
        let member = self.member.take().expect(HELD);
        let now = self.inner.now();
        self.inner.count_return(&member, now);
        self.inner
            .with_at(now, |locked, now| locked.state.detached(member.slot, now));
        member.connection
    }

    /// Closes the connection instead of giving it back, within 5 s, and the hook before it
    /// within 5 s more.
    ///
    /// # Cancel safety
    /// Dropped half-way, the connection is dropped as it stands; nothing is leaked.
    pub async fn close(mut self) {
        if let Some(member) = self.member.take() {
            let now = self.inner.now();
            self.inner.count_return(&member, now);
            self.inner
                .with_at(now, |locked, now| locked.state.dismissed(member.slot, now));
            let claim = Claim::new(&self.inner, member.slot);
            self.inner.hooks.close(member.connection).await;
            drop(claim);
        }
    }

    /// Says that the connection leads elsewhere than it should, as when its server turned out
    /// to be a replica: makes all connections of its generation stale. At most once a second,
    /// so that a server which stays a replica is not connected to over and over.
    pub fn suspect(&self) {
        let slot = self.member().slot;
        let stale = self
            .inner
            .with(|locked, now| locked.state.suspect(slot, now));
        if stale {
            let pool = self.inner.name();
            tracing::warn!(
                pool,
                "a connection leads elsewhere than it should; all are replaced"
            );
        }
    }

    /// The caller who asked at `asked` from this place has it now.
    pub(crate) fn begin(&mut self, place: &'static Location<'static>, asked: Moment) {
        self.begun = true;
        let member = self.member();
        let since = member.since();
        let record = self.inner.standby.record(member.slot);
        record.leased(place, since, since.nanos_since(asked));
    }

    fn member(&self) -> &Held<C> {
        self.member.as_ref().expect(HELD)
    }

    pub(crate) fn pool(&self) -> &Hold<C> {
        &self.inner
    }

    pub(crate) fn pool_name(&self) -> &str {
        self.inner.name()
    }

    /// Gives back a connection that was dead before the caller had it, and gives back what
    /// it was taken through.
    pub(crate) fn refuse(mut self) -> Hold<C> {
        if let Some(member) = self.member.take() {
            self.inner.with(|locked, now| {
                locked.state.broken(member.slot, now);
                locked.give(Job::Close(member));
            });
        }
        Arc::clone(&self.inner)
    }

    /// Gives back a connection that is sound, but was refused to the caller.
    pub(crate) fn dismiss(mut self) -> Hold<C> {
        if let Some(member) = self.member.take() {
            self.inner.with(|locked, now| {
                locked.state.dismissed(member.slot, now);
                locked.give(Job::Close(member));
            });
        }
        Arc::clone(&self.inner)
    }

    /// Lets others share the connection, where the pool wants another lane.
    pub(crate) fn offer(mut self) -> Place<C> {
        let slot = self.member().slot;
        let mut member = self.member.take();
        let lane = self.inner.with(|locked, now| {
            if !locked.state.offer_lane(slot, now) {
                return None;
            }
            let member = member.take()?;
            self.inner.count_return(&member, now);
            let lane = Arc::new(Lane::new(member));
            locked.open_lane(slot, Arc::clone(&lane));
            Some((lane, now))
        });
        match lane {
            Some((lane, now)) => Place::Lane(Seat::new(Arc::clone(&self.inner), slot, lane, now)),
            None => {
                self.member = member;
                Place::Lease(self)
            }
        }
    }
}

const HELD: &str = "a lease has its connection until it ends";

impl<C: Connector> Deref for Lease<C> {
    type Target = C::Connection;

    fn deref(&self) -> &Self::Target {
        &self.member().connection
    }
}

impl<C: Connector> Drop for Lease<C> {
    fn drop(&mut self) {
        if let Some(member) = self.member.take() {
            give_back(&self.inner, member, self.begun);
        }
    }
}

impl<C: Connector> fmt::Debug for Lease<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("pool", &self.inner.name())
            .field("slot", &self.member().slot.0)
            .finish_non_exhaustive()
    }
}
