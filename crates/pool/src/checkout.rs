use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use underpin_core::driver::{Connector, Pooled};
use underpin_core::{Error, Result};

use crate::acquire::{AcquireOptions, Call, Tested};
use crate::explanation::WaitEnd;
use crate::failure;
use crate::fast::cache::Lookup;
use crate::fast::mailbox::Parcel;
use crate::fast::outcome::{Answer, Outcome};
use crate::inner::PoolHandle;
use crate::lane::{Grant, Seat};
use crate::lease::Lease;
use crate::locked::Wait;
use crate::release::{pass_on, unclaimed};
use crate::timestamp::Timestamp;

/// One call for a connection, from the first poll to the lease. A hand-written future instead of an
/// `async fn`, so that the usual paths, an idle connection or a wait for one, move as little data
/// as possible.
pub(crate) struct Checkout<C: Connector> {
    /// Moves into the lease or the seat.
    pool: Option<PoolHandle<C>>,
    call: Call,
    stage: Stage<C>,
}

enum Stage<C: Connector> {
    /// Not polled yet.
    Start,
    /// In the queue.
    Waiting(Wait),
    /// A connection is tested before the caller gets it.
    Testing(Testing<C>),
}

type Testing<C> = Pin<Box<dyn Future<Output = (Call, Result<Tested<C>>)> + Send>>;

/// The next step after an outcome.
enum Next<C: Connector> {
    Done(Result<Grant<C>>),
    /// Ask the pool again, in the same place of the queue.
    Again,
    Test(Lease<C>),
}

impl<C: Connector> Checkout<C> {
    /// Begins a call for a lease.
    pub(crate) fn lease(
        pool: PoolHandle<C>,
        options: AcquireOptions,
    ) -> impl Future<Output = Result<Lease<C>>> + Send + use<C> {
        LeaseOnly(Checkout::new(pool, options, false))
    }

    /// Begins a call for a seat in a lane, or for a lease if no lane takes another statement.
    pub(crate) fn share(
        pool: PoolHandle<C>,
        options: AcquireOptions,
    ) -> impl Future<Output = Result<Grant<C>>> + Send + use<C> {
        // These hooks require a session of the caller's own.
        let shares = !pool.hooks.has_before_acquire() && !pool.hooks.has_after_release();
        Checkout::new(pool, options, shares)
    }

    fn new(pool: PoolHandle<C>, options: AcquireOptions, shares: bool) -> Self {
        Checkout {
            pool: Some(pool),
            call: Call::new(options, shares),
            stage: Stage::Start,
        }
    }

    fn pool(&self) -> &PoolHandle<C> {
        self.pool.as_ref().expect(POLLED)
    }

    /// Takes a live connection from the cache of idle ones.
    #[inline]
    fn cached(&mut self, now: Timestamp) -> Option<Lease<C>> {
        match self.pool().cache.take_any(now) {
            Lookup::Miss => None,
            Lookup::Hit(mut pooled) if pooled.connection.is_open() => {
                pooled.stamp.since = now;
                let pool = self.pool.take()?;
                let record = pool.cache.record(pooled.slot);
                record.leased(self.call.caller(), now, 0);
                tracing::debug!(pool = pool.name(), "acquired");
                Some(Lease::begun(pool, pooled))
            }
            Lookup::Hit(pooled) => {
                let pool = self.pool();
                tracing::debug!(pool = pool.name(), "a dead connection is closed");
                pool.with_at(now, |locked, now| {
                    locked.state.broken(pooled.slot, now);
                    locked.close(pooled);
                });
                None
            }
            Lookup::Unfit(pooled) => {
                self.pool()
                    .with_at(now, |locked, now| locked.returned_from_cache(pooled, now));
                None
            }
        }
    }

    /// Asks the pool; joins the queue and returns `None` if the call has to wait.
    fn ask(&mut self, now: Timestamp, waker: &Waker) -> Option<Outcome<C::Connection>> {
        let pool = self.pool.as_ref().expect(POLLED);
        let mut request = self.call.request(pool);
        let served = pool.with_at(now, |locked, now| locked.serve(&mut request, waker, now));
        self.call.keep(request.ticket);
        match served {
            Ok(outcome) => Some(outcome),
            Err(wait) => {
                self.call.waits(wait.connecting_before);
                self.stage = Stage::Waiting(wait);
                None
            }
        }
    }

    /// Takes the outcome out of the mailbox. If it has not arrived, stores this waker to be woken
    /// when it does.
    #[inline]
    fn fetch(&mut self, wait: Wait, waker: &Waker) -> Option<Outcome<C::Connection>> {
        let pool = self.pool.as_ref().expect(POLLED);
        let Some(outcome) = pool.mailbox(wait.cell).take() else {
            self.wake_by(wait, waker);
            return None;
        };
        // The number of the mailbox goes with a connection.
        if matches!(outcome, Parcel::Answer(_)) {
            pool.with(|locked, _| locked.mailboxes.free(wait.cell));
        }
        self.stage = Stage::Start;
        Some(outcome)
    }

    /// Replaces the waker of the wait, for a caller that is polled without being woken.
    #[cold]
    fn wake_by(&self, wait: Wait, waker: &Waker) {
        let before = self.pool().lock().mailboxes.replace_waker(wait.cell, waker);
        // The outcome is on its way, and wakes the earlier waker.
        if before.is_none() {
            waker.wake_by_ref();
        }
    }

