//! The ways back into the pool.

use std::sync::Arc;

use underpin_core::driver::{Connector, Pooled, SessionState};

use crate::background;
use crate::inner::Inner;
use crate::lane::{self, Lane};
use crate::mailbox::Outcome;
use crate::member::Held;
use crate::moment::Moment;
use crate::state::End;
use crate::work::Job;

/// Passes on what came for a waiter who has gone away.
pub(crate) fn pass_on<C: Connector>(inner: &Arc<Inner<C>>, outcome: Outcome<C::Connection>) {
    match outcome {
        Outcome::Granted { member, .. } => inner.with(|locked, now| {
            let placement = locked.state.unclaimed(member.slot, now);
            locked.put(member, placement, now);
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
pub(crate) fn return_lane<C: Connector>(inner: &Arc<Inner<C>>, lane: Arc<Lane<C::Connection>>) {
    if let Some(lane) = Arc::into_inner(lane) {
        decide(inner, lane.into_member(), inner.now());
    }
}

/// Gives back a connection that its holder is done with; `begun`: that the lease was counted.
#[inline]
pub(crate) fn give_back<C: Connector>(inner: &Arc<Inner<C>>, member: Held<C>, begun: bool) {
    let now = inner.now();
    if begun {
        inner.count_return(&member, now);
    }
    if member.connection.state() != SessionState::Clean {
        return decide(inner, member, now);
    }
    match inner.standby.park(member, now) {
        None => tracing::debug!(pool = inner.name(), "returned"),
        Some(member) => decide(inner, member, now),
    }
}

/// Has the state machine decide what becomes of a connection that its holder, or its lane, is
/// done with.
fn decide<C: Connector>(inner: &Arc<Inner<C>>, member: Held<C>, now: Moment) {
    // Whether the other side has hung up is looked at when it goes out again.
    let state = member.connection.state();
    let slot = member.slot;
    if state == SessionState::Clean && !inner.hooks.has_after_release() {
        let delivery = inner.with_at(now, |locked, now| locked.take_back(member, now));
        if let Some(delivery) = delivery {
            background::deliver(inner, delivery);
        }
    } else {
        inner.with_at(now, |locked, now| {
            if state == SessionState::Broken {
                locked.state.broken(slot, now);
                locked.give(Job::Close(member));
            } else if locked.state.returned_dirty(slot, now) {
                locked.give(Job::Reset(member));
            } else {
                locked.give(Job::Close(member));
            }
        });
    }
    tracing::debug!(pool = inner.name(), ?state, "returned");
}
