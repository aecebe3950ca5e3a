//! The ways back into the pool.

use std::sync::Arc;

use underpin_core::driver::{Connector, Pooled, SessionState};

use crate::inner::Inner;
use crate::lane::{self, Lane};
use crate::mailbox::Outcome;
use crate::state::{End, SlotId};
use crate::work::Job;

/// Passes on what came for a waiter who has gone away.
pub(crate) fn pass_on<C: Connector>(inner: &Arc<Inner<C>>, outcome: Outcome<C::Connection>) {
    match outcome {
        Outcome::Granted {
            slot, connection, ..
        } => inner.with(|locked, now| {
            let placement = locked.state.unclaimed(slot, now);
            locked.put(slot, connection, placement);
        }),
        Outcome::Seated { slot, lane, since } => {
            // The last hold on a lane that has ended must be the pool's.
            drop(lane);
            lane::leave(inner, slot, since, End::Answered);
        }
        _ => {}
    }
}

/// Gives the connection of a lane back, unless others have a hold on it still.
pub(crate) fn return_lane<C: Connector>(
    inner: &Arc<Inner<C>>,
    slot: SlotId,
    lane: Arc<Lane<C::Connection>>,
) {
    if let Some(lane) = Arc::into_inner(lane) {
        give_back(inner, slot, lane.into_connection());
    }
}

/// Gives back a connection that its holder, or its lane, is done with.
pub(crate) fn give_back<C: Connector>(
    inner: &Arc<Inner<C>>,
    slot: SlotId,
    connection: C::Connection,
) {
    // Whether the other side has hung up is looked at when it goes out again.
    let state = connection.state();
    inner.with(|locked, now| match state {
        SessionState::Clean if !inner.hooks.has_after_release() => {
            let placement = locked.state.returned(slot, now);
            locked.put(slot, connection, placement);
        }
        SessionState::Broken => {
            locked.state.returned_broken(slot, now);
            locked.give(Job::Close(slot, connection));
        }
        _ if locked.state.returned_dirty(slot, now) => {
            locked.give(Job::Reset(slot, connection));
        }
        _ => locked.give(Job::Close(slot, connection)),
    });
    tracing::debug!(pool = inner.name(), ?state, "returned");
}
