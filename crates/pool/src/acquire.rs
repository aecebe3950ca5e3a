use std::panic::Location;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use underpin_core::driver::{Connector, Pooled};
use underpin_core::{Deadline, Error, Result};

use crate::background::CHECK_BOUND;
use crate::explanation::{Ending, Explanation};
use crate::failure;
use crate::hooks::HOOK_BOUND;
use crate::inner::{Inner, Locked, bounded};
use crate::lane::{Place, Seat};
use crate::lease::Lease;
use crate::mailbox::Mailbox;
use crate::moment::Moment;
use crate::state::{Acquisition, GAP, Ticket, Waiter};
use crate::turn::{Turn, Turned, Waits, seated};

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
    pub place: &'static Location<'static>,
}

impl AcquireOptions {
    /// The defaults, for the line of code that calls this.
    #[track_caller]
    pub fn new() -> Self {
        AcquireOptions::at(Location::caller())
    }

    /// The defaults, for this line of code.
    pub fn at(place: &'static Location<'static>) -> Self {
        AcquireOptions {
            deadline: Deadline::NONE,
            timeout: None,
            retries: None,
            place,
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
    inner: Arc<Inner<C>>,
    options: AcquireOptions,
) -> Result<Lease<C>> {
    match obtain(inner, options, false).await? {
        Place::Lease(lease) => Ok(lease),
        Place::Lane(_) => unreachable!("who does not share is given no seat"),
    }
}

/// A seat in a lane, or a lease where none is to be had.
pub(crate) async fn share<C: Connector>(
    inner: Arc<Inner<C>>,
    options: AcquireOptions,
) -> Result<Place<C>> {
    // Hooks at each turn are for a session that is the caller's own.
    let shares = !inner.hooks.has_before_acquire() && !inner.hooks.has_after_release();
    match obtain(inner, options, shares).await? {
        Place::Lease(lease) if !shares => Ok(Place::Lease(lease)),
        Place::Lease(lease) => Ok(lease.offer()),
        seat => Ok(seat),
    }
}

async fn obtain<C: Connector>(
    mut inner: Arc<Inner<C>>,
    options: AcquireOptions,
    shares: bool,
) -> Result<Place<C>> {
    let mut call = Call::new(inner.now(), options, shares);
    let mut now = Some(call.since);
    loop {
        match Turn::new(&inner, &mut call, now.take()).await {
            Turned::Leased {
                slot,
                connection,
                check,
            } => {
                let lease = Lease::new(inner, slot, connection);
                if !lease.is_open() || (check && !Box::pin(call.validate(&lease)).await?) {
                    tracing::debug!(pool = lease.pool_name(), "a dead connection is closed");
                    inner = lease.refuse();
                } else if call.admits(&lease).await? {
                    tracing::debug!(pool = lease.pool_name(), "acquired");
                    return Ok(Place::Lease(lease));
                } else {
                    inner = lease.dismiss();
                }
            }
            Turned::Seated { slot, lane, since } => {
                let seat = Seat::new(inner, slot, lane, since);
                if seat.is_open() {
                    return Ok(Place::Lane(seat));
                }
                inner = seat.lost();
            }
            Turned::Stale => {}
            Turned::Closed => return Err(inner.closed()),
            Turned::Ended(end) => return Err(call.ended(&inner, end)),
            Turned::Failed { error, attempts } => {
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
    since: Moment,
    validating: Duration,
    /// How many connections the hook has refused to this call.
    refused: u32,
    /// The pool's time spent connecting when this call began to wait.
    connecting_before: Option<Duration>,
}

impl Call {
    fn new(now: Moment, options: AcquireOptions, shares: bool) -> Self {
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
    fn expires<C: Connector>(&self, inner: &Inner<C>) -> Moment {
        let timeout = self.options.timeout;
        let timeout = timeout.unwrap_or(inner.options.acquire_timeout);
        let deadline = match self.options.deadline.instant() {
            Some(at) => inner.moment(at.into()),
            None => Moment::NEVER,
        };
        self.since.after(timeout).min(deadline)
    }

    /// Takes a seat or an idle connection, or a place in the queue and a cell.
    pub(crate) fn take<C: Connector>(
        &mut self,
        inner: &Arc<Inner<C>>,
        locked: &mut Locked<C::Connection>,
        now: Moment,
        mailbox: &mut Option<Arc<Mailbox<C::Connection>>>,
        waker: &Waker,
    ) -> Result<Turned<C::Connection>, Waits> {
        if self.shares
            && let Some(slot) = locked.state.join(now)
        {
            return Ok(seated(locked, slot, now));
        }
        let state = &mut locked.state;
        let ticket = *self.ticket.get_or_insert_with(|| state.issue_ticket());
        let place = self.options.place;
        match locked.state.acquire(place, self.since, now) {
            Acquisition::Closed => Ok(Turned::Closed),
            Acquisition::Ready { slot, check } => Ok(match locked.take(slot) {
                Some(connection) => Turned::Leased {
                    slot,
                    connection,
                    check,
                },
                None => Turned::Closed,
            }),
            Acquisition::Wait if !locked.state.has_room_for(ticket) => {
                let most = inner.options.max_waiting.unwrap_or_default();
                Ok(Turned::Ended(Ending::Full { most }))
            }
            Acquisition::Wait => {
                let connecting = locked.state.connecting_time(now);
                self.connecting_before.get_or_insert(connecting);
                let mailbox = mailbox.get_or_insert_with(|| Mailbox::new(waker));
                let cell = locked.mailboxes.add(Arc::clone(mailbox));
                let retries = self.options.retries;
                let waiter = Waiter {
                    ticket,
                    cell,
                    place,
                    since: self.since,
                    retries: retries.unwrap_or(inner.options.retry.max_retries),
                    failures: 0,
                    due: now,
                    expires: self.expires(inner),
                    shares: self.shares,
                };
                locked.state.enqueue(waiter, now);
                Err(Waits { cell, ticket })
            }
        }
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
            return Err(self.ended(inner, Ending::Validating));
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
            tokio::time::sleep(expires.since(inner.now()).min(GAP)).await;
        }
        if expires <= inner.now() {
            return Err(self.ended(inner, Ending::Validating));
        }
        Ok(false)
    }

    /// Explains why the call ends without a connection.
    #[cold]
    fn ended<C: Connector>(&self, inner: &Arc<Inner<C>>, end: Ending) -> Error {
        let explanation = inner.with(|locked, now| {
            let mut pool = locked.state.snapshot();
            match end {
                // As it was when the time was up, not now that the caller has heard of it.
                Ending::TimedOut {
                    waiting,
                    awaits_connect,
                } => {
                    locked.state.timed_out();
                    pool.waiting = waiting;
                    pool.awaits_connect = awaits_connect;
                }
                Ending::Validating => locked.state.timed_out(),
                Ending::Full { .. } | Ending::Shed { .. } => {}
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
        let (pool, place) = (inner.name(), self.options.place);
        match end {
            Ending::TimedOut { .. } | Ending::Validating => {
                tracing::error!(pool, %place, %error, "no connection");
            }
            // Under overload there may be many of them; they are counted.
            Ending::Full { .. } | Ending::Shed { .. } => {
                tracing::debug!(pool, %place, %error, "no connection");
            }
        }
        error
    }
}
