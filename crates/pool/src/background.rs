//! The tasks that connect, check, reset and close, and the upkeep task. They hold the pool weakly
//! while they wait, so that the pool is dropped with its last user, and a task that is dropped
//! halfway undoes what was counted for it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use underpin_core::driver::{Connector, Lingering, Pooled, SessionState};
use underpin_core::retry::{Decision, Operation, Reason};
use underpin_core::{Class, Deadline, Error, Recycling, Result};

use crate::failure;
use crate::fast::connection::{BoxedConnection, PoolConnection};
use crate::fast::outcome::Delivery;
use crate::hooks::Hooks;
use crate::inner::{Inner, bounded};
use crate::release::{pass_on, return_lane};
use crate::state::{AfterFailure, Holder, SlotId};
use crate::work::{Job, Work};

/// Time limit for a test of a connection.
pub(crate) const CHECK_BOUND: Duration = Duration::from_secs(5);
/// Time limit for a reset of a connection.
const RESET_BOUND: Duration = Duration::from_secs(5);
/// Time limit for closing a connection; after that it is dropped as it is.
pub(crate) const CLOSE_BOUND: Duration = Duration::from_secs(5);

/// Starts the collected work. Called without the lock.
pub(crate) fn start<C: Connector>(inner: &Arc<Inner<C>>, work: Work<C::Connection>) {
    for delivery in work.deliveries {
        deliver(inner, delivery);
    }
    for Holder { caller, held } in work.leaks {
        let pool = inner.name();
        tracing::warn!(pool, place = %caller, ?held, "a connection is held past leak_threshold");
    }
    if work.cancel_connects {
        inner.source.cancel();
    }
    if work.reschedule {
        inner.reschedule.notify_one();
    }
    if work.drained {
        inner.drained.notify_waiters();
    }
    for job in work.jobs {
        match job {
            Job::Connect(slot) => {
                inner
                    .runtime
                    .spawn(connect(ConnectAttempt::new(inner, slot)));
            }
            Job::Check(pooled) => {
                let (claim, hooks) = (SlotGuard::new(inner, pooled.slot), Arc::clone(&inner.hooks));
                inner.runtime.spawn(check(claim, pooled, hooks));
            }
            Job::Reset(pooled) => {
                let (claim, hooks) = (SlotGuard::new(inner, pooled.slot), Arc::clone(&inner.hooks));
                let recycling = inner.options.recycling.clone();
                let lingering = Lingering::begin();
                inner.runtime.spawn(async move {
                    reset(claim, pooled, hooks, recycling).await;
                    drop(lingering);
                });
            }
            Job::Close(pooled) => {
                let (claim, hooks) = (SlotGuard::new(inner, pooled.slot), Arc::clone(&inner.hooks));
                let lingering = Lingering::begin();
                inner.runtime.spawn(async move {
                    hooks.close(pooled.connection).await;
                    drop((claim, lingering));
                });
            }
            Job::Return(lane) => return_lane(inner, lane),
            Job::Rescue(lane) => {
                lane.rescue();
                return_lane(inner, lane);
            }
        }
    }
}

/// Delivers the result of a wait to its waiter. Called without the lock.
pub(crate) fn deliver<C: Connector>(inner: &Arc<Inner<C>>, delivery: Delivery<C::Connection>) {
    let Delivery {
        cell,
        waker,
        outcome,
    } = delivery;
    match inner.mailbox(cell).deliver(outcome) {
        Ok(()) => waker.into_iter().for_each(Waker::wake),
        Err(unwanted) => pass_on(inner, cell, unwanted),
    }
}

/// Closes the pool when the runtime of its upkeep task ends, so that no caller waits for something
/// that cannot happen.
struct RuntimeEnd<C: Connector>(Weak<Inner<C>>);

impl<C: Connector> Drop for RuntimeEnd<C> {
    fn drop(&mut self) {
        let Some(inner) = self.0.upgrade() else {
            return;
        };
        inner.with(|locked, now| {
            if !locked.state.is_closing() {
                inner.runtime_ended.store(true, Ordering::Release);
                locked.state.drain(now);
            }
        });
    }
}

