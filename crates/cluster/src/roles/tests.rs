use underpin_core::Class;

use super::*;

const PRIMARY: Role = Role::Primary;
const REPLICA: Role = Role::Replica;

fn says(role: Role) -> Result<Observation, Error> {
    Ok(Observation::new(role))
}

fn on(timeline: u32) -> Result<Observation, Error> {
    Ok(Observation::new(PRIMARY).on_timeline(timeline))
}

fn silent() -> Result<Observation, Error> {
    Err(Error::new(Class::Connect, "no answer"))
}

/// Probes all members that are due, with these answers.
fn round(
    roles: &mut Roles,
    now: Instant,
    answers: impl Fn(usize) -> Result<Observation, Error>,
) -> usize {
    let due = roles.due(now);
    for index in &due {
        roles.observe(*index, answers(*index), now);
    }
    due.len()
}

#[test]
fn a_member_whose_connection_broke_serves_no_reads_until_it_answers() {
    let now = Instant::now();
    let mut roles = Roles::new(2, TwoPrimaries::Refuse, now);
    let well = |index| says(if index == 0 { PRIMARY } else { REPLICA });
    round(&mut roles, now, well);
    let serving = |roles: &Roles| roles.standings().map(|of| of.serves).collect::<Vec<_>>();
    assert_eq!(serving(&roles), [true, true]);
    roles.lost(1, now);
    assert_eq!(serving(&roles), [true, false]);
    assert_eq!(round(&mut roles, now, well), 2, "all are asked at once");
    assert_eq!(serving(&roles), [true, true]);
}

#[test]
fn members_that_stay_keep_their_state() {
    let now = Instant::now();
    let mut roles = Roles::new(2, TwoPrimaries::Refuse, now);
    round(&mut roles, now, |index| match index {
        0 => on(3),
        _ => says(REPLICA),
    });
    // The old primary leaves the list, and a server of an older timeline enters it.
    let mut roles = roles.of_members(&[None, Some(1)], now);
    assert_eq!(roles.primary(), None);
    assert_eq!(roles.newest(), Some(3));
    assert!(!roles.all_asked());
    round(&mut roles, now, |index| match index {
        0 => on(2),
        _ => says(REPLICA),
    });
    assert_eq!(roles.primary(), None, "the older timeline was left");
    // The primary moves within the list.
    let mut roles = roles.of_members(&[Some(1), Some(0)], now);
    round(&mut roles, now, |index| match index {
        0 => on(4),
        _ => silent(),
    });
    assert_eq!(roles.primary(), Some(0));
    let roles = roles.of_members(&[Some(1), None, Some(0)], now);
    assert_eq!(roles.primary(), Some(2));
}

#[test]
fn the_member_that_reports_it_is_the_primary() {
    let now = Instant::now();
    let mut roles = Roles::new(3, TwoPrimaries::Refuse, now);
    assert!(!roles.all_asked());
    round(&mut roles, now, |index| {
        says(if index == 1 { PRIMARY } else { REPLICA })
    });
    assert_eq!(roles.primary(), Some(1));
    assert!(roles.all_asked());
    assert_eq!(roles.next_due(), Some(now + ALARMED));
    // The second round confirms it for all members.
    round(&mut roles, now + ALARMED, |index| {
        says(if index == 1 { PRIMARY } else { REPLICA })
    });
    assert_eq!(roles.next_due(), Some(now + CALM));
}

#[test]
fn a_silent_primary_stays_until_another_takes_over() {
    let now = Instant::now();
    let mut roles = Roles::new(2, TwoPrimaries::Refuse, now);
    round(&mut roles, now, |index| match index {
        0 => on(1),
        _ => says(REPLICA),
    });
    assert_eq!(roles.primary(), Some(0));
    roles.suspect(now);
    round(&mut roles, now, |index| match index {
        0 => silent(),
        _ => says(REPLICA),
    });
    assert_eq!(roles.primary(), Some(0));
    assert_eq!(roles.next_due(), Some(now + ALARMED));
    round(&mut roles, now + ALARMED, |index| match index {
        0 => silent(),
        _ => on(2),
    });
    assert_eq!(roles.primary(), Some(1));
    // It returns, and does not know yet that another one has taken over.
    let later = now + Duration::from_secs(5);
    round(&mut roles, later, |index| {
        on(if index == 0 { 1 } else { 2 })
    });
    assert_eq!(roles.primary(), Some(1));
    // It is not used even if the other one is gone.
    roles.suspect(later);
    round(&mut roles, later, |index| match index {
        0 => on(1),
        _ => silent(),
    });
    assert_eq!(roles.primary(), Some(1));
}

