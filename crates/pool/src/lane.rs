use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use pin_project_lite::pin_project;
use underpin_core::driver::Connector;

use crate::inner::{Hold, Inner};
use crate::lease::Lease;
use crate::member::Member;
use crate::moment::Moment;
use crate::state::{End, SlotId};

/// A connection that many callers' statements share.
#[derive(Debug)]
pub(crate) struct Lane<T> {
    member: Box<Member<T>>,
    riders: Mutex<Riders>,
}

/// Who waits for an answer, in numbered places.
#[derive(Debug, Default)]
struct Riders {
    /// They are to leave.
    rescued: bool,
    wakers: Vec<Option<Waker>>,
    free: Vec<usize>,
}

impl<T> Lane<T> {
    pub(crate) fn new(member: Box<Member<T>>) -> Self {
        Lane {
            member,
            riders: Mutex::default(),
        }
    }

    pub(crate) fn into_member(self) -> Box<Member<T>> {
        self.member
    }

    /// Has all who wait for an answer leave the lane.
    pub(crate) fn rescue(&self) {
        let wakers = {
            let mut riders = self.riders();
            riders.rescued = true;
            std::mem::take(&mut riders.wakers)
        };
        for waker in wakers.into_iter().flatten() {
            waker.wake();
        }
    }

    fn riders(&self) -> MutexGuard<'_, Riders> {
        self.riders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Riders {
    /// Notes whom to wake, in a place of the rider's own.
    fn note(&mut self, place: Option<usize>, waker: &Waker) -> usize {
        let place = place
            .or_else(|| self.free.pop())
            .unwrap_or(self.wakers.len());
        if self.wakers.len() <= place {
            self.wakers.resize(place + 1, None);
        }
        match &mut self.wakers[place] {
            Some(known) => known.clone_from(waker),
            empty => *empty = Some(waker.clone()),
        }
        place
    }

    fn leave(&mut self, place: usize) {
        if let Some(waker) = self.wakers.get_mut(place) {
            *waker = None;
        }
        self.free.push(place);
    }
}

/// A place for one statement on a connection that others' statements share. Dropped before
/// [`ride`](Seat::ride) has come to its end, it retires the lane: nobody joins what a
/// statement is left behind on, and those who are there are answered.
pub struct Seat<C: Connector> {
    inner: Hold<C>,
    slot: SlotId,
    /// There until the seat is left.
    lane: Option<Arc<Lane<C::Connection>>>,
    joined: Moment,
}

impl<C: Connector> Seat<C> {
    pub(crate) fn new(
        inner: Hold<C>,
        slot: SlotId,
        lane: Arc<Lane<C::Connection>>,
        joined: Moment,
    ) -> Self {
        Seat {
            inner,
            slot,
            lane: Some(lane),
            joined,
        }
    }

    /// Waits for the answer of the statement, or until the lane turns out to be stuck:
    /// then `None`, the statement has been dropped, and is to be asked elsewhere.
    ///
    /// # Cancel safety
    /// As for the statement; the neighbours are answered all the same.
    pub fn ride<F: Future>(&self, statement: F) -> impl Future<Output = Option<F::Output>> {
        Ride {
            lane: self.lane.as_deref().expect(HELD),
            place: None,
            statement,
        }
    }

    /// Leaves the seat after the statement was answered, and says how long it took itself,
    /// without its wait for those before it.
    pub fn answered(mut self) -> Duration {
        self.leave(End::Answered)
    }

    /// Leaves a seat on a connection that is lost, and gives back what it was taken through.
    pub(crate) fn lost(mut self) -> Hold<C> {
        self.leave(End::Lost);
        Arc::clone(&self.inner)
    }

    fn leave(&mut self, end: End) -> Duration {
        // The last hold on a lane that has ended must be the pool's.
        if self.lane.take().is_none() {
            return Duration::ZERO;
        }
        leave(&self.inner, self.slot, self.joined, end)
    }
}

/// Leaves a seat, whether anybody has sat in it or not.
pub(crate) fn leave<C: Connector>(
    inner: &Arc<Inner<C>>,
    slot: SlotId,
    joined: Moment,
    end: End,
) -> Duration {
    inner.with(|locked, now| {
        let left = locked.state.left(slot, joined, end, now);
        if left.ended {
            locked.end_lane(slot);
        }
        left.took
    })
}

const HELD: &str = "a seat has its lane until it is left";

impl<C: Connector> Deref for Seat<C> {
    type Target = C::Connection;

    fn deref(&self) -> &C::Connection {
        &self.lane.as_ref().expect(HELD).member.connection
    }
}

impl<C: Connector> Drop for Seat<C> {
    fn drop(&mut self) {
        self.leave(End::Abandoned);
    }
}

impl<C: Connector> fmt::Debug for Seat<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat")
            .field("pool", &self.inner.name())
            .field("slot", &self.slot.0)
            .finish_non_exhaustive()
    }
}

/// Where an autocommit statement runs.
pub enum Place<C: Connector> {
    /// On a connection that others' statements share.
    Lane(Seat<C>),
    /// On a connection of its own.
    Lease(Lease<C>),
}

impl<C: Connector> fmt::Debug for Place<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Lane(seat) => seat.fmt(f),
            Place::Lease(lease) => lease.fmt(f),
        }
    }
}

pin_project! {
    /// A statement under way in a lane.
    struct Ride<'a, T, F> {
        lane: &'a Lane<T>,
        place: Option<usize>,
        #[pin]
        statement: F,
    }

    impl<T, F> PinnedDrop for Ride<'_, T, F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(place) = this.place.take() {
                this.lane.riders().leave(place);
            }
        }
    }
}

impl<T, F: Future> Future for Ride<'_, T, F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(answer) = this.statement.poll(context) {
            return Poll::Ready(Some(answer));
        }
        let mut riders = this.lane.riders();
        if riders.rescued {
            return Poll::Ready(None);
        }
        *this.place = Some(riders.note(*this.place, context.waker()));
        Poll::Pending
    }
}
