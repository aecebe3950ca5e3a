use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use underpin_core::driver::{Connector, Pooled};
use underpin_core::{Deadline, Error, Result};

use crate::background::CHECK_BOUND;
use crate::explanation::{Explanation, WaitEnd};
use crate::hooks::HOOK_BOUND;
use crate::inner::{Inner, PoolHandle, bounded};
use crate::lease::Lease;
use crate::state::{MIN_RETRY_GAP, Ticket};
use crate::timestamp::Timestamp;

/// Options of one call of [`Pool::acquire`](crate::Pool::acquire).
#[derive(Debug, Clone, Copy)]
pub struct AcquireOptions {
    /// Latest time at which the wait ends. Default none; the timeout applies anyway.
    pub deadline: Deadline,
    /// Maximum wait. Default the pool's `acquire_timeout`.
    pub timeout: Option<Duration>,
    /// Number of attempts to connect to wait for after the first has failed. Default that of the
    /// pool's retry policy; with 0 the first failure is the last.
    pub retries: Option<u32>,
    /// Time at which the caller began to wait, if it waited at another pool: waits are measured
    /// from then, and the caller goes before those that came later. Default none: now.
    pub arrived: Option<Instant>,
    /// The line of code that is named as the holder in messages.
    pub caller: &'static Location<'static>,
}

impl AcquireOptions {
    /// The defaults, with the line of code that calls this as the holder.
    #[track_caller]
    pub fn new() -> Self {
        AcquireOptions::at(Location::caller())
    }

    /// The defaults, with this line of code as the holder.
    pub fn at(caller: &'static Location<'static>) -> Self {
        AcquireOptions {
            deadline: Deadline::NONE,
            timeout: None,
            retries: None,
            arrived: None,
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

/// A caller's request to the pool, and its limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    /// The place in the order of arrival, once the caller has one.
    pub(crate) ticket: Option<Ticket>,
    pub(crate) caller: &'static Location<'static>,
    pub(crate) since: Timestamp,
    /// Whether the wait began at another pool.
    pub(crate) moved: bool,
    pub(crate) expires: Timestamp,
    /// Number of further attempts to connect that the caller waits for after the first has failed.
    pub(crate) retries: u32,
    /// Whether the caller also accepts a seat in a lane.
    pub(crate) shares: bool,
}

/// The result of testing a connection before its caller gets it.
pub(crate) enum Tested<C: Connector> {
    Accepted(Lease<C>),
    /// The connection is closed, and the caller continues to wait.
    Refused(PoolHandle<C>),
}

/// One call: its request, its ticket, and where its time went.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    options: AcquireOptions,
    /// Whether the caller also accepts a seat in a lane.
    pub(crate) shares: bool,
    ticket: Option<Ticket>,
    /// The time of the call: when its future was first polled.
    pub(crate) since: Timestamp,
    validating: Duration,
    /// Number of connections that the hook has refused for this call.
    refused: u32,
    /// The pool's total time spent connecting when this call began to wait.
    connecting_before: Option<Duration>,
}

impl Call {
    pub(crate) fn new(options: AcquireOptions, shares: bool) -> Self {
        Call {
            options,
            shares,
            ticket: None,
            since: Timestamp::START,
            validating: Duration::ZERO,
            refused: 0,
            connecting_before: None,
        }
    }

    /// The time at which the caller stops waiting.
    fn expires<C: Connector>(&self, inner: &Inner<C>) -> Timestamp {
        let timeout = self.options.timeout;
        let timeout = timeout.unwrap_or(inner.options.acquire_timeout);
        let deadline = match self.options.deadline.instant() {
            Some(at) => inner.clock.timestamp(at.into()),
            None => Timestamp::NEVER,
        };
        self.since.after(timeout).min(deadline)
    }

    /// The time at which the call began to wait, if it asks the pool for the first time now.
    pub(crate) fn arrival<C: Connector>(&self, inner: &Inner<C>, now: Timestamp) -> Timestamp {
        match self.options.arrived {
            Some(arrived) => inner.clock.timestamp(arrived.into()).min(now),
            None => now,
        }
    }

    pub(crate) fn caller(&self) -> &'static Location<'static> {
        self.options.caller
    }

    /// The request as the state machine gets it.
    pub(crate) fn request<C: Connector>(&self, inner: &Inner<C>) -> Request {
        let retries = self.options.retries;
        Request {
            ticket: self.ticket,
            caller: self.options.caller,
            since: self.since,
            moved: self.options.arrived.is_some(),
            expires: self.expires(inner),
            retries: retries.unwrap_or(inner.options.retry.max_retries),
            shares: self.shares,
        }
    }

    /// Stores the ticket under which the call has had a turn, and which it keeps.
    pub(crate) fn keep(&mut self, ticket: Option<Ticket>) {
        self.ticket = ticket;
    }

    /// Records that the call begins to wait.
    pub(crate) fn waits(&mut self, connecting_before: Duration) {
        self.connecting_before.get_or_insert(connecting_before);
    }

    /// Tests the connection and asks the hook whether the caller may have it, in the caller's
    /// time.
    pub(crate) async fn test<C: Connector>(&mut self, lease: Lease<C>) -> Result<Tested<C>> {
        if lease.is_check_due() && !self.validate(&lease).await? {
            tracing::debug!(pool = lease.pool_name(), "a dead connection is closed");
            Ok(Tested::Refused(lease.refuse()))
        } else if self.admits(&lease).await? {
            Ok(Tested::Accepted(lease))
        } else {
            Ok(Tested::Refused(lease.dismiss()))
        }
    }

    /// Checks within a time limit that the server still answers.
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
            // The hook refuses new connections too, not only those that were idle.
            tokio::time::sleep(expires.since(inner.now()).min(MIN_RETRY_GAP)).await;
        }
        if expires <= inner.now() {
            return Err(self.ended(inner, WaitEnd::Validating));
        }
        Ok(false)
    }

    /// Explains why the call ended without a connection.
    #[cold]
    pub(crate) fn ended<C: Connector>(&self, inner: &Arc<Inner<C>>, end: WaitEnd) -> Error {
        let explanation = inner.with(|locked, now| {
            locked.reconcile(now);
            let mut pool = locked.state.snapshot();
            match end {
                // The state when the wait timed out, not when the caller learns of it.
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
            // Under overload there may be many of these; they are counted instead of logged.
            WaitEnd::Full { .. } | WaitEnd::Shed { .. } => {
                tracing::debug!(pool, place = %caller, %error, "no connection");
            }
        }
        error
    }
}