/// Sleeps until something is due, does it, and ends with the pool.
pub(crate) async fn upkeep<C: Connector>(pool: Weak<Inner<C>>, reschedule: Arc<Notify>) {
    let _end = RuntimeEnd(Weak::clone(&pool));
    loop {
        let Some(inner) = pool.upgrade() else { return };
        inner.clock.compare();
        let due = inner.with(|locked, now| {
            locked.reconcile(now);
            locked.state.upkeep(now);
            (!locked.state.is_closing()).then(|| locked.state.next_due(now))
        });
        let Some(due) = due else { return };
        let until = inner.clock.instant(due);
        drop(inner);
        match until {
            Some(until) => {
                let _ = tokio::time::timeout_at(until, reschedule.notified()).await;
            }
            None => reschedule.notified().await,
        }
    }
}

/// A task's hold on a slot. When it is dropped, the slot's connection is gone.
pub(crate) struct SlotGuard<C: Connector> {
    pool: Weak<Inner<C>>,
    slot: SlotId,
    settled: bool,
}

impl<C: Connector> SlotGuard<C> {
    pub(crate) fn new(inner: &Arc<Inner<C>>, slot: SlotId) -> Self {
        SlotGuard {
            pool: Arc::downgrade(inner),
            slot,
            settled: false,
        }
    }

    /// Returns the pool, which then decides what happens to the slot.
    fn settle(mut self) -> Option<(Arc<Inner<C>>, SlotId)> {
        self.settled = true;
        Some((self.pool.upgrade()?, self.slot))
    }
}

impl<C: Connector> Drop for SlotGuard<C> {
    fn drop(&mut self) {
        if !self.settled
            && let Some(inner) = self.pool.upgrade()
        {
            inner.with(|locked, now| locked.state.closed(self.slot, now));
        }
    }
}

/// A task's hold on a slot that is being connected. When it is dropped, the attempt has failed.
struct ConnectAttempt<C: Connector> {
    pool: Weak<Inner<C>>,
    connector: Arc<C>,
    cancel: watch::Receiver<bool>,
    hooks: Arc<Hooks<C::Connection>>,
    name: String,
    limit: Duration,
    slot: SlotId,
    settled: bool,
}

impl<C: Connector> ConnectAttempt<C> {
    fn new(inner: &Arc<Inner<C>>, slot: SlotId) -> Self {
        let (connector, cancel) = inner.source.current();
        ConnectAttempt {
            pool: Arc::downgrade(inner),
            connector,
            cancel,
            hooks: Arc::clone(&inner.hooks),
            name: inner.name().to_owned(),
            limit: inner.options.connection_timeout,
            slot,
            settled: false,
        }
    }

    async fn connect(&self) -> Result<C::Connection> {
        let (connector, hooks) = (&*self.connector, &self.hooks);
        open(connector, hooks, &self.name, self.limit, Deadline::NONE).await
    }

    fn failed(&mut self, error: Error) {
        self.settled = true;
        let Some(inner) = self.pool.upgrade() else {
            return;
        };
        let decision =
            inner
                .options
                .retry
                .decide(0, &error, Operation::Connect, None, fastrand::f64());
        let permanent = decision == Decision::GiveUp(Reason::Permanent);
        let error = Arc::new(error);
        let after = inner.with(|locked, now| {
            locked.last_error = Some((Arc::clone(&error), now));
            locked
                .state
                .connect_failed(self.slot, permanent, now, fastrand::f64())
        });
        log_failure(&inner, &error, permanent, after);
    }
}

impl<C: Connector> Drop for ConnectAttempt<C> {
    fn drop(&mut self) {
        if !self.settled {
            let message = "The attempt to connect ended without a result.";
            self.failed(Error::new(Class::Connect, message));
        }
    }
}

/// Opens a connection and sets up its session for callers.
pub(crate) async fn open<C: Connector>(
    connector: &C,
    hooks: &Hooks<C::Connection>,
    name: &str,
    limit: Duration,
    deadline: Deadline,
) -> Result<C::Connection> {
    let now = Instant::now().into_std();
    let limit = deadline
        .remaining(now)
        .map_or(limit, |left| left.min(limit));
    let connecting = connector.connect(bounded(limit));
    let connection = match tokio::time::timeout(limit, connecting).await {
        Ok(result) => result?,
        Err(_) => return Err(failure::connecting_took_too_long(name, limit)),
    };
    match hooks.run_after_connect(&connection).await {
        Ok(()) => Ok(connection),
        Err(error) => {
            hooks.close(connection).await;
            Err(error)
        }
    }
}

