use super::*;

#[test]
fn idle_connections_go_down_to_the_minimum_the_most_recent_stays_in_use() {
    let (mut state, slots) = filled(4, |o| o.min = 4);
    state.resize(
        Bounds {
            min: 2,
            max: 4,
            max_overflow: 0,
        },
        secs(0),
    );
    actions(&mut state);
    let newest = lease(&mut state, secs(1));
    assert_eq!(newest, slots[3]);
    state.returned(newest, secs(1));
    assert_eq!(lease(&mut state, secs(2)), newest);
    state.returned(newest, secs(2));
    for slot in &slots[..3] {
        state.slots[slot.index()].verified = secs(600);
    }
    state.slots[newest.index()].verified = secs(600);
    assert_eq!(state.next_due(secs(599)), secs(600));
    state.upkeep(secs(600));
    assert_eq!(
        actions(&mut state),
        [Action::Close(slots[0]), Action::Close(slots[1])]
    );
    assert_eq!(state.snapshot().idle, 2);
}

#[test]
fn lifetimes_do_not_expire_in_waves() {
    let mut state = State::new(&PoolOptions {
        max_connecting: 20,
        ..options(20, 20)
    });
    state.upkeep(Timestamp::START);
    let mut random = fastrand::Rng::with_seed(7);
    for slot in attempts(&mut state) {
        state.connected(slot, Timestamp::START, random.f64());
    }
    let mut ends: Vec<Timestamp> = state.slots.iter().map(|slot| slot.expires_at).collect();
    ends.sort();
    assert!(ends[0] >= secs(24 * 60) && ends[19] <= secs(30 * 60));
    for minute in 24..30 {
        let within = ends
            .iter()
            .filter(|end| **end >= secs(minute * 60) && **end < secs(minute * 60 + 60));
        assert!(within.count() <= 8, "too many end within minute {minute}");
    }
}

#[test]
fn an_old_connection_has_a_successor_before_it_goes() {
    let (mut state, slots) = filled(1, |o| o.max = 2);
    let expires = state.slots[slots[0].index()].expires_at;
    let renew = state.slots[slots[0].index()].replace_at;
    assert_eq!(expires.since(renew), Duration::from_secs(10));
    state.slots[slots[0].index()].verified = renew;
    state.upkeep(renew);
    let successor = attempts(&mut state);
    assert_eq!(successor.len(), 1);
    assert_eq!(state.snapshot().idle, 1, "the old one serves on");
    // While the attempt fails, the old one stays, and another attempt follows.
    state.connect_failed(successor[0], false, renew, 0.5);
    actions(&mut state);
    let later = renew.after(Duration::from_secs(1));
    state.upkeep(later);
    let successor = attempts(&mut state);
    assert_eq!(state.connected(successor[0], later, 0.5), Placement::Keep);
    assert_eq!(actions(&mut state), [Action::Close(slots[0])]);
    state.closed(slots[0], later);
    assert_eq!(actions(&mut state), []);
    assert_eq!(state.snapshot().size, 1);
}

#[test]
fn an_expired_connection_is_never_leased() {
    let (mut state, slots) = filled(1, |_| {});
    let slot = lease(&mut state, secs(1));
    assert_eq!(state.returned(slot, secs(1800)), Placement::Close);
    let (mut other, _) = filled(1, |_| {});
    assert_eq!(acquire(&mut other, secs(1800)), Acquisition::Wait);
    assert_eq!(actions(&mut other), [Action::Close(slots[0])]);
}

#[test]
fn no_stale_connection_is_leased_after_an_invalidation() {
    let (mut state, slots) = filled(3, |_| {});
    state.resize(
        Bounds {
            min: 2,
            max: 3,
            max_overflow: 0,
        },
        secs(0),
    );
    actions(&mut state);
    let leased = lease(&mut state, secs(1));
    state.invalidate(secs(2));
    let closing = actions(&mut state);
    assert_eq!(closing, [Action::Close(slots[0]), Action::Close(slots[1])]);
    assert_eq!(acquire(&mut state, secs(2)), Acquisition::Wait);
    assert!(!state.is_current(leased));
    assert_eq!(state.returned(leased, secs(3)), Placement::Close);
    state.closed(slots[0], secs(3));
    let connecting = attempts(&mut state);
    state.invalidate(secs(3));
    let stale = state.connected(connecting[0], secs(3), 0.5);
    assert_eq!(
        stale,
        Placement::Close,
        "it was opened under the old generation"
    );
}

#[test]
fn a_hot_connection_is_not_asked_for_a_sign_of_life() {
    let check = |policy, at| {
        let (mut state, _) = filled(1, |o| o.health_check = policy);
        match acquire(&mut state, at) {
            Acquisition::Ready { check, .. } => check,
            other => panic!("{other:?}"),
        }
    };
    let default = HealthCheck::default();
    assert!(!check(default, ms(500)));
    assert!(check(default, ms(501)));
    assert!(check(HealthCheck::Always, ms(0)));
    assert!(!check(HealthCheck::Never, secs(20)));
}

#[test]
fn idle_connections_are_checked_a_few_at_a_time() {
    let (mut state, slots) = filled(6, |o| o.max_connecting = 6);
    state.policy.max_connecting = 2;
    for (n, slot) in slots.iter().enumerate() {
        state.slots[slot.index()].phase = Phase::Idle {
            since: ms(n as u64),
        };
    }
    assert_eq!(state.next_due(secs(0)), secs(30));
    state.upkeep(secs(30));
    assert_eq!(
        actions(&mut state),
        [Action::Check(slots[0]), Action::Check(slots[1])]
    );
    assert_eq!(
        state.checked(slots[0], true, secs(31)),
        Some(Placement::Keep)
    );
    assert_eq!(
        state.idle[0], slots[0],
        "a check is not a use: it is still the longest idle"
    );
    assert!(
        state.actions.contains(&Action::Reschedule),
        "there is room to check another"
    );
    assert_eq!(state.checked(slots[1], false, secs(31)), None);
    assert_eq!(attempts(&mut state).len(), 1);
}

#[test]
fn a_successor_under_way_costs_no_idle_connection() {
    let (mut state, slots) = filled(2, |o| o.max = 3);
    state.slots[slots[1].index()].replace_at = secs(700);
    for slot in &slots {
        state.slots[slot.index()].verified = secs(700);
    }
    state.upkeep(secs(700));
    assert_eq!(attempts(&mut state).len(), 1);
    state.upkeep(secs(701));
    assert_eq!(
        actions(&mut state),
        [],
        "both have been idle for long, but two is the minimum"
    );
}
