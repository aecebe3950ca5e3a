use std::sync::Arc;
use std::task::Waker;

use crate::lane::Lane;
use crate::state::{Holder, SlotId};

/// What is left to do once the lock is released.
#[derive(Debug)]
pub(crate) struct Work<T> {
    /// The usual case of one waiter to wake needs no allocation.
    pub(crate) wake: Option<Waker>,
    pub(crate) wake_too: Vec<Waker>,
    pub(crate) jobs: Vec<Job<T>>,
    /// Leases to be reported.
    pub(crate) leaks: Vec<Holder>,
    pub(crate) reschedule: bool,
    pub(crate) cancel_connects: bool,
    pub(crate) drained: bool,
}

/// What a background task does with a slot, and the connection in it.
#[derive(Debug)]
pub(crate) enum Job<T> {
    Connect(SlotId),
    Check(SlotId, T),
    Reset(SlotId, T),
    Close(SlotId, T),
    /// Give the connection of a lane back that has ended.
    Return(SlotId, Arc<Lane<T>>),
    /// Have all who have a seat in the lane leave it.
    Rescue(SlotId, Arc<Lane<T>>),
}

impl<T> Default for Work<T> {
    fn default() -> Self {
        Work {
            wake: None,
            wake_too: Vec::new(),
            jobs: Vec::new(),
            leaks: Vec::new(),
            reschedule: false,
            cancel_connects: false,
            drained: false,
        }
    }
}

impl<T> Work<T> {
    pub(crate) fn wake(&mut self, waker: Option<Waker>) {
        match (&self.wake, waker) {
            (None, waker) => self.wake = waker,
            (Some(_), Some(waker)) => self.wake_too.push(waker),
            (Some(_), None) => {}
        }
    }
}
