use super::*;
use crate::state::lanes::{AHEAD, LIGHT, LINGER, LINGER_BESIDE_OTHERS, OLD, STUCK};

/// A lease whose caller also accepts a lane.
fn open_lane(state: &mut State, now: Timestamp) -> SlotId {
    let slot = lease(state, now);
    assert!(state.offer_lane(slot, now), "a lane is wanted");
    slot
}

/// Runs statements of this duration one after another, so that the average is known. Returns the
/// time at which the last one ends.
fn answered(state: &mut State, each: Duration, mut now: Timestamp) -> Timestamp {
    for _ in 0..1000 {
        let slot = state.join(now).expect("the lane has nothing to do");
        let ends = now.after(each);
        state.left(slot, now, End::Answered, ends);
        now = ends;
    }
    now
}

#[test]
fn light_statements_stay_together_however_many_there_are() {
    let (mut state, _) = filled(8, |_| {});
    let first = open_lane(&mut state, ms(0));
    state.left(first, ms(0), End::Answered, ms(0));
    let now = answered(&mut state, LIGHT, ms(1));
    for _ in 0..500 {
        assert_eq!(state.join(now), Some(first));
    }
    let spare = lease(&mut state, now);
    assert!(
        !state.offer_lane(spare, now),
        "nothing is gained by another"
    );
}

#[test]
fn heavy_statements_share_the_work_with_idle_connections() {
    let (mut state, _) = filled(8, |_| {});
    let first = open_lane(&mut state, ms(0));
    state.left(first, ms(0), End::Answered, ms(0));
    let now = answered(&mut state, AHEAD * 2, ms(1));
    assert_eq!(state.join(now), Some(first));
    let mut lanes = vec![first];
    for _ in 1..4 {
        assert_eq!(state.join(now), None, "one of them is work enough");
        let next = lease(&mut state, now);
        assert!(state.offer_lane(next, now));
        lanes.push(next);
    }
    assert_eq!(state.snapshot().lanes, 4);
    for _ in 4..8 {
        assert_eq!(state.join(now), None, "an idle connection is there");
        let alone = lease(&mut state, now);
        assert!(!state.offer_lane(alone, now), "half of them are lanes");
    }
    // Now they have to share, evenly.
    let mut joined: Vec<_> = (0..4).map(|_| state.join(now).unwrap()).collect();
    joined.sort_by_key(|slot| slot.0);
    lanes.sort_by_key(|slot| slot.0);
    assert_eq!(joined, lanes);
    assert!(actions(&mut state).is_empty(), "there is room for no more");
}

#[test]
fn lanes_beyond_the_first_come_to_be_idle_once_statements_are_light() {
    let (mut state, _) = filled(8, |_| {});
    let first = open_lane(&mut state, ms(0));
    state.left(first, ms(0), End::Answered, ms(0));
    let now = answered(&mut state, AHEAD * 2, ms(1));
    state.join(now).unwrap();
    let second = open_lane(&mut state, now);
    for slot in [first, second] {
        state.left(slot, now, End::Answered, now);
    }
    let now = answered(&mut state, LIGHT / 5, now);
    assert_eq!(state.join(now), Some(first));
    assert_eq!(state.join(now), Some(first), "not the second one");
}

#[test]
fn busy_lanes_have_a_connection_opened_where_none_is_idle() {
    let mut state = State::new(&options(1, 2));
    state.upkeep(Timestamp::START);
    let slots = attempts(&mut state);
    assert_eq!(slots.len(), 1, "the minimum");
    state.connected(slots[0], Timestamp::START, 0.5);
    let first = open_lane(&mut state, ms(0));
    state.left(first, ms(0), End::Answered, ms(0));
    let now = answered(&mut state, AHEAD * 2, ms(1));
    actions(&mut state);
    for _ in 0..3 {
        assert_eq!(state.join(now), Some(first), "nobody waits for it");
    }
    let opened = attempts(&mut state);
    assert_eq!(opened.len(), 1, "and not one for each of them");
    state.connected(opened[0], now, 0.5);
    assert_eq!(state.join(now), None, "it is there to be used");
}

#[test]
fn another_lane_is_opened_where_all_are_stuck() {
    let (mut state, _) = filled(8, |_| {});
    let first = open_lane(&mut state, ms(1));
    state.join(ms(1)).unwrap();
    let spare = lease(&mut state, ms(2));
    assert!(!state.offer_lane(spare, ms(2)), "nothing is stuck");
    let later = ms(1).after(OLD);
    assert_eq!(state.join(later), None, "it is stuck");
    assert!(state.offer_lane(spare, later), "a second is wanted");
    assert_eq!(state.join(later), Some(spare));
    assert_ne!(spare, first);
}

