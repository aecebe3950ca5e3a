use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use underpin_core::driver::{Connector, Pooled};
use underpin_core::{Deadline, Error, Result};

use crate::background::CHECK_BOUND;
use crate::checkout::{Checkout, CheckoutResult};
use crate::explanation::{Explanation, WaitEnd};
use crate::failure;
use crate::fast::cache::Lookup;
use crate::hooks::HOOK_BOUND;
use crate::inner::{Inner, PoolHandle, bounded};
use crate::lane::{Grant, Seat};
use crate::lease::Lease;
use crate::request::Request;
use crate::state::{MIN_RETRY_GAP, Ticket};
use crate::timestamp::Timestamp;
use crate::work::Job;

/// How one call of [`Pool::acquire`](crate::Pool::acquire) differs from the others.
#[derive(Debug, Clone, Copy)]
pub struct AcquireOptions {
    /// When a connection is wanted at the latest. Default none; the timeout holds anyway.
    pub deadline: Deadline,
    /// How long to wait at most. Default the pool's `acquire_timeout`.
    pub timeout: Option<Duration>,
    /// For how many attempts to connect to wait after the first has failed. Default that
    /// of the pool's retry policy; with 0 the first failure is the last.
    pub retries: Option<u32>,
    /// The line of code that explanations name as the holder.
    pub caller: &'static Location<'static>,
}

impl AcquireOptions {
    /// The defaults, for the line of code that calls this.
    #[track_caller]
    pub fn new() -> Self {
        AcquireOptions::at(Location::caller())
    }

    /// The defaults, for this line of code.
    pub fn at(caller: &'static Location<'static>) -> Self {
        AcquireOptions {
            deadline: Deadline::NONE,
            timeout: None,
            retries: None,
            caller,
        }
    }
}

impl Default for AcquireOptions {
    #[track_caller]
    fn default() -> Self {
        AcquireOptions::new()
    }
}

/// A lease for the caller alone.
pub(crate) async fn acquire<C: Connector>(
    inner: PoolHandle<C>,
    options: AcquireOptions,
) -> Result<Lease<C>> {
    let now = inner.now();
    if let Some(lease) = from_cache(&inner, options.caller, now) {
        return Ok(lease);
    }
    match obtain(inner, options, now, false).await? {
        Grant::Lease(lease) => Ok(lease),
        Grant::Lane(_) => unreachable!("who does not share is given no seat"),
    }
}

/// A seat in a lane, or a lease where none is to be had.
pub(crate) async fn share<C: Connector>(
    inner: PoolHandle<C>,
    options: AcquireOptions,
) -> Result<Grant<C>> {
    // Hooks at each turn are for a session that is the caller's own.
    let shares = !inner.hooks.has_before_acquire() && !inner.hooks.has_after_release();
    let now = inner.now();
    match obtain(inner, options, now, shares).await? {
        Grant::Lease(lease) if !shares => Ok(Grant::Lease(lease)),
        Grant::Lease(lease) => Ok(lease.offer()),
        seat => Ok(seat),
    }
}

/// A connection that stands by, where there is a sound one.
#[inline]
fn from_cache<C: Connector>(
    inner: &PoolHandle<C>,
    caller: &'static Location<'static>,
    now: Timestamp,
) -> Option<Lease<C>> {
    match inner.cache.take_any(now) {
        Lookup::Miss => None,
        Lookup::Hit(mut pooled) if pooled.connection.is_open() => {
            pooled.stamp.since = now;
            inner.cache.record(pooled.slot).leased(caller, now, 0);
            tracing::debug!(pool = inner.name(), "acquired");
            Some(Lease::begun(Arc::clone(inner), pooled))
        }
        Lookup::Hit(pooled) => {
            tracing::debug!(pool = inner.name(), "a dead connection is closed");
            inner.with_at(now, |locked, now| {
                locked.state.broken(pooled.slot, now);
                locked.give(Job::Close(pooled));
            });
            None
        }
        Lookup::Unfit(pooled) => {
            inner.with_at(now, |locked, now| locked.returned_from_cache(pooled, now));
            None
        }
    }
}

async fn obtain<C: Connector>(
    mut inner: PoolHandle<C>,
    options: AcquireOptions,
    now: Timestamp,
    shares: bool,
) -> Result<Grant<C>> {
    let mut call = Call::new(now, options, shares);
    let mut now = Some(call.since);
    loop {
        match Checkout::new(&inner, &mut call, now.take()).await {
            CheckoutResult::Leased { pooled, check } => {
                let mut lease = Lease::new(inner, pooled);
                if !lease.is_open() || (check && !Box::pin(call.validate(&lease)).await?) {
                    tracing::debug!(pool = lease.pool_name(), "a dead connection is closed");
                    inner = lease.refuse();
                } else if call.admits(&lease).await? {
                    lease.begin(options.caller, call.since);
                    tracing::debug!(pool = lease.pool_name(), "acquired");
                    return Ok(Grant::Lease(lease));
                } else {
                    inner = lease.dismiss();
                }
            }
            CheckoutResult::Seated { slot, lane, since } => {
                let seat = Seat::new(inner, slot, lane, since);
                if seat.is_open() {
                    return Ok(Grant::Lane(seat));
                }
                inner = seat.lost();
            }
            CheckoutResult::Stale => {}
            CheckoutResult::Closed => return Err(inner.closed()),
            CheckoutResult::Ended(end) => return Err(call.ended(&inner, end)),
            CheckoutResult::Failed { error, attempts } => {
                return Err(failure::connecting_failed(inner.name(), &error, attempts));
            }
        }
    }
}

