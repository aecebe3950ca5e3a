use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use underpin_core::Error;

use crate::fast::connection::PoolConnection;
use crate::lane::Lane;
use crate::state::SlotId;
use crate::timestamp::Timestamp;

/// What became of a wait.
#[derive(Debug)]
pub(crate) enum Outcome<T> {
    /// A connection, leased to the waiter; to be checked first if `check`.
    Granted {
        pooled: Box<PoolConnection<T>>,
        check: bool,
        /// The pool's at that moment.
        generation: u64,
    },
    /// A seat in a lane, since then.
    Seated {
        slot: SlotId,
        lane: Arc<Lane<T>>,
        since: Timestamp,
    },
    /// The time was up; so many waited then, perhaps for an attempt to connect.
    TimedOut {
        waiting: usize,
        awaits_connect: bool,
    },
    /// Connecting failed, at the last attempt the waiter was ready to wait for.
    Failed { error: Arc<Error>, attempts: u32 },
    /// The queue was full with so many.
    Full { most: usize },
    /// The wait was ended because the pool has been overloaded for so long.
    Shed { overload: Duration },
    /// The pool was closed.
    Closed,
}

/// Where one waiter finds what became of its wait. It has a lock of its own, so that fetching
/// it holds up nobody else.
#[derive(Debug)]
pub(crate) struct Mailbox<T>(Mutex<Content<T>>);

#[derive(Debug)]
enum Content<T> {
    Waiting(Waker),
    Arrived(Outcome<T>),
    /// Fetched, or nobody waits any more.
    Over,
}

impl<T> Mailbox<T> {
    pub(crate) fn new(waker: &Waker) -> Arc<Self> {
        Arc::new(Mailbox(Mutex::new(Content::Waiting(waker.clone()))))
    }

    /// Leaves the outcome and gives whom to wake, or gives the outcome back where nobody
    /// waits any more.
    pub(crate) fn deliver(&self, outcome: Outcome<T>) -> Result<Waker, Outcome<T>> {
        let mut content = self.content();
        match std::mem::replace(&mut *content, Content::Over) {
            Content::Waiting(waker) => {
                *content = Content::Arrived(outcome);
                Ok(waker)
            }
            _ => Err(outcome),
        }
    }

    /// Takes the outcome, or notes whom to wake when it arrives.
    pub(crate) fn poll(&self, waker: &Waker) -> Option<Outcome<T>> {
        let mut content = self.content();
        if let Content::Waiting(known) = &mut *content {
            known.clone_from(waker);
            return None;
        }
        take(&mut content)
    }

    /// Waits no more, and takes what may have arrived.
    pub(crate) fn close(&self) -> Option<Outcome<T>> {
        take(&mut self.content())
    }

    fn content(&self) -> MutexGuard<'_, Content<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take<T>(content: &mut Content<T>) -> Option<Outcome<T>> {
    match std::mem::replace(content, Content::Over) {
        Content::Arrived(outcome) => Some(outcome),
        _ => None,
    }
}

/// The mailboxes of all who wait, by the number under which the state machine knows them.
#[derive(Debug)]
pub(crate) struct Mailboxes<T> {
    cells: Vec<Cell<T>>,
    /// The first of the free places; past the end where there is none.
    free: u32,
}

#[derive(Debug)]
enum Cell<T> {
    Taken(Arc<Mailbox<T>>),
    /// With the next of the free ones.
    Free(u32),
}

impl<T> Mailboxes<T> {
    pub(crate) fn new() -> Self {
        Mailboxes {
            cells: Vec::new(),
            free: 0,
        }
    }

    /// A number for somebody who begins to wait.
    pub(crate) fn add(&mut self, mailbox: Arc<Mailbox<T>>) -> u32 {
        let cell = self.free;
        match self.cells.get_mut(cell as usize) {
            Some(entry) => {
                if let Cell::Free(next) = std::mem::replace(entry, Cell::Taken(mailbox)) {
                    self.free = next;
                }
            }
            None => {
                self.cells.push(Cell::Taken(mailbox));
                self.free = cell + 1;
            }
        }
        cell
    }

    /// Gives up the number of somebody who waits no more, or is to be told why.
    pub(crate) fn remove(&mut self, cell: u32) -> Option<Arc<Mailbox<T>>> {
        let entry = &mut self.cells[cell as usize];
        match std::mem::replace(entry, Cell::Free(self.free)) {
            Cell::Taken(mailbox) => {
                self.free = cell;
                Some(mailbox)
            }
            Cell::Free(next) => {
                debug_assert!(false, "who waits has a mailbox");
                *entry = Cell::Free(next);
                None
            }
        }
    }
}
