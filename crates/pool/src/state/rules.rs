//! Tests of each rule of the state machine, named after what it prevents.

mod aging;
mod connecting;
mod lanes;
mod leaks;
mod leasing;
mod pausing;

use underpin_core::retry::RetryPolicy;

use super::*;

fn secs(seconds: u64) -> Timestamp {
    Timestamp::at(Duration::from_secs(seconds))
}

fn ms(millis: u64) -> Timestamp {
    Timestamp::at(Duration::from_millis(millis))
}

fn options(min: u32, max: u32) -> PoolOptions {
    let retry = RetryPolicy {
        jitter: 0.0,
        ..RetryPolicy::default()
    };
    PoolOptions {
        min,
        max,
        retry,
        lazy: min == 0,
        ..PoolOptions::default()
    }
}

fn actions(state: &mut State) -> Vec<Action> {
    std::iter::from_fn(|| state.next_action())
        .filter(|a| *a != Action::Reschedule)
        .collect()
}

fn attempts(state: &mut State) -> Vec<SlotId> {
    let connect = |action| match action {
        Action::Connect(slot) => Some(slot),
        _ => None,
    };
    actions(state).into_iter().filter_map(connect).collect()
}

#[track_caller]
fn acquire(state: &mut State, now: Timestamp) -> Acquisition {
    state.acquire(Location::caller(), now)
}

/// A waiter whose cell is `cell`.
#[track_caller]
fn wait(state: &mut State, cell: u32, retries: u32, now: Timestamp) -> Ticket {
    let (ticket, caller) = (state.issue_ticket(), Location::caller());
    assert_eq!(state.acquire(caller, now), Acquisition::Wait);
    let waiter = Waiter {
        ticket,
        cell,
        caller,
        since: now,
        retries,
        failures: 0,
        due: now,
        expires: Timestamp::NEVER,
        shares: false,
    };
    state.enqueue(waiter, now);
    ticket
}

/// A pool with `n` idle connections.
fn filled(n: u32, change: impl FnOnce(&mut PoolOptions)) -> (State, Vec<SlotId>) {
    let mut options = PoolOptions {
        max_connecting: n,
        ..options(n, n)
    };
    change(&mut options);
    let mut state = State::new(&options);
    state.upkeep(Timestamp::START);
    let slots = attempts(&mut state);
    assert_eq!(slots.len(), n as usize);
    for slot in &slots {
        assert_eq!(
            state.connected(*slot, Timestamp::START, 0.5),
            Placement::Keep
        );
    }
    actions(&mut state);
    (state, slots)
}

fn lease(state: &mut State, now: Timestamp) -> SlotId {
    match acquire(state, now) {
        Acquisition::Ready { slot, .. } => slot,
        other => panic!("expected a lease, not {other:?}"),
    }
}
