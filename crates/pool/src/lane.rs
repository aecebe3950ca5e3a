use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use pin_project_lite::pin_project;
use underpin_core::driver::Connector;

use crate::fast::connection::PoolConnection;
use crate::inner::{Inner, PoolHandle};
use crate::lease::Lease;
use crate::state::{End, SlotId};
use crate::timestamp::Timestamp;

/// A connection that many callers' statements share.
#[derive(Debug)]
pub(crate) struct Lane<T> {
    pooled: Box<PoolConnection<T>>,
    waiters: Mutex<LaneWaiters>,
}

/// The callers that wait for an answer, in numbered places.
#[derive(Debug, Default)]
struct LaneWaiters {
    /// Whether the callers must leave the lane.
    rescued: bool,
    wakers: Vec<Option<Waker>>,
    free: Vec<usize>,
}

impl<T> Lane<T> {
    pub(crate) fn new(pooled: Box<PoolConnection<T>>) -> Self {
        Lane {
            pooled,
            waiters: Mutex::default(),
        }
    }

    pub(crate) fn into_connection(self) -> Box<PoolConnection<T>> {
        self.pooled
    }

    /// Makes all callers that wait for an answer leave the lane.
    pub(crate) fn rescue(&self) {
        let wakers = {
            let mut waiters = self.waiters();
            waiters.rescued = true;
            std::mem::take(&mut waiters.wakers)
        };
        for waker in wakers.into_iter().flatten() {
            waker.wake();
        }
    }

    fn waiters(&self) -> MutexGuard<'_, LaneWaiters> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LaneWaiters {
    /// Stores the waker of a caller, under a number of its own.
    fn note(&mut self, index: Option<usize>, waker: &Waker) -> usize {
        let index = index
            .or_else(|| self.free.pop())
            .unwrap_or(self.wakers.len());
        if self.wakers.len() <= index {
            self.wakers.resize(index + 1, None);
        }
        match &mut self.wakers[index] {
            Some(known) => known.clone_from(waker),
            empty => *empty = Some(waker.clone()),
        }
        index
    }

    fn leave(&mut self, index: usize) {
        if let Some(waker) = self.wakers.get_mut(index) {
            *waker = None;
        }
        self.free.push(index);
    }
}

/// The right to run one statement on a connection that other callers' statements share. If it is
/// dropped before [`run`](Seat::run) has completed, the lane is retired: no further statement
/// joins, and the statements that are in it are answered.
pub struct Seat<C: Connector> {
    inner: PoolHandle<C>,
    slot: SlotId,
    /// `Some` until the seat is left.
    lane: Option<Arc<Lane<C::Connection>>>,
    joined: Timestamp,
}

impl<C: Connector> Seat<C> {
    pub(crate) fn new(
        inner: PoolHandle<C>,
        slot: SlotId,
        lane: Arc<Lane<C::Connection>>,
        joined: Timestamp,
    ) -> Self {
        Seat {
            inner,
            slot,
            lane: Some(lane),
            joined,
        }
    }

    /// Runs the statement. Returns `None` if the lane turns out to be stuck: then the statement has
    /// been dropped, and should be sent on another connection.
    ///
    /// # Cancel safety
    /// That of the statement; the other statements in the lane are answered in any
    /// case.
    pub fn run<F: Future>(&self, statement: F) -> impl Future<Output = Option<F::Output>> {
        LaneCall {
            lane: self.lane.as_deref().expect(HELD),
            index: None,
            statement,
        }
    }

    /// Leaves the seat after the statement was answered. Returns how long the statement took by
    /// itself, without its wait for those before it.
    pub fn answered(mut self) -> Duration {
        self.leave(End::Answered)
    }

    /// Leaves a seat on a lost connection, and returns the handle.
    pub(crate) fn lost(mut self) -> PoolHandle<C> {
        self.leave(End::Lost);
        Arc::clone(&self.inner)
    }

    fn leave(&mut self, end: End) -> Duration {
        // The pool must hold the last reference to a lane that has ended.
        if self.lane.take().is_none() {
            return Duration::ZERO;
        }
        leave(&self.inner, self.slot, self.joined, end)
    }
}

/// Leaves a seat, whether or not a statement has run in it.
pub(crate) fn leave<C: Connector>(
    inner: &Arc<Inner<C>>,
    slot: SlotId,
    joined: Timestamp,
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
        &self.lane.as_ref().expect(HELD).pooled.connection
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

/// The result of [`share`](crate::Pool::share).
pub enum Grant<C: Connector> {
    /// A seat on a connection that other callers' statements share.
    Lane(Seat<C>),
    /// A connection of its own.
    Lease(Lease<C>),
}

impl<C: Connector> fmt::Debug for Grant<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Grant::Lane(seat) => seat.fmt(f),
            Grant::Lease(lease) => lease.fmt(f),
        }
    }
}

pin_project! {
    /// A statement in progress in a lane.
    struct LaneCall<'a, T, F> {
        lane: &'a Lane<T>,
        index: Option<usize>,
        #[pin]
        statement: F,
    }

    impl<T, F> PinnedDrop for LaneCall<'_, T, F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(index) = this.index.take() {
                this.lane.waiters().leave(index);
            }
        }
    }
}

impl<T, F: Future> Future for LaneCall<'_, T, F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(answer) = this.statement.poll(context) {
            return Poll::Ready(Some(answer));
        }
        let mut waiters = this.lane.waiters();
        if waiters.rescued {
            return Poll::Ready(None);
        }
        *this.index = Some(waiters.note(*this.index, context.waker()));
        Poll::Pending
    }
}
