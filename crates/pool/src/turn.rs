use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use underpin_core::Error;
use underpin_core::driver::Connector;

use crate::acquire::Call;
use crate::explanation::Ending;
use crate::give_back::pass_on;
use crate::inner::Inner;
use crate::lane::Lane;
use crate::locked::Wait;
use crate::mailbox::{Mailbox, Outcome};
use crate::member::Member;
use crate::moment::Moment;
use crate::state::SlotId;

/// What came of one turn at the pool.
pub(crate) enum Turned<T> {
    Leased {
        member: Box<Member<T>>,
        check: bool,
    },
    Seated {
        slot: SlotId,
        lane: Arc<Lane<T>>,
        since: Moment,
    },
    /// The connection that came had become stale by then: try again.
    Stale,
    /// The wait has come to its end.
    Ended(Ending),
    Failed {
        error: Arc<Error>,
        attempts: u32,
    },
    Closed,
}

/// Takes what there is, or waits for it. Dropped early, it leaves the queue, and passes on
/// what it was given.
pub(crate) struct Turn<'a, C: Connector> {
    inner: &'a Arc<Inner<C>>,
    call: &'a mut Call,
    /// The time, where the clock was looked at just before.
    now: Option<Moment>,
    /// The place in the queue, and where the outcome arrives.
    waiting: Option<Wait<C::Connection>>,
}

impl<C: Connector> Future for Turn<'_, C> {
    type Output = Turned<C::Connection>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let turn = &mut *self;
        let waker = context.waker();
        if let Some(wait) = &turn.waiting {
            let Some(outcome) = wait.mailbox.poll(waker) else {
                return Poll::Pending;
            };
            turn.waiting = None;
            return Poll::Ready(turn.arrived(outcome));
        }
        let now = turn.now.take().unwrap_or_else(|| turn.inner.now());
        let mut request = turn.call.request(turn.inner);
        // Made before the lock is taken, where it will probably be needed.
        let ready = turn.inner.is_crowded().then(|| Mailbox::new(waker));
        let mailbox = || ready.unwrap_or_else(|| Mailbox::new(waker));
        let served = turn
            .inner
            .with_at(now, |locked, now| locked.serve(&mut request, now, mailbox));
        turn.call.keep(request.ticket);
        match served {
            Ok(outcome) => Poll::Ready(turn.arrived(outcome)),
            Err(wait) => {
                turn.call.waits(wait.connecting_before);
                turn.waiting = Some(wait);
                Poll::Pending
            }
        }
    }
}

impl<'a, C: Connector> Turn<'a, C> {
    /// A turn of this call; `now` where the clock was looked at just before.
    pub(crate) fn new(inner: &'a Arc<Inner<C>>, call: &'a mut Call, now: Option<Moment>) -> Self {
        Turn {
            inner,
            call,
            now,
            waiting: None,
        }
    }

    /// What has come for one who has waited.
    fn arrived(&self, outcome: Outcome<C::Connection>) -> Turned<C::Connection> {
        match outcome {
            Outcome::Granted {
                member,
                check,
                generation,
            } if self.inner.is_current(generation) => Turned::Leased { member, check },
            stale @ Outcome::Granted { .. } => {
                pass_on(self.inner, stale);
                Turned::Stale
            }
            Outcome::Seated { slot, lane, since } => Turned::Seated { slot, lane, since },
            Outcome::TimedOut {
                waiting,
                awaits_connect,
            } => Turned::Ended(Ending::TimedOut {
                waiting,
                awaits_connect,
            }),
            Outcome::Full { most } => Turned::Ended(Ending::Full { most }),
            Outcome::Shed { standing } => Turned::Ended(Ending::Shed { standing }),
            Outcome::Failed { error, attempts } => Turned::Failed { error, attempts },
            Outcome::Closed => Turned::Closed,
        }
    }
}

impl<C: Connector> Drop for Turn<'_, C> {
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