async fn connect<C: Connector>(mut attempt: ConnectAttempt<C>) {
    let mut cancel = attempt.cancel.clone();
    let result = tokio::select! {
        biased;
        result = attempt.connect() => Some(result),
        _ = cancel.wait_for(|canceled| *canceled) => None,
    };
    let slot = attempt.slot;
    match result {
        Some(Err(error)) => attempt.failed(error),
        None => {
            attempt.settled = true;
            if let Some(inner) = attempt.pool.upgrade() {
                inner.with(|locked, now| locked.state.connect_canceled(slot, now));
            }
        }
        Some(Ok(connection)) => {
            attempt.settled = true;
            let Some(inner) = attempt.pool.upgrade() else {
                return attempt.hooks.close(connection).await;
            };
            tracing::debug!(pool = inner.name(), "a connection was opened");
            inner.with(|locked, now| {
                let placement = locked.state.connected(slot, now, fastrand::f64());
                locked.put(PoolConnection::new(slot, connection), placement, now);
            });
        }
    }
}

async fn check<C: Connector>(
    claim: SlotGuard<C>,
    pooled: BoxedConnection<C>,
    hooks: Arc<Hooks<C::Connection>>,
) {
    let connection = &pooled.connection;
    let well = connection.is_open()
        && tokio::time::timeout(CHECK_BOUND, connection.ping(bounded(CHECK_BOUND)))
            .await
            .is_ok_and(|answer| answer.is_ok());
    let Some((inner, slot)) = claim.settle() else {
        return hooks.close(pooled.connection).await;
    };
    tracing::debug!(
        pool = inner.name(),
        well,
        "an idle connection was validated"
    );
    inner.with(|locked, now| match locked.state.checked(slot, well, now) {
        Some(placement) => locked.put(pooled, placement, now),
        None => locked.close(pooled),
    });
}

/// Resets a returned connection for the next caller, and runs the hooks.
async fn reset<C: Connector>(
    claim: SlotGuard<C>,
    pooled: BoxedConnection<C>,
    hooks: Arc<Hooks<C::Connection>>,
    recycling: Recycling,
) {
    let connection = &pooled.connection;
    let mut clean = true;
    let mut said = Ok(());
    // The connection may be here only for the hook.
    let is_fit = connection.state() == SessionState::Clean
        && match recycling {
            Recycling::Verified => connection.settle(false),
            Recycling::Fast => true,
            _ => false,
        };
    if !is_fit {
        let resetting = connection.recycle(&recycling, bounded(RESET_BOUND));
        let result = tokio::time::timeout(RESET_BOUND, resetting).await;
        clean = result.is_ok_and(|result| result.is_ok()) && connection.is_open();
        if clean {
            said = hooks.run_after_connect(connection).await;
        }
    }
    if clean && said.is_ok() {
        said = hooks.run_after_release(connection).await;
    }
    let Some((inner, slot)) = claim.settle() else {
        return hooks.close(pooled.connection).await;
    };
    tracing::debug!(pool = inner.name(), clean, "a connection was reset");
    inner.with(|locked, now| {
        if let Err(error) = said {
            tracing::debug!(pool = inner.name(), %error, "a connection was refused");
            locked.last_error = Some((Arc::new(error), now));
            locked.state.dismissed(slot, now);
            locked.close(pooled);
        } else if clean {
            let placement = locked.state.reset(slot, now);
            locked.put(pooled, placement, now);
        } else {
            locked.state.broken(slot, now);
            locked.close(pooled);
        }
    });
}

fn log_failure<C: Connector>(
    inner: &Inner<C>,
    error: &Error,
    permanent: bool,
    after: AfterFailure,
) {
    let AfterFailure {
        failures,
        failed_waiters,
        retry_in,
    } = after;
    let pool = inner.name();
    if permanent {
        tracing::error!(pool, %error, failed_waiters, "connecting failed permanently");
    } else if failed_waiters > 0 {
        tracing::error!(pool, %error, failures, failed_waiters, "gave up connecting");
    }
    if let Some(wait) = retry_in.filter(|_| !permanent) {
        tracing::warn!(pool, %error, failures, ?wait, "connecting failed and will be retried");
    }
}
