use std::sync::Arc;

use crate::fast::connection::PoolConnection;
use crate::fast::outcome::Delivery;
use crate::lane::Lane;
use crate::state::{Holder, SlotId};

/// The work that remains after the lock is released.
#[derive(Debug)]
pub(crate) struct Work<T> {
    /// Results to deliver to waiters.
    pub(crate) deliveries: Vec<Delivery<T>>,
    pub(crate) jobs: Vec<Job<T>>,
    /// Leases to be reported.
    pub(crate) leaks: Vec<Holder>,
    pub(crate) reschedule: bool,
    pub(crate) cancel_connects: bool,
    pub(crate) drained: bool,
}

/// A background task's job with a slot, or with the connection in it.
#[derive(Debug)]
pub(crate) enum Job<T> {
    Connect(SlotId),
    Check(Box<PoolConnection<T>>),
    Reset(Box<PoolConnection<T>>),
    Close(Box<PoolConnection<T>>),
    /// Return the connection of a lane that has ended.
    Return(Arc<Lane<T>>),
    /// Make all callers with a seat in the lane leave it.
    Rescue(Arc<Lane<T>>),
}

impl<T> Default for Work<T> {
    fn default() -> Self {
        Work {
            deliveries: Vec::new(),
            jobs: Vec::new(),
            leaks: Vec::new(),
            reschedule: false,
            cancel_connects: false,
            drained: false,
        }
    }
}
