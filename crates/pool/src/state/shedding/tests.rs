//! A pool of four under load and without: callers arrive at random, and each holds a connection for
//! 10 ms.

use std::collections::BTreeMap;
use std::panic::Location;

use super::super::{Acquisition, Placement, SlotId, Waiter};
use super::*;
use crate::options::PoolOptions;
use crate::options::Shedding;

const CONNECTIONS: u32 = 4;
const HELD: Duration = Duration::from_millis(10);

fn ms(millis: u64) -> Timestamp {
    Timestamp::at(Duration::from_millis(millis))
}

#[derive(Default)]
struct Outcome {
    served: u64,
    shed: u64,
    longest_wait: Duration,
    /// The longest wait among the shed callers.
    longest_shed: Duration,
}

struct Scene {
    state: State,
    now: Timestamp,
    /// The start of each wait, by cell.
    waiting: BTreeMap<u32, Timestamp>,
    /// The end of each lease.
    ends: Vec<(Timestamp, SlotId)>,
    next_cell: u32,
    outcome: Outcome,
}

impl Scene {
    /// A pool with idle connections.
    fn new(shedding: Option<Shedding>) -> Self {
        let options = PoolOptions {
            min: CONNECTIONS,
            max: CONNECTIONS,
            max_connecting: CONNECTIONS,
            shedding,
            ..PoolOptions::default()
        };
        let mut scene = Scene {
            state: State::new(&options),
            now: Timestamp::START,
            waiting: BTreeMap::new(),
            ends: Vec::new(),
            next_cell: 0,
            outcome: Outcome::default(),
        };
        scene.state.upkeep(Timestamp::START);
        while let Some(action) = scene.state.next_action() {
            if let Action::Connect(slot) = action {
                let placement = scene.state.connected(slot, Timestamp::START, 0.5);
                assert_eq!(placement, Placement::Keep);
            }
        }
        scene
    }

    fn arrive(&mut self) {
        let (now, caller) = (self.now, Location::caller());
        let ticket = self.state.issue_ticket();
        match self.state.acquire(caller, now) {
            Acquisition::Ready { slot, .. } => self.serve(slot, now),
            _ => {
                self.next_cell += 1;
                let cell = self.next_cell;
                self.waiting.insert(cell, now);
                let waiter = Waiter {
                    ticket,
                    cell,
                    caller,
                    since: now,
                    retries: 0,
                    failures: 0,
                    due: now,
                    expires: Timestamp::NEVER,
                    shares: false,
                };
                self.state.enqueue(waiter, now);
            }
        }
    }

    fn serve(&mut self, slot: SlotId, since: Timestamp) {
        self.outcome.served += 1;
        let waited = self.now.since(since);
        self.outcome.longest_wait = self.outcome.longest_wait.max(waited);
        self.ends.push((self.now.after(HELD), slot));
    }

    /// Advances to `until`, processing the events on the way.
    fn go_on(&mut self, until: Timestamp) {
        loop {
            let end = self.ends.iter().map(|(at, _)| *at).min();
            let due = self.state.next_due(self.now);
            let next = due.min(end.unwrap_or(due)).min(until);
            self.now = next;
            if let Some(at) = self.ends.iter().position(|(at, _)| *at <= next) {
                let (_, slot) = self.ends.remove(at);
                let placement = self.state.returned(slot, self.now);
                self.obey();
                if let Placement::Handoff { cell, .. } = placement {
                    let since = self.waiting.remove(&cell).expect("it waits");
                    self.serve(slot, since);
                }
            } else {
                self.state.upkeep(self.now);
            }
            self.obey();
            if next == until && self.ends.iter().all(|(at, _)| *at > next) {
                return;
            }
        }
    }

    fn obey(&mut self) {
        while let Some(action) = self.state.next_action() {
            if let Action::Shed { cell, .. } = action {
                let since = self.waiting.remove(&cell).expect("it waits");
                let waited = self.now.since(since);
                self.outcome.shed += 1;
                self.outcome.longest_shed = self.outcome.longest_shed.max(waited);
            }
        }
    }

    /// Callers arrive at random for `length`, on average one per `gap`.
    fn load(&mut self, random: &mut fastrand::Rng, gap: Duration, length: Duration) {
        let until = self.now.after(length);
        while self.now < until {
            let wait = gap.mul_f64(-(1.0 - random.f64()).ln());
            self.go_on(self.now.after(wait));
            self.arrive();
        }
    }
}

/// The gap at which callers ask for `share` of the pool's capacity.
fn gap(share: f64) -> Duration {
    (HELD / CONNECTIONS).div_f64(share)
}

