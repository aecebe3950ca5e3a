//! The mailboxes of waiting callers: how a waiter learns the result of its wait without the
//! pool's lock, and without an allocation.
//!
//! Mailboxes are numbered and reused. A waiter gets a number under the pool's lock, together with
//! its ticket, and leaves its waker in the mailbox after releasing the lock. Whoever serves the
//! waiter learns the number under the lock, and delivers and wakes after releasing it. Either may
//! come first.
//!
//! A number is free again when the waiter has fetched what was delivered. For a connection that is
//! certain when the connection comes back, so the number travels with it; whoever fetches anything
//! else frees the number itself.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use underpin_core::Error;

use crate::fast::connection::PoolConnection;
use crate::lane::Lane;
use crate::state::SlotId;
use crate::timestamp::Timestamp;

/// The result of a wait.
#[derive(Debug)]
pub(crate) enum Outcome<T> {
    /// A connection, leased to the waiter.
    Leased(Box<PoolConnection<T>>),
    /// A seat in a lane, since then.
    Seated {
        slot: SlotId,
        lane: Arc<Lane<T>>,
        since: Timestamp,
    },
    /// The wait timed out; so many callers were waiting then, perhaps for an attempt to connect.
    TimedOut {
        waiting: usize,
        awaits_connect: bool,
    },
    /// Connecting failed, at the last attempt that the waiter was ready to wait for.
    Failed { error: Arc<Error>, attempts: u32 },
    /// The queue was full with so many waiters.
    Full { most: usize },
    /// The wait was ended because the pool has been overloaded for so long.
    Shed { overload: Duration },
    /// The pool was closed.
    Closed,
}

/// Where one waiter finds the result of its wait. On a cache line of its own: two threads use
/// neighboring mailboxes at the same time.
#[repr(align(64))]
#[derive(Debug)]
pub(crate) struct Mailbox<T>(Mutex<Content<T>>);

/// What is in a mailbox.
#[derive(Debug)]
pub(crate) enum Content<T> {
    /// Unused, or neither the waker nor the outcome has arrived.
    Empty,
    Waiting(Waker),
    Arrived(Outcome<T>),
    /// The waiter has gone away before the delivery.
    Closed,
}

impl<T> Mailbox<T> {
    /// Leaves the outcome, and returns the waker if there is one already. Returns the outcome if
    /// the waiter has gone away.
    pub(crate) fn deliver(&self, outcome: Outcome<T>) -> Result<Option<Waker>, Outcome<T>> {
        let mut content = self.content();
        match std::mem::replace(&mut *content, Content::Empty) {
            Content::Closed => Err(outcome),
            before => {
                *content = Content::Arrived(outcome);
                match before {
                    Content::Waiting(waker) => Ok(Some(waker)),
                    _ => Ok(None),
                }
            }
        }
    }

    /// Takes the outcome, or has this waker woken when it arrives.
    pub(crate) fn poll(&self, waker: &Waker) -> Option<Outcome<T>> {
        let mut content = self.content();
        match &mut *content {
            Content::Arrived(_) => take(&mut content),
            Content::Waiting(known) => {
                known.clone_from(waker);
                None
            }
            empty => {
                *empty = Content::Waiting(waker.clone());
                None
            }
        }
    }

    /// Called by a waiter that goes away once it is served: takes what has been delivered. What
    /// is delivered later is returned to whoever delivers it.
    pub(crate) fn close(&self) -> Option<Outcome<T>> {
        let mut content = self.content();
        let arrived = take(&mut content);
        if arrived.is_none() {
            *content = Content::Closed;
        }
        arrived
    }

    /// Empties the mailbox of a waiter that goes away before it is served.
    pub(crate) fn empty(&self) -> Content<T> {
        std::mem::replace(&mut *self.content(), Content::Empty)
    }

    fn content(&self) -> MutexGuard<'_, Content<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take<T>(content: &mut Content<T>) -> Option<Outcome<T>> {
    match std::mem::replace(content, Content::Empty) {
        Content::Arrived(outcome) => Some(outcome),
        _ => None,
    }
}

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        Mailbox(Mutex::new(Content::Empty))
    }
}

/// The numbers of the mailboxes, under the pool's lock.
#[derive(Debug, Default)]
pub(crate) struct MailboxNumbers {
    free: Vec<u32>,
    /// How many there are.
    total: u32,
}

impl MailboxNumbers {
    /// Assigns a mailbox to a new waiter.
    pub(crate) fn assign(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.total += 1;
            self.total - 1
        })
    }

    /// Frees a mailbox that is empty and that nothing is on its way to.
    pub(crate) fn free(&mut self, number: u32) {
        debug_assert!(!self.free.contains(&number), "it is free already");
        self.free.push(number);
    }
}