/// One call: its place in the queue, and where its time went.
pub(crate) struct Call {
    options: AcquireOptions,
    shares: bool,
    ticket: Option<Ticket>,
    since: Timestamp,
    validating: Duration,
    /// How many connections the hook has refused to this call.
    refused: u32,
    /// The pool's time spent connecting when this call began to wait.
    connecting_before: Option<Duration>,
}

impl Call {
    fn new(now: Timestamp, options: AcquireOptions, shares: bool) -> Self {
        Call {
            options,
            shares,
            ticket: None,
            since: now,
            validating: Duration::ZERO,
            refused: 0,
            connecting_before: None,
        }
    }

    /// When the caller stops waiting.
    fn expires<C: Connector>(&self, inner: &Inner<C>) -> Timestamp {
        let timeout = self.options.timeout;
        let timeout = timeout.unwrap_or(inner.options.acquire_timeout);
        let deadline = match self.options.deadline.instant() {
            Some(at) => inner.timestamp(at.into()),
            None => Timestamp::NEVER,
        };
        self.since.after(timeout).min(deadline)
    }

    /// What the pool is told of the call.
    pub(crate) fn request<C: Connector>(&self, inner: &Inner<C>) -> Request {
        let retries = self.options.retries;
        Request {
            ticket: self.ticket,
            caller: self.options.caller,
            since: self.since,
            expires: self.expires(inner),
            retries: retries.unwrap_or(inner.options.retry.max_retries),
            shares: self.shares,
        }
    }

    /// The call has had a turn under this ticket, which it keeps.
    pub(crate) fn keep(&mut self, ticket: Option<Ticket>) {
        self.ticket = ticket;
    }

    /// The call begins to wait.
    pub(crate) fn waits(&mut self, connecting_before: Duration) {
        self.connecting_before.get_or_insert(connecting_before);
    }

    /// Asks the server for a sign of life, within a bound.
    async fn validate<C: Connector>(&mut self, lease: &Lease<C>) -> Result<bool> {
        let inner = lease.pool();
        let began = inner.now();
        let expires = self.expires(inner);
        let left = expires.since(began).min(CHECK_BOUND);
        let bound = bounded(left);
        let answer = tokio::time::timeout(left, lease.ping(bound)).await;
        let now = inner.now();
        self.validating += now.since(began);
        let well = answer.is_ok_and(|answer| answer.is_ok());
        tracing::debug!(pool = inner.name(), well, "validated");
        if !well && expires <= now {
            return Err(self.ended(inner, WaitEnd::Validating));
        }
        Ok(well)
    }

    /// Asks the hook whether the caller may have the connection, in the caller's time.
    async fn admits<C: Connector>(&mut self, lease: &Lease<C>) -> Result<bool> {
        let inner = lease.pool();
        if !inner.hooks.has_before_acquire() {
            return Ok(true);
        }
        Box::pin(self.ask_hook(inner, lease)).await
    }

    async fn ask_hook<C: Connector>(
        &mut self,
        inner: &Arc<Inner<C>>,
        lease: &Lease<C>,
    ) -> Result<bool> {
        let began = inner.now();
        let expires = self.expires(inner);
        let limit = expires.since(began).min(HOOK_BOUND);
        let said = inner.hooks.run_before_acquire(lease, limit).await;
        self.validating += inner.now().since(began);
        let Err(error) = said else {
            return Ok(true);
        };
        tracing::debug!(pool = inner.name(), %error, "a connection was refused");
        inner.with(|locked, now| locked.last_error = Some((Arc::new(error), now)));
        self.refused += 1;
        if self.refused > inner.options.max {
            // Not only those that were there are refused, but new ones too.
            tokio::time::sleep(expires.since(inner.now()).min(MIN_RETRY_GAP)).await;
        }
        if expires <= inner.now() {
            return Err(self.ended(inner, WaitEnd::Validating));
        }
        Ok(false)
    }

    /// Explains why the call ends without a connection.
    #[cold]
    fn ended<C: Connector>(&self, inner: &Arc<Inner<C>>, end: WaitEnd) -> Error {
        let explanation = inner.with(|locked, now| {
            locked.reconcile(now);
            let mut pool = locked.state.snapshot();
            match end {
                // As it was when the time was up, not now that the caller has heard of it.
                WaitEnd::TimedOut {
                    waiting,
                    awaits_connect,
                } => {
                    locked.state.timed_out();
                    pool.waiting = waiting;
                    pool.awaits_connect = awaits_connect;
                }
                WaitEnd::Validating => locked.state.timed_out(),
                WaitEnd::Full { .. } | WaitEnd::Shed { .. } => {}
            }
            let connecting = match self.connecting_before {
                Some(before) => locked.state.connecting_time(now).saturating_sub(before),
                None => Duration::ZERO,
            };
            Explanation {
                name: inner.name(),
                end,
                waited: now.since(self.since),
                connecting,
                validating: self.validating,
                pool,
                holders: locked.state.holders(now),
                last_error: locked
                    .last_error
                    .as_ref()
                    .map(|(error, at)| (Arc::clone(error), now.since(*at))),
            }
        });
        let error = explanation.into_error();
        let (pool, caller) = (inner.name(), self.options.caller);
        match end {
            WaitEnd::TimedOut { .. } | WaitEnd::Validating => {
                tracing::error!(pool, place = %caller, %error, "no connection");
            }
            // Under overload there may be many of them; they are counted.
            WaitEnd::Full { .. } | WaitEnd::Shed { .. } => {
                tracing::debug!(pool, place = %caller, %error, "no connection");
            }
        }
        error
    }
}
