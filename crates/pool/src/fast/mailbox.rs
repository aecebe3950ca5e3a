//! The mailboxes of waiting callers: how a waiter learns the result of its wait without the
//! pool's lock, and without an allocation.
//!
//! Mailboxes are numbered and reused. A waiter gets a number under the pool's lock, together with
//! its ticket, and leaves its waker there. The thread that serves the waiter takes the waker under
//! the lock, and delivers and wakes after releasing it.
//!
//! A waiter that goes away after it was served closes its mailbox and then looks for a delivery.
//! The deliverer looks afterwards whether the mailbox is closed, and takes back a delivery that is
//! still there. Both change the content of the mailbox by a swap, so one of them comes second there
//! and sees what the other did before: the delivery, or the closed mailbox. The side that takes the
//! delivery out opens the mailbox again. `tests/loom` tries all orders.
//!
//! A number is free again when the waiter has fetched the delivery. If the delivery is a
//! connection, that is certain by the time the connection is returned, so the number travels with
//! it; a waiter that fetches anything else frees the number itself.

use std::task::Waker;

use crate::fast::connection::PoolConnection;
use crate::fast::sync::{AtomicBool, AtomicCell, Mutex, Ordering, PoisonError};

/// Where one waiter finds the result of its wait: a connection, or another answer. On a cache line
/// of its own: two threads use neighboring mailboxes at the same time.
#[repr(align(64))]
pub(crate) struct Mailbox<T, A> {
    connection: AtomicCell<Option<Box<PoolConnection<T>>>>,
    closed: AtomicBool,
    /// Rarely used, so a lock is cheap enough.
    answer: Mutex<Option<A>>,
}

/// The content of a mailbox.
#[derive(Debug)]
pub(crate) enum Parcel<T, A> {
    Connection(Box<PoolConnection<T>>),
    Answer(A),
}

impl<T, A> Mailbox<T, A> {
    /// Leaves a parcel. Returns it if the waiter has gone away.
    #[inline]
    pub(crate) fn deliver(&self, parcel: Parcel<T, A>) -> Result<(), Parcel<T, A>> {
        match parcel {
            Parcel::Connection(connection) => self.connection.store(Some(connection)),
            Parcel::Answer(answer) => *self.answer() = Some(answer),
        }
        match self.closed.load(Ordering::Acquire) {
            true => self.empty().map_or(Ok(()), Err),
            false => Ok(()),
        }
    }

    /// Takes the delivery.
    #[inline]
    pub(crate) fn take(&self) -> Option<Parcel<T, A>> {
        match self.connection.take() {
            Some(connection) => Some(Parcel::Connection(connection)),
            None => self.answer().take().map(Parcel::Answer),
        }
    }

    /// Called by a waiter that goes away after it was served: takes the delivery. A later delivery
    /// is returned to its deliverer.
    pub(crate) fn close(&self) -> Option<Parcel<T, A>> {
        self.closed.store(true, Ordering::Release);
        self.empty()
    }

    /// Takes the content of a closed mailbox, and opens the mailbox if there was any.
    fn empty(&self) -> Option<Parcel<T, A>> {
        let taken = self.take();
        if taken.is_some() {
            self.closed.store(false, Ordering::Release);
        }
        taken
    }

    fn answer(&self) -> impl std::ops::DerefMut<Target = Option<A>> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T, A> Default for Mailbox<T, A> {
    fn default() -> Self {
        Mailbox {
            connection: AtomicCell::new(None),
            closed: AtomicBool::new(false),
            answer: Mutex::new(None),
        }
    }
}

/// The numbers of the mailboxes and the wakers of the waiters that have one, under the pool's lock.
#[derive(Debug, Default)]
pub(crate) struct MailboxNumbers {
    free: Vec<u32>,
    /// By number. `None`: the number is free, or its waiter has been served.
    wakers: Vec<Option<Waker>>,
}

impl MailboxNumbers {
    /// Assigns a mailbox to a new waiter.
    pub(crate) fn assign(&mut self, waker: &Waker) -> u32 {
        let waker = Some(waker.clone());
        match self.free.pop() {
            Some(number) => {
                self.wakers[number as usize] = waker;
                number
            }
            None => {
                self.wakers.push(waker);
                u32::try_from(self.wakers.len() - 1).expect("there are fewer than 2^32 waiters")
            }
        }
    }

    /// Takes the waker of a waiter that is served or goes away.
    pub(crate) fn take_waker(&mut self, number: u32) -> Option<Waker> {
        self.wakers[number as usize].take()
    }

    /// Replaces the waker of a waiter that has not been served yet. Returns the earlier one, or
    /// `None` if the waiter has been served.
    pub(crate) fn replace_waker(&mut self, number: u32, waker: &Waker) -> Option<Waker> {
        let known = self.wakers[number as usize].as_mut()?;
        Some(std::mem::replace(known, waker.clone()))
    }

    /// Frees a mailbox that is empty and has no delivery on its way.
    pub(crate) fn free(&mut self, number: u32) {
        debug_assert!(!self.free.contains(&number), "it is free already");
        self.free.push(number);
    }
}
