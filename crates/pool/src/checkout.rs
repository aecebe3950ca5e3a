use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use underpin_core::Error;
use underpin_core::driver::Connector;

use crate::acquire::Call;
use crate::explanation::WaitEnd;
use crate::fast::connection::PoolConnection;
use crate::inner::Inner;
use crate::lane::Lane;
use crate::locked::Wait;
use crate::mailbox::{Mailbox, Outcome};
use crate::release::pass_on;
use crate::state::SlotId;
use crate::timestamp::Timestamp;

/// What came of one turn at the pool.
pub(crate) enum CheckoutResult<T> {
    Leased {
        pooled: Box<PoolConnection<T>>,
        check: bool,
    },
    Seated {
        slot: SlotId,
        lane: Arc<Lane<T>>,
        since: Timestamp,
    },
    /// The connection that came had become stale by then: try again.
    Stale,
    /// The wait has come to its end.
    Ended(WaitEnd),
    Failed {
        error: Arc<Error>,
        attempts: u32,
    },
    Closed,
}

/// Takes what there is, or waits for it. Dropped early, it leaves the queue, and passes on
/// what it was given.
pub(crate) struct Checkout<'a, C: Connector> {
    inner: &'a Arc<Inner<C>>,
    call: &'a mut Call,
    /// The time, where the clock was looked at just before.
    now: Option<Timestamp>,
    /// The place in the queue, and where the outcome arrives.
    waiting: Option<Wait<C::Connection>>,
}

impl<C: Connector> Future for Checkout<'_, C> {
    type Output = CheckoutResult<C::Connection>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let checkout = &mut *self;
        let waker = context.waker();
        if let Some(wait) = &checkout.waiting {
            let Some(outcome) = wait.mailbox.poll(waker) else {
                return Poll::Pending;
            };
            checkout.waiting = None;
            return Poll::Ready(checkout.arrived(outcome));
        }
        let now = checkout.now.take().unwrap_or_else(|| checkout.inner.now());
        let mut request = checkout.call.request(checkout.inner);
        // Made before the lock is taken, where it will probably be needed.
        let ready = checkout.inner.has_waiters().then(|| Mailbox::new(waker));
        let mailbox = || ready.unwrap_or_else(|| Mailbox::new(waker));
        let served = checkout
            .inner
            .with_at(now, |locked, now| locked.serve(&mut request, now, mailbox));
        checkout.call.keep(request.ticket);
        match served {
            Ok(outcome) => Poll::Ready(checkout.arrived(outcome)),
            Err(wait) => {
                checkout.call.waits(wait.connecting_before);
                checkout.waiting = Some(wait);
                Poll::Pending
            }
        }
    }
}

impl<'a, C: Connector> Checkout<'a, C> {
    /// A turn of this call; `now` where the clock was looked at just before.
    pub(crate) fn new(
        inner: &'a Arc<Inner<C>>,
        call: &'a mut Call,
        now: Option<Timestamp>,
    ) -> Self {
        Checkout {
            inner,
            call,
            now,
            waiting: None,
        }
    }

    /// What has come for one who has waited.
    fn arrived(&self, outcome: Outcome<C::Connection>) -> CheckoutResult<C::Connection> {
        match outcome {
            Outcome::Granted {
                pooled,
                check,
                generation,
            } if self.inner.is_current(generation) => CheckoutResult::Leased { pooled, check },
            stale @ Outcome::Granted { .. } => {
                pass_on(self.inner, stale);
                CheckoutResult::Stale
            }
            Outcome::Seated { slot, lane, since } => CheckoutResult::Seated { slot, lane, since },
            Outcome::TimedOut {
                waiting,
                awaits_connect,
            } => CheckoutResult::Ended(WaitEnd::TimedOut {
                waiting,
                awaits_connect,
            }),
            Outcome::Full { most } => CheckoutResult::Ended(WaitEnd::Full { most }),
            Outcome::Shed { overload } => CheckoutResult::Ended(WaitEnd::Shed { overload }),
            Outcome::Failed { error, attempts } => CheckoutResult::Failed { error, attempts },
            Outcome::Closed => CheckoutResult::Closed,
        }
    }
}

impl<C: Connector> Drop for Checkout<'_, C> {
    fn drop(&mut self) {
        let Some(wait) = self.waiting.take() else {
            return;
        };
        self.inner.with(|locked, _| {
            if locked.state.abandon(wait.ticket) {
                locked.mailboxes.remove(wait.cell);
            }
        });
        // What is still on its way finds nobody here, and is passed on by who brings it.
        if let Some(outcome) = wait.mailbox.close() {
            pass_on(self.inner, outcome);
        }
    }
}
