use super::*;

#[test]
fn a_paused_pool_leases_nothing_and_forgets_no_waiter() {
    let (mut state, slots) = filled(2, |_| {});
    let out = lease(&mut state, secs(1));
    state.pause(secs(0));
    wait(&mut state, 7, 3, secs(1));
    wait(&mut state, 8, 3, secs(1));
    wait(&mut state, 9, 3, secs(1));
    assert_eq!(state.returned(out, secs(2)), Placement::Keep);
    assert_eq!(actions(&mut state), [], "nothing is opened either");
    assert!(state.snapshot().paused);
    state.resume(secs(3));
    let handoff = |slot, cell| Action::Handoff {
        slot,
        cell,
        check: true,
    };
    let other = slots.into_iter().find(|slot| *slot != out).unwrap();
    assert_eq!(
        actions(&mut state),
        [handoff(out, 7), handoff(other, 8)],
        "in the order of arrival"
    );
    assert_eq!(
        state.returned(out, secs(4)),
        Placement::Handoff {
            cell: 9,
            check: false
        }
    );
}

#[test]
fn resuming_opens_connections_for_the_waiters() {
    let mut state = State::new(&options(0, 3));
    state.pause(secs(0));
    wait(&mut state, 7, 3, secs(1));
    assert_eq!(attempts(&mut state), []);
    state.resume(secs(2));
    assert_eq!(attempts(&mut state).len(), 1);
    state.resume(secs(2));
    assert_eq!(actions(&mut state), [], "twice is once");
}

#[test]
fn a_failure_while_paused_ends_no_wait() {
    let mut state = State::new(&options(1, 3));
    state.upkeep(secs(0));
    let attempt = attempts(&mut state);
    state.pause(secs(0));
    wait(&mut state, 7, 0, secs(1));
    let after = state.connect_failed(attempt[0], true, secs(2), 0.5);
    assert_eq!(after.failed_waiters, 0);
    assert_eq!(actions(&mut state), []);
    state.resume(secs(3));
    assert_eq!(attempts(&mut state).len(), 1);
}

#[test]
fn a_pool_that_is_paused_can_be_drained() {
    let (mut state, slots) = filled(1, |_| {});
    state.pause(secs(0));
    wait(&mut state, 7, 3, secs(1));
    state.drain(secs(1));
    assert_eq!(
        actions(&mut state),
        [
            Action::Refuse { cell: 7 },
            Action::Close(slots[0]),
            Action::CancelConnects
        ]
    );
}
