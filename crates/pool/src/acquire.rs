use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;
use underpin_core::driver::{Connector, Pooled};
use underpin_core::{Deadline, Error, Result, Stage};

use crate::background::CHECK_BOUND;
use crate::explanation::{Ending, Explanation};
use crate::failure;
use crate::hooks::HOOK_BOUND;
use crate::inner::Inner;
use crate::lease::Lease;
use crate::mailbox::Outcome;
use crate::moment::Moment;
use crate::state::{Acquisition, GAP, Ticket, Waiter};

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

/// One call of `acquire`: its place in the queue, and where its time went.
struct Call {
    options: AcquireOptions,
    ticket: Option<Ticket>,
    since: Moment,
    deadline: Deadline,
    validating: Duration,
    /// How many connections the hook has refused to this call.
    refused: u32,
    /// The pool's time spent connecting when this call began to wait.
    connecting_before: Option<Duration>,
}

pub(crate) async fn acquire<C: Connector>(
    inner: Arc<Inner<C>>,
    options: AcquireOptions,
) -> Result<Lease<C>> {
    let mut call = Call::new(&inner, options);
    loop {
        let (lease, check) = match call.take(&inner) {
            Step::Leased { lease, check } => (lease, check),
            Step::Closed => return Err(failure::closed(inner.name())),
            Step::Full { most } => return Err(call.ended(&inner, Ending::Full { most })),
            Step::Wait { cell, ticket } => {
                let waiting = Waiting {
                    inner: &inner,
                    ticket,
                    cell,
                    arrived: false,
                };
                match call.wait(&inner, waiting).await? {
                    Some(leased) => leased,
                    None => continue,
                }
            }
        };
        if !lease.is_open() || (check && !call.validate(&inner, &lease).await?) {
            tracing::debug!(pool = inner.name(), "a dead connection is closed");
            lease.refuse();
        } else if call.admits(&inner, &lease).await? {
            tracing::debug!(pool = inner.name(), "acquired");
            return Ok(lease);
        } else {
            lease.dismiss();
        }
    }
}

enum Step<C: Connector> {
    Leased { lease: Lease<C>, check: bool },
    Wait { cell: u32, ticket: Ticket },
    Full { most: u32 },
    Closed,
}

impl Call {
    fn new<C: Connector>(inner: &Inner<C>, options: AcquireOptions) -> Self {
        let timeout = options.timeout.unwrap_or(inner.options.acquire_timeout);
        let now = Instant::now();
        Call {
            options,
            ticket: None,
            since: inner.moment(now),
            deadline: options
                .deadline
                .earlier(Deadline::after(now.into_std(), timeout)),
            validating: Duration::ZERO,
            refused: 0,
            connecting_before: None,
        }
    }

    /// Takes an idle connection, or a place in the queue.
    fn take<C: Connector>(&mut self, inner: &Arc<Inner<C>>) -> Step<C> {
        let place = self.options.place;
        inner.with(|locked, now| {
            let ticket = *self
                .ticket
                .get_or_insert_with(|| locked.state.issue_ticket());
            match locked.state.acquire(place, self.since, now) {
                Acquisition::Closed => Step::Closed,
                Acquisition::Ready { slot, check } => match locked.take(slot) {
                    Some(connection) => {
                        let lease = Lease::new(Arc::clone(inner), slot, connection);
                        Step::Leased { lease, check }
                    }
                    None => Step::Closed,
                },
                Acquisition::Wait if !locked.state.has_room_for(ticket) => Step::Full {
                    most: inner.options.max_waiting.unwrap_or_default(),
                },
                Acquisition::Wait => {
                    let cell = locked.mailboxes.open();
                    let connecting = locked.state.connecting_time(now);
                    self.connecting_before.get_or_insert(connecting);
                    let retries = self.options.retries;
                    let waiter = Waiter {
                        ticket,
                        cell,
                        place,
                        since: self.since,
                        retries: retries.unwrap_or(inner.options.retry.max_retries),
                        failures: 0,
                        due: now,
                    };
                    locked.state.enqueue(waiter, now);
                    Step::Wait { cell, ticket }
                }
            }
        })
    }

