use super::*;

#[test]
fn a_pool_does_not_stay_pinned_to_a_demoted_primary() {
    let (mut state, _) = filled(3, |_| {});
    let [first, second] = [lease(&mut state, secs(1)), lease(&mut state, secs(1))];
    assert!(state.mark_stale(first, secs(1)));
    assert!(!state.mark_stale(second, secs(1)), "it is known already");
    assert_eq!(state.generation(), 1);
    for slot in [first, second] {
        assert_eq!(state.returned(slot, secs(1)), Placement::Close);
        state.closed(slot, secs(1));
    }
    let new = attempts(&mut state);
    state.connected(new[0], secs(1), 0.5);
    let third = lease(&mut state, secs(1));
    assert!(
        !state.mark_stale(third, ms(1_900)),
        "the server is given a second"
    );
    assert!(state.mark_stale(third, ms(2_000)));
}

#[test]
fn newcomers_never_overtake_waiters() {
    let (mut state, slots) = filled(1, |_| {});
    let slot = lease(&mut state, secs(1));
    wait(&mut state, 7, 3, secs(1));
    wait(&mut state, 8, 3, secs(1));
    assert_eq!(
        state.returned(slot, secs(2)),
        Placement::Handoff {
            cell: 7,
            check: false
        }
    );
    assert_eq!(acquire(&mut state, secs(2)), Acquisition::Wait);
    assert_eq!(
        state.returned(slots[0], secs(3)),
        Placement::Handoff {
            cell: 8,
            check: false
        }
    );
}

#[test]
fn a_caller_from_another_pool_is_served_in_the_order_of_arrival() {
    let (mut state, _) = filled(1, |_| {});
    let held = lease(&mut state, secs(1));
    wait(&mut state, 5, 3, secs(5));
    wait(&mut state, 9, 3, secs(9));
    let now = secs(10);
    for cell in [7, 3, 8, 2, 10] {
        let ticket = state.issue_ticket_since(secs(u64::from(cell)));
        let waiter = Waiter {
            ticket,
            cell,
            caller: Location::caller(),
            since: secs(u64::from(cell)),
            retries: 3,
            failures: 0,
            due: now,
            expires: Timestamp::NEVER,
            shares: false,
        };
        state.enqueue(waiter, now);
    }
    wait(&mut state, 11, 3, secs(11));
    for cell in [2, 3, 5, 7, 8, 9, 10, 11] {
        let served = state.returned(held, secs(12));
        let check = false;
        assert_eq!(served, Placement::Handoff { cell, check });
    }
}

#[test]
fn a_caller_that_got_a_dead_connection_keeps_its_place() {
    let (mut state, _) = filled(2, |_| {});
    let first = state.issue_ticket();
    let caller = Location::caller();
    let Acquisition::Ready { slot, .. } = state.acquire(caller, secs(1)) else {
        panic!("one is idle")
    };
    let other = lease(&mut state, secs(1));
    wait(&mut state, 8, 3, secs(1));
    state.broken(slot, secs(1));
    assert_eq!(state.acquire(caller, secs(1)), Acquisition::Wait);
    let waiter = Waiter {
        ticket: first,
        cell: 7,
        caller,
        since: secs(1),
        retries: 3,
        failures: 0,
        due: secs(1),
        expires: Timestamp::NEVER,
        shares: false,
    };
    state.enqueue(waiter, secs(1));
    assert_eq!(
        state.returned(other, secs(2)),
        Placement::Handoff {
            cell: 7,
            check: false
        }
    );
}

#[test]
fn bounds_and_overflow_are_kept() {
    let (mut state, _) = filled(1, |o| (o.max, o.max_overflow) = (2, 1));
    let mut leases = vec![lease(&mut state, secs(1))];
    for cell in 0..5 {
        wait(&mut state, cell, 3, secs(1));
    }
    let mut connecting = attempts(&mut state);
    while let Some(slot) = connecting.pop() {
        let placement = state.connected(slot, secs(1), 0.5);
        assert!(matches!(placement, Placement::Handoff { .. }));
        leases.push(slot);
        connecting.extend(attempts(&mut state));
    }
    assert_eq!(leases.len(), 3);
    assert_eq!(state.snapshot().size, 3);
    for slot in &leases {
        assert!(matches!(
            state.returned(*slot, secs(2)),
            Placement::Handoff { .. }
        ));
    }
    let placements: Vec<_> = leases.iter().map(|s| state.returned(*s, secs(3))).collect();
    assert_eq!(
        placements,
        [Placement::Close, Placement::Keep, Placement::Keep]
    );
}