#[test]
fn no_statement_joins_behind_one_without_an_answer() {
    let (mut state, _) = filled(4, |_| {});
    let lane = open_lane(&mut state, ms(0));
    let just_before = Timestamp::at(OLD - Duration::from_micros(1));
    assert_eq!(state.join(just_before), Some(lane));
    assert_eq!(state.join(Timestamp::at(OLD)), None);
    state.left(lane, ms(0), End::Answered, Timestamp::at(OLD));
    assert_eq!(
        state.join(Timestamp::at(OLD)),
        Some(lane),
        "it answers again"
    );
}

#[test]
fn callers_behind_a_statement_without_an_answer_leave_the_lane() {
    let (mut state, _) = filled(4, |_| {});
    let lane = open_lane(&mut state, ms(0));
    state.join(ms(1)).unwrap();
    state.join(ms(1)).unwrap();
    let due = Timestamp::at(STUCK);
    assert_eq!(state.next_due(ms(1)), due);
    state.upkeep(due);
    assert_eq!(actions(&mut state), [Action::Rescue(lane)]);
    for _ in 0..2 {
        assert!(!state.left(lane, ms(1), End::Abandoned, due).ended);
    }
    assert!(state.left(lane, ms(0), End::Answered, due).ended);
    assert_eq!(state.totals().rescued, 3);
}

#[test]
fn a_statement_alone_in_its_lane_is_left_in_peace() {
    let (mut state, _) = filled(4, |_| {});
    open_lane(&mut state, ms(0));
    state.upkeep(secs(20));
    let lane = |action: &Action| matches!(action, Action::Rescue(_) | Action::ReturnLane(_));
    assert!(!actions(&mut state).iter().any(lane));
}

#[test]
fn an_abandoned_statement_retires_its_lane_and_harms_no_neighbor() {
    let (mut state, _) = filled(4, |_| {});
    let lane = open_lane(&mut state, ms(0));
    state.join(ms(0)).unwrap();
    assert!(
        !state.left(lane, ms(0), End::Abandoned, ms(1)).ended,
        "a neighbor is there"
    );
    assert_eq!(state.join(ms(1)), None, "nobody joins what is left behind");
    let left = state.left(lane, ms(0), End::Answered, ms(5));
    assert!(left.ended, "its connection is returned, and reset");
    assert_eq!(left.took, Duration::from_millis(5));
}

#[test]
fn the_time_of_a_statement_is_its_own() {
    let (mut state, _) = filled(4, |_| {});
    let lane = open_lane(&mut state, ms(0));
    state.join(ms(1)).unwrap();
    let first = state.left(lane, ms(0), End::Answered, ms(8));
    let second = state.left(lane, ms(1), End::Answered, ms(10));
    assert_eq!(first.took, Duration::from_millis(8));
    assert_eq!(
        second.took,
        Duration::from_millis(2),
        "without the wait for the first"
    );
}

#[test]
fn an_empty_lane_goes_back_to_the_leases() {
    let (mut state, _) = filled(4, |_| {});
    let lane = open_lane(&mut state, ms(0));
    state.left(lane, ms(0), End::Answered, ms(1));
    let due = ms(1).after(LINGER);
    assert_eq!(state.next_due(ms(1)), due);
    state.upkeep(due);
    assert_eq!(actions(&mut state), [Action::ReturnLane(lane)]);
    assert_eq!(state.returned(lane, due), Placement::Keep);
    let Acquisition::Ready { slot, check } = acquire(&mut state, due) else {
        panic!("all are idle");
    };
    assert!(
        slot != lane || check,
        "what was not used for a while is validated"
    );
}

