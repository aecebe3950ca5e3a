use std::sync::Arc;

use crate::fast::connection::PoolConnection;
use crate::fast::outcome::Delivery;
use crate::lane::Lane;
use crate::state::{Holder, SlotId};

/// What is left to do once the lock is released.
#[derive(Debug)]
pub(crate) struct Work<T> {
    /// What is to be told to whom.
    pub(crate) deliveries: Vec<Delivery<T>>,
    pub(crate) jobs: Vec<Job<T>>,
    /// Leases to be reported.
    pub(crate) leaks: Vec<Holder>,
    pub(crate) reschedule: bool,
    pub(crate) cancel_connects: bool,
    pub(crate) drained: bool,
}

/// What a background task does with a slot, or the connection in it.
#[derive(Debug)]
pub(crate) enum Job<T> {
    Connect(SlotId),
    Check(Box<PoolConnection<T>>),
    Reset(Box<PoolConnection<T>>),
    Close(Box<PoolConnection<T>>),
    /// Give the connection of a lane back that has ended.
    Return(Arc<Lane<T>>),
    /// Have all who have a seat in the lane leave it.
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