    #[inline]
    fn arrived(&mut self, outcome: Outcome<C::Connection>) -> Next<C> {
        match outcome {
            Parcel::Connection(pooled) if self.pool().is_current(pooled.stamp.generation) => {
                let pool = self.pool.take().expect(POLLED);
                let lease = Lease::new(pool, pooled);
                if !lease.is_open() {
                    tracing::debug!(pool = lease.pool_name(), "a dead connection is closed");
                    self.pool = Some(lease.refuse());
                    Next::Again
                } else if lease.is_check_due() || lease.pool().hooks.has_before_acquire() {
                    Next::Test(lease)
                } else {
                    Next::Done(Ok(self.finish(lease)))
                }
            }
            // It became stale on its way to the caller.
            Parcel::Connection(stale) => {
                unclaimed(self.pool(), stale);
                Next::Again
            }
            Parcel::Answer(Answer::Seated { slot, lane, since }) => {
                let pool = self.pool.take().expect(POLLED);
                let seat = Seat::new(pool, slot, lane, since);
                if seat.is_open() {
                    return Next::Done(Ok(Grant::Lane(seat)));
                }
                self.pool = Some(seat.lost());
                Next::Again
            }
            Parcel::Answer(ended) => Next::Done(Err(self.failed(ended))),
        }
    }

    #[inline]
    fn finish(&self, mut lease: Lease<C>) -> Grant<C> {
        lease.begin(self.call.caller(), self.call.since);
        tracing::debug!(pool = lease.pool_name(), "acquired");
        match self.call.shares {
            true => lease.offer(),
            false => Grant::Lease(lease),
        }
    }

    #[cold]
    fn failed(&self, answer: Answer<C::Connection>) -> Error {
        let pool = self.pool();
        let end = match answer {
            Answer::TimedOut {
                waiting,
                awaits_connect,
            } => WaitEnd::TimedOut {
                waiting,
                awaits_connect,
            },
            Answer::Full { most } => WaitEnd::Full { most },
            Answer::Shed { overload } => WaitEnd::Shed { overload },
            Answer::Failed { error, attempts } => {
                return failure::connecting_failed(pool.name(), &error, attempts);
            }
            _ => return pool.closed(),
        };
        self.call.ended(pool, end)
    }

    /// Tests a connection in a boxed future of its own: the test is rare, and its future is large.
    #[cold]
    fn test(&mut self, lease: Lease<C>) {
        let mut call = self.call.clone();
        self.stage = Stage::Testing(Box::pin(async move {
            let tested = call.test(lease).await;
            (call, tested)
        }));
    }
}

const POLLED: &str = "a checkout has its pool until it is ready";

impl<C: Connector> Future for Checkout<C> {
    type Output = Result<Grant<C>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let waker = context.waker();
        let mut outcome = match &mut this.stage {
            Stage::Start => {
                let now = this.pool().now();
                this.call.since = this.call.arrival(this.pool(), now);
                if !this.call.shares
                    && let Some(lease) = this.cached(now)
                {
                    return Poll::Ready(Ok(Grant::Lease(lease)));
                }
                this.ask(now, waker)
            }
            Stage::Waiting(wait) => {
                let wait = *wait;
                this.fetch(wait, waker)
            }
            Stage::Testing(_) => None,
        };
        loop {
            if let Stage::Testing(testing) = &mut this.stage {
                let Poll::Ready((call, tested)) = testing.as_mut().poll(context) else {
                    return Poll::Pending;
                };
                this.call = call;
                this.stage = Stage::Start;
                match tested {
                    Err(error) => return Poll::Ready(Err(error)),
                    Ok(Tested::Accepted(lease)) => return Poll::Ready(Ok(this.finish(lease))),
                    Ok(Tested::Refused(pool)) => {
                        this.pool = Some(pool);
                        let now = this.pool().now();
                        outcome = this.ask(now, context.waker());
                    }
                }
            }
            let Some(arrived) = outcome.take() else {
                return Poll::Pending;
            };
            match this.arrived(arrived) {
                Next::Done(result) => return Poll::Ready(result),
                Next::Test(lease) => this.test(lease),
                Next::Again => {
                    let now = this.pool().now();
                    outcome = this.ask(now, context.waker());
                }
            }
        }
    }
}

impl<C: Connector> Drop for Checkout<C> {
    /// Leaves the queue, and passes on what was on its way here.
    fn drop(&mut self) {
        let (Stage::Waiting(wait), Some(pool)) = (&self.stage, &self.pool) else {
            return;
        };
        let mailbox = pool.mailbox(wait.cell);
        // The waker in it is dropped without the lock, since it may be the last reference to its
        // task.
        let left = pool.with(|locked, _| {
            let was_waiting = locked.state.abandon(wait.ticket);
            was_waiting.then(|| {
                locked.mailboxes.free(wait.cell);
                locked.mailboxes.take_waker(wait.cell)
            })
        });
        if left.is_none()
            && let Some(outcome) = mailbox.close()
        {
            pass_on(pool, wait.cell, outcome);
        }
    }
}

/// A checkout that never shares.
struct LeaseOnly<C: Connector>(Checkout<C>);

impl<C: Connector> Future for LeaseOnly<C> {
    type Output = Result<Lease<C>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0)
            .poll(context)
            .map_ok(|grant| match grant {
                Grant::Lease(lease) => lease,
                Grant::Lane(_) => unreachable!("a call that does not share gets no seat"),
            })
    }
}