#[test]
fn a_primary_that_reports_to_be_a_replica_is_replaced() {
    let now = Instant::now();
    let mut roles = Roles::new(2, TwoPrimaries::Refuse, now);
    round(&mut roles, now, |index| {
        says(if index == 0 { PRIMARY } else { REPLICA })
    });
    roles.suspect(now);
    round(&mut roles, now, |_| says(REPLICA));
    assert_eq!(roles.primary(), None);
}

#[test]
fn two_primaries_on_one_timeline_get_no_writes() {
    let now = Instant::now();
    let mut roles = Roles::new(2, TwoPrimaries::Refuse, now);
    round(&mut roles, now, |_| on(4));
    assert_eq!(roles.primary(), None);
    round(&mut roles, now + ALARMED, |index| match index {
        0 => on(4),
        _ => says(REPLICA),
    });
    assert_eq!(roles.primary(), Some(0));
}

#[test]
fn without_timelines_the_first_in_the_list_is_taken_and_kept() {
    let now = Instant::now();
    let mut roles = Roles::new(3, TwoPrimaries::Refuse, now);
    round(&mut roles, now, |index| match index {
        0 => silent(),
        _ => says(PRIMARY),
    });
    assert_eq!(roles.primary(), Some(1));
    round(&mut roles, now + CALM, |_| says(PRIMARY));
    assert_eq!(roles.primary(), Some(1));
}

#[test]
fn an_overdue_answer_of_the_primary_makes_the_others_probed() {
    let now = Instant::now();
    let mut roles = Roles::new(2, TwoPrimaries::Refuse, now);
    let answer = |index| if index == 0 { on(1) } else { says(REPLICA) };
    round(&mut roles, now, answer);
    round(&mut roles, now + ALARMED, answer);
    let asked = now + ALARMED + CALM;
    assert_eq!(roles.due(asked), [0, 1]);
    roles.observe(1, says(REPLICA), asked);
    assert_eq!(roles.next_due(), Some(asked + OVERDUE));
    assert_eq!(roles.due(asked + OVERDUE), [1]);
    // It does not serve reads meanwhile either.
    let serves: Vec<bool> = roles.standings().map(|it| it.serves).collect();
    assert_eq!(serves, [false, true]);
    roles.observe(1, on(2), asked + OVERDUE);
    assert_eq!(roles.primary(), Some(1));
}

#[test]
fn a_long_outage_is_probed_less_often() {
    let now = Instant::now();
    let mut roles = Roles::new(2, TwoPrimaries::Refuse, now);
    let (mut at, mut probes) = (now, 0);
    while at < now + Duration::from_secs(60) {
        probes += round(&mut roles, at, |_| silent());
        at = roles.next_due().unwrap();
    }
    assert!(probes <= 2 * (400 + 201), "{probes}");
}

#[test]
fn a_primary_that_falls_silent_has_not_withdrawn() {
    let now = Instant::now();
    let mut roles = Roles::new(2, TwoPrimaries::Refuse, now);
    round(&mut roles, now, |index| match index {
        0 => on(4),
        _ => says(REPLICA),
    });
    assert_eq!(roles.primary(), Some(0));
    // The other one was promoted from the same place, and the first does not answer.
    let answer = |index| if index == 0 { silent() } else { on(4) };
    let mut at = now + CALM;
    round(&mut roles, at, answer);
    assert_eq!(roles.primary(), None);
    assert_eq!(roles.rivals(), [0, 1]);
    while at < now + CALM + CLAIM {
        at = roles.next_due().unwrap();
        round(&mut roles, at, answer);
    }
    assert_eq!(roles.primary(), Some(1));
    assert!(roles.rivals().is_empty());
}

