use super::*;

#[test]
fn a_returned_connection_serves_the_waiter_before_the_connect_does() {
    let (mut state, slots) = filled(1, |o| o.max = 3);
    let slot = lease(&mut state, secs(1));
    wait(&mut state, 7, 3, secs(1));
    let connecting = attempts(&mut state);
    assert_eq!(connecting.len(), 1);
    assert_eq!(
        state.returned(slot, secs(2)),
        Placement::Handoff {
            cell: 7,
            check: false
        }
    );
    // It is no longer needed, and fills the pool.
    assert_eq!(
        state.connected(connecting[0], secs(3), 0.5),
        Placement::Keep
    );
    assert_eq!(state.returned(slots[0], secs(3)), Placement::Keep);
}

#[test]
fn connects_at_once_are_capped_and_the_minimum_is_kept_filled() {
    let mut state = State::new(&PoolOptions {
        max_connecting: 4,
        ..options(10, 20)
    });
    state.upkeep(Timestamp::START);
    let mut under_way = attempts(&mut state);
    let mut opened = 0;
    while let Some(slot) = under_way.pop() {
        assert!(under_way.len() < 4);
        state.connected(slot, ms(opened), 0.5);
        opened += 1;
        under_way.extend(attempts(&mut state));
    }
    assert_eq!((opened, state.snapshot().idle), (10, 10));
    let slot = lease(&mut state, ms(20));
    state.broken(slot, ms(21));
    assert_eq!(
        attempts(&mut state).len(),
        1,
        "a lost connection is replaced"
    );
}

#[test]
fn waits_between_attempts_are_one_two_and_four_seconds() {
    let mut state = State::new(&options(0, 4));
    wait(&mut state, 7, 3, Timestamp::START);
    let mut began = Vec::new();
    for second in 0..=7 {
        state.upkeep(secs(second));
        for slot in attempts(&mut state) {
            began.push(second);
            let after = state.connect_failed(slot, false, secs(second), 0.5);
            let expected = [Some(1), Some(2), Some(4), None][began.len() - 1];
            assert_eq!(after.retry_in, expected.map(Duration::from_secs));
            if second == 7 {
                assert_eq!(after.failed_waiters, 1);
                assert_eq!(
                    state.next_action(),
                    Some(Action::Fail {
                        cell: 7,
                        attempts: 4
                    })
                );
            }
        }
    }
    assert_eq!(began, [0, 1, 3, 7]);
    assert_eq!(state.totals().retries, 3);
}

#[test]
fn a_caller_without_retries_does_not_cost_others_theirs() {
    let mut state = State::new(&options(0, 4));
    wait(&mut state, 7, 3, Timestamp::START);
    wait(&mut state, 8, 0, Timestamp::START);
    let slots = attempts(&mut state);
    assert_eq!(slots.len(), 2);
    // The attempt in progress serves the oldest waiter; the failed one was the other's.
    assert_eq!(
        state
            .connect_failed(slots[0], false, secs(0), 0.5)
            .failed_waiters,
        1
    );
    assert_eq!(
        actions(&mut state),
        [Action::Fail {
            cell: 8,
            attempts: 1
        }]
    );
    assert_eq!(
        state
            .connect_failed(slots[1], false, secs(0), 0.5)
            .failed_waiters,
        0
    );
    // A newcomer may try sooner than that, which does not use up the oldest waiter's retries.
    wait(&mut state, 9, 0, ms(300));
    let slots = attempts(&mut state);
    let after = state.connect_failed(slots[0], false, ms(310), 0.5);
    assert_eq!(after.failed_waiters, 1);
    assert_eq!(after.retry_in, Some(Duration::from_millis(690)));
}

#[test]
fn permanent_failures_are_not_retried_over_and_over() {
    let mut state = State::new(&options(0, 4));
    wait(&mut state, 7, 3, Timestamp::START);
    let slots = attempts(&mut state);
    let after = state.connect_failed(slots[0], true, secs(0), 0.5);
    assert_eq!((after.failed_waiters, after.retry_in), (1, None));
    // The next caller has an attempt of its own, though not immediately.
    wait(&mut state, 8, 3, ms(1));
    assert_eq!(attempts(&mut state), []);
    assert_eq!(state.next_due(ms(1)), ms(100));
    state.upkeep(ms(100));
    assert_eq!(attempts(&mut state).len(), 1);
}

#[test]
fn filling_backs_off_up_to_ten_seconds_and_recovers() {
    let mut state = State::new(&options(5, 5));
    state.upkeep(Timestamp::START);
    let mut now = Timestamp::START;
    let mut waits = Vec::new();
    let mut under_way = attempts(&mut state);
    assert_eq!(under_way.len(), 4);
    while waits.len() < 6 {
        let mut after = None;
        for slot in under_way.drain(..) {
            after = state.connect_failed(slot, false, now, 0.5).retry_in;
        }
        let wait = after.expect("the minimum is still missing");
        waits.push(wait.as_secs());
        now = now.after(wait);
        state.upkeep(now);
        under_way = attempts(&mut state);
        assert_eq!(
            under_way.len(),
            1,
            "while it fails, one at a time is enough"
        );
    }
    assert_eq!(waits, [1, 2, 4, 8, 10, 10]);
    state.connected(under_way[0], now, 0.5);
    assert_eq!(attempts(&mut state).len(), 4);
}

#[test]
fn a_lazy_pool_opens_nothing_before_it_is_used() {
    let mut state = State::new(&PoolOptions {
        lazy: true,
        ..options(2, 4)
    });
    state.upkeep(secs(1));
    assert_eq!(actions(&mut state), []);
    wait(&mut state, 7, 3, secs(2));
    assert_eq!(attempts(&mut state).len(), 2);
}

#[test]
fn one_failed_attempt_is_news_for_one_caller() {
    let mut state = State::new(&options(0, 4));
    for cell in 0..3 {
        wait(&mut state, cell, 0, Timestamp::START);
    }
    let slots = attempts(&mut state);
    assert_eq!(slots.len(), 3);
    state.connect_failed(slots[0], false, ms(1), 0.5);
    assert_eq!(
        actions(&mut state),
        [Action::Fail {
            cell: 2,
            attempts: 1
        }]
    );
    let served = state.connected(slots[1], ms(2), 0.5);
    assert_eq!(
        served,
        Placement::Handoff {
            cell: 0,
            check: false
        }
    );
}

#[test]
fn earlier_failures_do_not_delay_a_new_connector() {
    let mut state = State::new(&options(0, 2));
    wait(&mut state, 7, 3, secs(0));
    let first = attempts(&mut state);
    let after = state.connect_failed(first[0], false, secs(0), 0.5);
    assert_eq!(after.retry_in, Some(Duration::from_secs(1)));
    state.replaced(secs(0));
    let second = attempts(&mut state);
    assert_eq!(second.len(), 1, "at once");
    // A failure of the old connector, even a permanent one, does not concern waiters for the new
    // one.
    state.replaced(secs(0));
    let after = state.connect_failed(second[0], true, secs(0), 0.5);
    assert_eq!((after.failures, after.failed_waiters), (0, 0));
    assert_eq!(attempts(&mut state).len(), 1);
}