    /// Waits for a connection. `None`: the one that came is stale by now; try again.
    async fn wait<C: Connector>(
        &self,
        inner: &Arc<Inner<C>>,
        mut waiting: Waiting<'_, C>,
    ) -> Result<Option<(Lease<C>, bool)>> {
        let outcome = match self.deadline.instant() {
            None => (&mut waiting).await,
            Some(at) => match tokio::time::timeout_at(at.into(), &mut waiting).await {
                Ok(outcome) => outcome,
                Err(_) => return Err(self.ended(inner, Ending::TimedOut(None))),
            },
        };
        match outcome {
            Outcome::Closed => Err(failure::closed(inner.name())),
            Outcome::Shed { standing } => Err(self.ended(inner, Ending::Shed { standing })),
            Outcome::Failed { error, attempts } => {
                Err(failure::connecting_failed(inner.name(), &error, attempts))
            }
            Outcome::Granted {
                slot,
                connection,
                check,
            } => inner.with(|locked, now| {
                if locked.state.is_current(slot) {
                    let lease = Lease::new(Arc::clone(inner), slot, connection);
                    return Ok(Some((lease, check)));
                }
                let placement = locked.state.unclaimed(slot, now);
                locked.put(slot, connection, placement);
                Ok(None)
            }),
        }
    }

    /// Asks the server for a sign of life, within a bound.
    async fn validate<C: Connector>(
        &mut self,
        inner: &Arc<Inner<C>>,
        lease: &Lease<C>,
    ) -> Result<bool> {
        let began = Instant::now();
        let bound = Deadline::after(began.into_std(), CHECK_BOUND).earlier(self.deadline);
        let left = bound.remaining(began.into_std()).unwrap_or(CHECK_BOUND);
        let answer = tokio::time::timeout(left, lease.ping(bound)).await;
        let now = Instant::now();
        self.validating += now.saturating_duration_since(began);
        let well = answer.is_ok_and(|answer| answer.is_ok());
        tracing::debug!(pool = inner.name(), well, "validated");
        if !well && self.deadline.has_passed(now.into_std()) {
            return Err(self.ended(inner, Ending::TimedOut(Some(Stage::Validate))));
        }
        Ok(well)
    }

    /// Asks the hook whether the caller may have the connection, in the caller's time.
    async fn admits<C: Connector>(
        &mut self,
        inner: &Arc<Inner<C>>,
        lease: &Lease<C>,
    ) -> Result<bool> {
        if !inner.hooks.has_before_acquire() {
            return Ok(true);
        }
        let began = Instant::now();
        let left = self.deadline.remaining(began.into_std());
        let limit = left.unwrap_or(HOOK_BOUND);
        let said = inner.hooks.run_before_acquire(lease, limit).await;
        self.validating += began.elapsed();
        let Err(error) = said else {
            return Ok(true);
        };
        tracing::debug!(pool = inner.name(), %error, "a connection was refused");
        inner.with(|locked, now| locked.last_error = Some((Arc::new(error), now)));
        self.refused += 1;
        if self.refused > inner.options.max {
            // Not only those that were there are refused, but new ones too.
            let end = Deadline::after(Instant::now().into_std(), GAP).earlier(self.deadline);
            if let Some(end) = end.instant() {
                tokio::time::sleep_until(end.into()).await;
            }
        }
        if self.deadline.has_passed(Instant::now().into_std()) {
            return Err(self.ended(inner, Ending::TimedOut(Some(Stage::Validate))));
        }
        Ok(false)
    }

    /// Explains why the call ends without a connection.
    fn ended<C: Connector>(&self, inner: &Arc<Inner<C>>, end: Ending) -> Error {
        let explanation = inner.with(|locked, now| {
            if matches!(end, Ending::TimedOut(_)) {
                locked.state.timed_out();
            }
            let pool = locked.state.snapshot();
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
            Ending::TimedOut(_) => tracing::error!(pool, %place, %error, "no connection"),
            // Under overload there may be many of them; they are counted.
            Ending::Full { .. } | Ending::Shed { .. } => {
                tracing::debug!(pool, %place, %error, "no connection");
            }
        }
        error
    }
}

/// The wait of one caller. Dropped early, it leaves the queue, and passes on what it was given.
struct Waiting<'a, C: Connector> {
    inner: &'a Arc<Inner<C>>,
    ticket: Ticket,
    cell: u32,
    arrived: bool,
}

impl<C: Connector> Future for Waiting<'_, C> {
    type Output = Outcome<C::Connection>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let cell = self.cell;
        let arrived = self.inner.lock().mailboxes.poll(cell, context.waker());
        match arrived {
            Some(outcome) => {
                self.arrived = true;
                Poll::Ready(outcome)
            }
            None => Poll::Pending,
        }
    }
}

impl<C: Connector> Drop for Waiting<'_, C> {
    fn drop(&mut self) {
        if self.arrived {
            return;
        }
        self.inner.with(|locked, now| {
            locked.state.abandon(self.ticket);
            if let Some(Outcome::Granted {
                slot, connection, ..
            }) = locked.mailboxes.close(self.cell)
            {
                let placement = locked.state.unclaimed(slot, now);
                locked.put(slot, connection, placement);
            }
        });
    }
}