#[test]
fn a_caller_waiting_for_a_lease_gets_the_spare_lane_soon_and_the_last_one_later() {
    let (mut state, _) = filled(4, |_| {});
    let first = open_lane(&mut state, ms(0));
    let stuck = ms(0).after(OLD);
    let second = open_lane(&mut state, stuck);
    for slot in [first, second] {
        state.left(slot, stuck, End::Answered, stuck);
    }
    let leases = [lease(&mut state, stuck), lease(&mut state, stuck)];
    wait(&mut state, 1, 3, stuck);
    wait(&mut state, 2, 3, stuck);
    let soon = stuck.after(LINGER_BESIDE_OTHERS);
    assert_eq!(state.next_due(stuck), soon);
    state.upkeep(soon);
    assert_eq!(actions(&mut state), [Action::ReturnLane(second)]);
    assert!(matches!(
        state.returned(second, soon),
        Placement::Handoff { cell: 1, .. }
    ));
    // A statement of a caller that holds a lease passes the callers that wait.
    assert_eq!(state.join(ms(200)), Some(first));
    state.left(first, ms(200), End::Answered, ms(201));
    assert_eq!(state.next_due(ms(201)), ms(201).after(LINGER));
    state.upkeep(ms(201).after(LINGER));
    assert_eq!(actions(&mut state), [Action::ReturnLane(first)]);
    assert_eq!(leases.len(), 2);
}

#[test]
fn the_only_connection_is_shared_and_leased_in_turn() {
    let (mut state, slots) = filled(1, |_| {});
    let lane = open_lane(&mut state, ms(0));
    assert_eq!(state.join(ms(0)), Some(lane));
    wait(&mut state, 1, 3, ms(0));
    assert_eq!(
        state.join(ms(0)),
        None,
        "nobody joins past who waits for a lease"
    );
    assert!(!state.left(lane, ms(0), End::Answered, ms(1)).ended);
    assert!(state.left(lane, ms(0), End::Answered, ms(1)).ended);
    let placement = state.returned(slots[0], ms(1));
    assert!(matches!(placement, Placement::Handoff { cell: 1, .. }));
}

#[test]
fn no_lane_outlives_its_connection_or_its_generation() {
    let (mut state, _) = filled(4, |options| options.max_lifetime = Duration::from_secs(100));
    let lane = open_lane(&mut state, ms(0));
    state.invalidate(ms(1));
    assert_eq!(state.join(ms(1)), None, "it is stale");
    assert!(state.left(lane, ms(0), End::Answered, ms(1)).ended);
    assert_eq!(state.returned(lane, ms(1)), Placement::Close);

    let (mut state, _) = filled(4, |options| {
        options.max_lifetime = Duration::from_secs(100);
        options.health_check = HealthCheck::Never;
    });
    let lane = open_lane(&mut state, ms(0));
    assert_eq!(state.join(secs(0)), Some(lane));
    state.left(lane, ms(0), End::Answered, secs(100));
    assert_eq!(state.join(secs(100)), None, "its time is up");
    assert!(
        state.left(lane, ms(0), End::Answered, secs(100)).ended || {
            state.upkeep(secs(100));
            actions(&mut state).contains(&Action::ReturnLane(lane))
        }
    );
}

#[test]
fn a_quiet_lane_is_validated_like_a_lease() {
    let (mut state, _) = filled(4, |_| {});
    let lane = open_lane(&mut state, ms(0));
    state.left(lane, ms(0), End::Answered, ms(0));
    assert_eq!(
        state.join(ms(500)),
        Some(lane),
        "it was used within the limit"
    );
    state.left(lane, ms(500), End::Answered, ms(500));
    assert_eq!(state.join(ms(1_001)), None, "half a second has passed");
}

#[test]
fn sharing_callers_are_seated_as_soon_as_there_is_a_lane() {
    let (mut state, slots) = filled(1, |_| {});
    let held = lease(&mut state, ms(0));
    for cell in 1..=3 {
        let ticket = state.issue_ticket();
        let waiter = Waiter {
            ticket,
            cell,
            caller: Location::caller(),
            since: ms(0),
            retries: 3,
            failures: 0,
            due: ms(0),
            expires: Timestamp::NEVER,
            shares: true,
        };
        state.enqueue(waiter, ms(0));
    }
    let placement = state.returned(held, ms(1));
    assert!(matches!(placement, Placement::Handoff { cell: 1, .. }));
    assert!(state.offer_lane(slots[0], ms(1)));
    let slot = slots[0];
    let seats = [2, 3].map(|cell| Action::Seat { cell, slot });
    assert_eq!(actions(&mut state), seats);
}

#[test]
fn a_closed_pool_seats_nobody() {
    let (mut state, _) = filled(4, |_| {});
    let lane = open_lane(&mut state, ms(0));
    state.drain(ms(1));
    assert_eq!(state.join(ms(1)), None);
    assert!(state.left(lane, ms(0), End::Answered, ms(1)).ended);
    assert_eq!(state.returned(lane, ms(1)), Placement::Close);
}
