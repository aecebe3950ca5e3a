//! The ways in which a connection returns to the pool.

use std::sync::Arc;

use underpin_core::Recycling;
use underpin_core::driver::{Connector, Pooled, SessionState};

use crate::background;
use crate::fast::connection::BoxedConnection;
use crate::fast::mailbox::Parcel;
use crate::fast::outcome::{Answer, Outcome};
use crate::inner::Inner;
use crate::lane::{self, Lane};
use crate::state::End;
use crate::timestamp::Timestamp;
use crate::work::Job;

/// Passes on the delivery in the mailbox of a waiter that has gone away.
pub(crate) fn pass_on<C: Connector>(
    inner: &Arc<Inner<C>>,
    mailbox: u32,
    outcome: Outcome<C::Connection>,
) {
    match outcome {
        Parcel::Connection(pooled) => return unclaimed(inner, pooled),
        Parcel::Answer(Answer::Seated { slot, lane, since }) => {
            // The pool must hold the last reference to a lane that has ended.
            drop(lane);
            lane::leave(inner, slot, since, End::Answered);
        }
        Parcel::Answer(_) => {}
    }
    inner.with(|locked, _| locked.mailboxes.free(mailbox));
}

/// Passes on a connection that its waiter does not take.
pub(crate) fn unclaimed<C: Connector>(inner: &Arc<Inner<C>>, pooled: BoxedConnection<C>) {
    inner.with(|locked, now| {
        let placement = locked.state.unclaimed(pooled.slot, now);
        locked.put(pooled, placement, now);
    });
}

/// Returns the connection of a lane, unless it is still referenced elsewhere.
pub(crate) fn return_lane<C: Connector>(inner: &Arc<Inner<C>>, lane: Arc<Lane<C::Connection>>) {
    if let Some(lane) = Arc::into_inner(lane) {
        let pooled = lane.into_connection();
        let left = Left::of(&pooled.connection, &inner.options.recycling);
        decide(inner, pooled, left, inner.now());
    }
}

/// Returns a connection that its holder no longer needs; `begun`: whether the lease was counted.
#[inline]
pub(crate) fn release<C: Connector>(
    inner: &Arc<Inner<C>>,
    pooled: BoxedConnection<C>,
    begun: bool,
) {
    let now = inner.now();
    if begun {
        inner.count_return(&pooled, now);
    }
    let left = Left::of(&pooled.connection, &inner.options.recycling);
    if left != Left::Fit {
        return decide(inner, pooled, left, now);
    }
    if let Some(pooled) = inner.cache.put(pooled, now) {
        decide(inner, pooled, left, now);
    } else {
        tracing::debug!(pool = inner.name(), "returned");
    }
}

/// The state in which a holder, or a lane, has left a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// The next caller can have it immediately.
    Fit,
    /// It must be recycled first.
    Unfit,
    Broken,
}

impl Left {
    #[inline]
    fn of<T: Pooled>(connection: &T, recycling: &Recycling) -> Left {
        let fit = match (connection.state(), recycling) {
            (SessionState::Broken, _) => return Left::Broken,
            (SessionState::Clean, Recycling::Verified) => connection.settle(false),
            (SessionState::Clean, Recycling::Clean) => connection.settle(true),
            (SessionState::Clean, Recycling::Fast) => true,
            _ => false,
        };
        match fit {
            true => Left::Fit,
            false => Left::Unfit,
        }
    }
}

/// Asks the state machine what to do with a connection that its holder, or its lane, no longer
/// needs.
#[inline]
fn decide<C: Connector>(
    inner: &Arc<Inner<C>>,
    pooled: BoxedConnection<C>,
    left: Left,
    now: Timestamp,
) {
    // The next lease checks whether the server has hung up.
    let slot = pooled.slot;
    if left == Left::Fit && !inner.hooks.has_after_release() {
        let delivery = inner.with_at(now, |locked, now| locked.take_back(pooled, now));
        if let Some(delivery) = delivery {
            background::deliver(inner, delivery);
        }
    } else {
        inner.with_at(now, |locked, now| {
            if left == Left::Broken {
                locked.state.broken(slot, now);
                locked.close(pooled);
            } else if locked.state.returned_dirty(slot, now) {
                locked.give(Job::Reset(pooled));
            } else {
                locked.close(pooled);
            }
        });
    }
    tracing::debug!(pool = inner.name(), ?left, "returned");
}