#[test]
fn a_dead_socket_leaks_no_permit() {
    let (mut state, _) = filled(1, |_| {});
    let slot = lease(&mut state, secs(1));
    wait(&mut state, 7, 3, secs(1));
    state.broken(slot, secs(2));
    // Its socket is still being closed, and its permit serves the waiter already.
    let again = attempts(&mut state);
    assert_eq!(again.len(), 1);
    assert!(matches!(
        state.connected(again[0], secs(2), 0.5),
        Placement::Handoff { .. }
    ));
    state.closed(slot, secs(7));
    assert_eq!(state.snapshot().size, 1);
}

#[test]
fn resizing_takes_effect_without_a_restart() {
    let (mut state, slots) = filled(4, |_| {});
    let leased = lease(&mut state, secs(1));
    state.resize(
        Bounds {
            min: 1,
            max: 1,
            max_overflow: 0,
        },
        secs(1),
    );
    let closing: Vec<_> = slots[..3].iter().map(|slot| Action::Close(*slot)).collect();
    assert_eq!(actions(&mut state), closing);
    assert_eq!(
        state.returned(leased, secs(2)),
        Placement::Keep,
        "the surplus has gone already"
    );
    for slot in &slots[..3] {
        state.closed(*slot, secs(2));
    }
    state.resize(
        Bounds {
            min: 3,
            max: 9,
            max_overflow: 0,
        },
        secs(3),
    );
    assert_eq!(attempts(&mut state).len(), 2);
}

#[test]
fn draining_twice_is_draining_once() {
    let (mut state, slots) = filled(2, |o| o.max = 3);
    let leased = lease(&mut state, secs(1));
    let second = lease(&mut state, secs(1));
    wait(&mut state, 7, 3, secs(1));
    let connecting = attempts(&mut state);
    state.drain(secs(9));
    assert_eq!(
        actions(&mut state),
        [Action::Refuse { cell: 7 }, Action::CancelConnects]
    );
    state.drain(secs(9));
    assert_eq!(actions(&mut state), []);
    assert_eq!(acquire(&mut state, secs(2)), Acquisition::Closed);
    state.connect_canceled(connecting[0], secs(2));
    assert_eq!(state.returned(leased, secs(2)), Placement::Close);
    assert!(
        !state.returned_dirty(second, secs(2)),
        "a reset is not worth while"
    );
    state.closed(slots[0], secs(3));
    assert!(!state.is_drained());
    state.closed(slots[1], secs(3));
    assert_eq!(actions(&mut state), [Action::Drained]);
    assert!(state.is_drained());
}

#[test]
fn the_longest_holders_are_named_first() {
    let (mut state, _) = filled(2, |_| {});
    lease(&mut state, secs(1));
    lease(&mut state, secs(4));
    let held: Vec<u64> = state
        .holders(secs(5))
        .iter()
        .map(|h| h.held.as_secs())
        .collect();
    assert_eq!(held, [4, 1]);
}

#[test]
fn a_pool_made_smaller_shrinks_even_while_callers_wait() {
    let (mut state, slots) = filled(3, |_| {});
    for _ in 0..3 {
        lease(&mut state, secs(1));
    }
    wait(&mut state, 7, 3, secs(1));
    state.resize(
        Bounds {
            min: 1,
            max: 1,
            max_overflow: 0,
        },
        secs(1),
    );
    assert_eq!(state.returned(slots[0], secs(2)), Placement::Close);
    assert_eq!(state.returned(slots[1], secs(2)), Placement::Close);
    let served = state.returned(slots[2], secs(2));
    assert_eq!(
        served,
        Placement::Handoff {
            cell: 7,
            check: false
        }
    );
}

#[test]
fn a_full_queue_turns_away_newcomers_and_not_waiters() {
    let (mut state, _) = filled(2, |o| o.max_waiting = Some(1));
    let early = state.issue_ticket();
    let dead = lease(&mut state, secs(1));
    lease(&mut state, secs(1));
    wait(&mut state, 7, 3, secs(1));
    let late = state.issue_ticket();
    assert!(!state.has_room_for(late));
    assert_eq!(state.totals().turned_away, 1);
    // A caller that got a dead connection returns to its place before the others.
    state.broken(dead, secs(1));
    assert!(state.has_room_for(early));
}