#[test]
fn two_names_of_one_server_are_one_primary() {
    let now = Instant::now();
    let mut roles = Roles::new(3, TwoPrimaries::Refuse, now);
    let same = |server| {
        let mut said = Observation::new(PRIMARY).on_timeline(4);
        said.server = Some(server);
        Ok(said)
    };
    round(&mut roles, now, |index| {
        if index < 2 { same(1) } else { says(REPLICA) }
    });
    assert_eq!(roles.primary(), Some(0));
    assert!(roles.rivals().is_empty());
    round(&mut roles, now + CALM, |index| {
        same(if index < 2 { 1 } else { 2 })
    });
    assert_eq!(roles.primary(), None);
    assert_eq!(roles.rivals(), [0, 2]);
}

#[test]
fn the_primary_in_use_is_kept_if_configured() {
    let now = Instant::now();
    let mut roles = Roles::new(3, TwoPrimaries::Keep, now);
    round(&mut roles, now, |index| match index {
        1 => on(4),
        _ => says(REPLICA),
    });
    let later = now + CALM;
    round(&mut roles, later, |index| match index {
        2 => says(REPLICA),
        _ => on(4),
    });
    assert_eq!(roles.primary(), Some(1));
    assert_eq!(roles.rivals(), [0, 1]);
    // Neither is in use if both are there from the beginning.
    let mut roles = Roles::new(2, TwoPrimaries::Keep, now);
    let due = roles.due(now);
    assert_eq!(due, [0, 1]);
    roles.observe(0, says(REPLICA), now);
    roles.observe(1, says(REPLICA), now);
    round(&mut roles, now + ALARMED, |index| {
        if index == 0 { on(4) } else { says(REPLICA) }
    });
    assert_eq!(roles.primary(), Some(0));
}

#[test]
fn a_member_that_failed_for_a_read_is_set_aside_until_a_probe_answers() {
    let now = Instant::now();
    let mut roles = Roles::new(2, TwoPrimaries::Refuse, now);
    let answer = |index| if index == 0 { on(1) } else { says(REPLICA) };
    round(&mut roles, now, answer);
    let serves = |roles: &Roles| -> Vec<bool> { roles.standings().map(|it| it.serves).collect() };
    assert_eq!(serves(&roles), [true, true]);
    roles.failed(1, now);
    assert_eq!(serves(&roles), [true, false]);
    round(&mut roles, now, answer);
    assert_eq!(serves(&roles), [true, false], "the pause is not over");
    let later = now + Duration::from_secs(2);
    round(&mut roles, later, answer);
    assert_eq!(serves(&roles), [true, true]);
}

#[test]
fn lag_is_measured_against_the_primary_s_latest_report() {
    let now = Instant::now();
    let mut roles = Roles::new(4, TwoPrimaries::Refuse, now);
    let ago = Duration::from_secs(7);
    let replica = |timeline, at| {
        let mut said = Observation::new(REPLICA).on_timeline(timeline).at(9, at);
        said.replayed_ago = Some(ago);
        Ok(said)
    };
    let answer = |index| match index {
        0 => Ok(Observation::new(PRIMARY).on_timeline(2).at(9, 1_000)),
        1 => replica(2, 900),
        2 => replica(1, 900),
        _ => says(REPLICA),
    };
    round(&mut roles, now, answer);
    let later = now + Duration::from_secs(3);
    let lags: Vec<Lag> = roles.standings().map(|it| it.lag).collect();
    assert_eq!(lags[0], Lag::NONE);
    assert_eq!(lags[1].bytes, Some(100));
    assert_eq!(lags[1].time(later), Some(ago + Duration::from_secs(3)));
    assert_eq!(lags[2].bytes, None, "it follows another timeline");
    assert_eq!(lags[3].bytes, None, "it does not tell");
    // The primary's last report is known even when it no longer answers.
    roles.suspect(later);
    round(&mut roles, later, |index| match index {
        0 => silent(),
        1 => replica(2, 1_000),
        _ => answer(index),
    });
    let lags: Vec<Lag> = roles.standings().map(|it| it.lag).collect();
    assert_eq!(lags[1].bytes, Some(0));
}