#[test]
fn under_overload_waits_of_served_callers_stay_bounded() {
    let rule = Shedding::default();
    for seed in 1..=20 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut scene = Scene::new(Some(rule));
        // Waits may grow until the overload is detected.
        scene.load(&mut random, gap(3.0), 2 * rule.interval);
        assert!(scene.outcome.shed > 0);
        scene.outcome = Outcome::default();
        scene.load(&mut random, gap(3.0), Duration::from_secs(5));
        let Outcome {
            served,
            shed,
            longest_wait,
            longest_shed,
        } = scene.outcome;
        // The last waiter is not shed, and may wait until a connection is returned.
        let bound = rule.target + HELD;
        assert!(longest_wait <= bound, "seed {seed}: {longest_wait:?}");
        assert!(longest_shed <= bound, "seed {seed}: {longest_shed:?}");
        let capacity = 5_000 / 10 * u64::from(CONNECTIONS);
        assert!(
            served * 100 >= capacity * 99,
            "seed {seed}: {served} of {capacity}"
        );
        assert!(shed > capacity, "seed {seed}: {shed}");
    }
}

#[test]
fn without_shedding_overload_makes_everybody_wait() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut scene = Scene::new(None);
    scene.load(&mut random, gap(3.0), Duration::from_secs(5));
    assert_eq!(scene.outcome.shed, 0);
    assert!(scene.outcome.longest_wait > Duration::from_secs(3));
}

#[test]
fn without_overload_nothing_is_shed() {
    for seed in 1..=20 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut scene = Scene::new(Some(Shedding::default()));
        scene.load(&mut random, gap(0.5), Duration::from_secs(5));
        assert_eq!(scene.outcome.shed, 0, "seed {seed}");
        assert!(scene.outcome.longest_wait > Duration::ZERO, "some waited");
    }
}

#[test]
fn when_the_overload_is_over_nothing_is_shed_any_more() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut scene = Scene::new(Some(Shedding::default()));
    scene.load(&mut random, gap(3.0), Duration::from_secs(1));
    assert!(scene.outcome.shed > 0);
    scene.load(&mut random, gap(0.5), Duration::from_secs(1));
    scene.outcome = Outcome::default();
    scene.load(&mut random, gap(0.5), Duration::from_secs(5));
    assert_eq!(scene.outcome.shed, 0);
}

#[test]
fn a_burst_that_the_queue_absorbs_is_not_shed() {
    let mut scene = Scene::new(Some(Shedding::default()));
    // 40 callers at once: nine rounds of 10 ms in the queue.
    for _ in 0..40 {
        scene.arrive();
    }
    scene.go_on(ms(500));
    assert_eq!((scene.outcome.served, scene.outcome.shed), (40, 0));
    assert_eq!(scene.outcome.longest_wait, Duration::from_millis(90));
}

#[test]
fn a_single_waiter_is_never_shed() {
    let mut scene = Scene::new(Some(Shedding::default()));
    for _ in 0..CONNECTIONS {
        scene.arrive();
    }
    // The holders do not return their connections.
    scene.ends.clear();
    scene.arrive();
    scene.go_on(ms(10_000));
    assert_eq!(scene.outcome.shed, 0);
    scene.arrive();
    scene.go_on(ms(20_000));
    assert_eq!(scene.outcome.shed, 1, "the older of the two");
}

#[test]
fn a_pool_that_is_still_empty_or_paused_sheds_nobody() {
    let options = PoolOptions {
        min: 0,
        max: CONNECTIONS,
        shedding: Some(Shedding::default()),
        ..PoolOptions::default()
    };
    let mut scene = Scene::new(Some(Shedding::default()));
    scene.state = State::new(&options);
    for _ in 0..3 {
        scene.arrive();
    }
    let mut attempts = Vec::new();
    while let Some(action) = scene.state.next_action() {
        if let Action::Connect(slot) = action {
            attempts.push(slot);
        }
    }
    scene.go_on(ms(1_000));
    assert_eq!(scene.outcome.shed, 0);
    // The first connection begins to serve; callers that wait for the others are not late.
    let placement = scene.state.connected(attempts[0], scene.now, 0.5);
    assert!(matches!(placement, Placement::Handoff { .. }));
    scene.obey();
    scene.go_on(ms(1_050));
    assert_eq!(scene.outcome.shed, 0);

    scene.state.pause(scene.now);
    scene.go_on(ms(9_000));
    scene.state.resume(scene.now);
    scene.go_on(ms(9_050));
    assert_eq!(scene.outcome.shed, 0);
}
