use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use underpin_core::Error;

use crate::state::SlotId;

/// What became of a wait.
#[derive(Debug)]
pub(crate) enum Outcome<T> {
    /// A connection, leased to the waiter; to be checked first if `check`.
    Granted {
        slot: SlotId,
        connection: T,
        check: bool,
    },
    /// A seat in a lane.
    Seated { slot: SlotId },
    /// The time was up; so many waited then, perhaps for an attempt to connect.
    TimedOut {
        waiting: usize,
        awaits_connect: bool,
    },
    /// Connecting failed, at the last attempt the waiter was ready to wait for.
    Failed { error: Arc<Error>, attempts: u32 },
    /// The wait was ended because the pool has been overloaded for so long.
    Shed { standing: Duration },
    /// The pool was closed.
    Closed,
}

/// Where waiters find what became of their wait: one numbered cell each.
#[derive(Debug)]
pub(crate) struct Mailboxes<T> {
    cells: Vec<Cell<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
enum Cell<T> {
    Free,
    Waiting(Waker),
    Arrived(Outcome<T>),
}

impl<T> Mailboxes<T> {
    pub(crate) fn new() -> Self {
        Mailboxes {
            cells: Vec::new(),
            free: Vec::new(),
        }
    }

    /// A cell for somebody who begins to wait.
    pub(crate) fn open(&mut self, waker: Waker) -> u32 {
        let waiting = Cell::Waiting(waker);
        match self.free.pop() {
            Some(cell) => {
                self.cells[cell as usize] = waiting;
                cell
            }
            None => {
                self.cells.push(waiting);
                (self.cells.len() - 1) as u32
            }
        }
    }

    /// Leaves the outcome in the cell and gives whom to wake.
    pub(crate) fn deliver(&mut self, cell: u32, outcome: Outcome<T>) -> Option<Waker> {
        match std::mem::replace(&mut self.cells[cell as usize], Cell::Arrived(outcome)) {
            Cell::Waiting(waker) => Some(waker),
            _ => {
                debug_assert!(false, "an outcome is delivered once, to somebody who waits");
                None
            }
        }
    }

    /// Takes the outcome and gives up the cell, or notes whom to wake when it arrives.
    pub(crate) fn poll(&mut self, cell: u32, waker: &Waker) -> Option<Outcome<T>> {
        match &mut self.cells[cell as usize] {
            Cell::Waiting(known) => {
                known.clone_from(waker);
                None
            }
            _ => self.close(cell),
        }
    }

    /// Gives up the cell, with what may have arrived in it.
    pub(crate) fn close(&mut self, cell: u32) -> Option<Outcome<T>> {
        self.free.push(cell);
        match std::mem::replace(&mut self.cells[cell as usize], Cell::Free) {
            Cell::Arrived(outcome) => Some(outcome),
            _ => None,
        }
    }
}
