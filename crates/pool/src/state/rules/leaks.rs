use super::*;

fn reported(state: &mut State, now: Timestamp) -> Vec<(u32, u64)> {
    state.upkeep(now);
    actions(state)
        .into_iter()
        .filter_map(|action| match action {
            Action::ReportLeak(Holder { caller, held }) => Some((caller.line(), held.as_secs())),
            _ => None,
        })
        .collect()
}

#[test]
fn a_lease_held_past_the_threshold_is_reported_once() {
    let threshold = Duration::from_secs(5);
    let (mut state, _) = filled(2, |o| o.leak_threshold = Some(threshold));
    let caller = Location::caller();
    let Acquisition::Ready { slot, .. } = state.acquire(caller, secs(1)) else {
        panic!("one is idle")
    };
    assert_eq!(state.next_due(secs(1)), secs(6));
    assert_eq!(reported(&mut state, secs(5)), []);
    assert_eq!(reported(&mut state, secs(6)), [(caller.line(), 5)]);
    assert_eq!(reported(&mut state, secs(9)), []);
    assert_eq!(state.returned(slot, secs(10)), Placement::Keep);

    // The next lease of the same connection is another one.
    let again = lease(&mut state, secs(10));
    assert_eq!(again, slot);
    assert_eq!(reported(&mut state, secs(14)), []);
    assert_eq!(state.next_due(secs(14)), secs(15));
    assert_eq!(reported(&mut state, secs(15)).len(), 1);
    assert_eq!(state.totals().leaks, 2);
}

#[test]
fn without_a_threshold_nothing_is_a_leak() {
    let (mut state, _) = filled(1, |_| {});
    lease(&mut state, secs(1));
    assert_eq!(reported(&mut state, secs(100_000)), []);
    assert_eq!(state.totals().leaks, 0);
}
