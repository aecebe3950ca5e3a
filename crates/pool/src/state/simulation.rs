//! The state machine under a seeded run of events in simulated time. The invariants are checked
//! after each step. A failing seed is printed; to run it again, use `UNDERPIN_POOL_SEED=<seed>
//! cargo test -p underpin-pool simulation`. For a longer run, set the steps per seed:
//! `UNDERPIN_POOL_STEPS=10000000`.

mod cache;
mod checks;
mod lanes;

use std::collections::BTreeMap;

use super::*;
use crate::fast::epoch::{Epoch, Stamp};
use crate::options::Shedding;
use cache::{Cached, Record};

/// The state of the simulated environment: everything that a shell would keep.
struct World {
    connecting: Vec<SlotId>,
    leased: Vec<SlotId>,
    cache: Vec<Cached>,
    /// The epoch that callers know without asking the state machine.
    epoch: Epoch,
    /// By slot.
    records: Vec<Option<Record>>,
    /// Statements in lanes, with when they joined.
    seats: Vec<(SlotId, Timestamp)>,
    /// Connections of ended lanes, on their way back.
    returning: Vec<SlotId>,
    checking: Vec<SlotId>,
    resetting: Vec<SlotId>,
    closing: Vec<SlotId>,
    /// The waiters, by ticket: the cell, whether the waiter accepts a seat in a lane, and its line
    /// of code.
    waiting: BTreeMap<Ticket, (u32, bool, &'static Location<'static>)>,
    next_cell: u32,
    canceled: bool,
    drained: bool,
}

/// Lines of code that ask for connections.
fn places() -> [&'static Location<'static>; 3] {
    [here(), here(), here()]
}

#[track_caller]
fn here() -> &'static Location<'static> {
    Location::caller()
}

struct Run {
    state: State,
    world: World,
    random: fastrand::Rng,
    now: Timestamp,
    bounds: Bounds,
    /// How many of 100 operations fail; changes during the run.
    trouble: u32,
    /// Whether few callers ask, so that hardly anyone waits; changes during the run.
    quiet: bool,
    size_before: usize,
    served: u64,
    seated: u64,
    rescued: u64,
    /// Number of leases that began without the state machine.
    holder_changed: u64,
}

impl World {
    fn new(epoch: Epoch) -> Self {
        World {
            connecting: Vec::new(),
            leased: Vec::new(),
            cache: Vec::new(),
            epoch,
            records: Vec::new(),
            seats: Vec::new(),
            returning: Vec::new(),
            checking: Vec::new(),
            resetting: Vec::new(),
            closing: Vec::new(),
            waiting: BTreeMap::new(),
            next_cell: 0,
            canceled: false,
            drained: false,
        }
    }
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let bounds = any_bounds(&mut random);
        let health_check = match random.u8(..3) {
            0 => HealthCheck::Always,
            1 => HealthCheck::Never,
            _ => HealthCheck::default(),
        };
        let options = PoolOptions {
            min: bounds.min,
            max: bounds.max,
            max_overflow: bounds.max_overflow,
            health_check,
            max_connecting: random.u32(1..5),
            idle_timeout: Duration::from_secs(random.u64(1..60)),
            max_lifetime: Duration::from_secs(random.u64(1..120)),
            health_check_interval: Duration::from_secs(random.u64(1..60)),
            lazy: random.bool(),
            max_waiting: random.bool().then(|| random.u32(1..30)),
            shedding: random.bool().then(|| Shedding {
                target: Duration::from_millis(random.u64(1..500)),
                interval: Duration::from_millis(random.u64(500..5_000)),
            }),
            leak_threshold: random
                .bool()
                .then(|| Duration::from_secs(random.u64(1..20))),
            ..PoolOptions::default()
        };
        let mut state = State::new(&options);
        if random.u8(..8) == 0 {
            state.disable_cache();
        }
        Run {
            world: World::new(state.epoch()),
            state,
            random,
            now: Timestamp::START,
            bounds,
            trouble: 10,
            quiet: false,
            size_before: 0,
            served: 0,
            seated: 0,
            rescued: 0,
            holder_changed: 0,
        }
    }

    fn step(&mut self) {
        // Long and short, so that some statements turn out to be stuck and others do not.
        let longest = [100, 2_000, 200_000][self.random.usize(..3)];
        let passed = Duration::from_micros(self.random.u64(0..longest));
        self.now = self.now.after(passed);
        match self.random.u32(..1515) {
            0 => self.resize(),
            1..3 => self.state.invalidate(self.now),
            3..4 => self.state.pause(self.now),
            4..5 => self.state.replaced(self.now),
            5..10 => self.state.resume(self.now),
            10..15 => self.trouble = [0, 10, 50, 100][self.random.usize(..4)],
            1500..1505 => self.quiet = self.random.bool(),
            1505..1515 => self.look(),
            15..350 if self.quiet && self.random.u8(..3) != 0 => self.release(),
            1000..1220 if self.quiet && self.random.u8(..8) != 0 => self.use_shortly(),
            15..350 => self.acquire(),
            350..400 => self.abandon(),
            400..650 => self.release(),
            650..800 => self.finish_connect(),
            800..850 => self.finish_check(),
            850..900 => self.finish_reset(),
            900..960 => self.finish_close(),
            960..1000 => self.upkeep(),
            1000..1220 => self.share(),
            1220..1460 => self.leave_seat(),
            _ => self.return_lane(),
        }
        self.obey();
        self.verify();
    }

    fn goes_wrong(&mut self) -> bool {
        self.random.u32(..100) < self.trouble
    }

    fn any(&mut self, of: fn(&mut World) -> &mut Vec<SlotId>) -> Option<SlotId> {
        let slots = of(&mut self.world);
        if slots.is_empty() {
            return None;
        }
        Some(slots.swap_remove(self.random.usize(..slots.len())))
    }

    fn resize(&mut self) {
        self.bounds = any_bounds(&mut self.random);
        self.state.resize(self.bounds, self.now);
    }

    fn acquire(&mut self) {
        let caller = self.any_caller();
        if self.take_from_cache(caller) {
            return;
        }
        let ticket = self.state.issue_ticket();
        self.acquire_as(ticket, false);
    }

    fn use_shortly(&mut self) {
        self.acquire();
        self.obey();
        self.verify();
        self.release();
    }

    fn any_caller(&mut self) -> &'static Location<'static> {
        places()[self.random.usize(..3)]
    }

    fn acquire_as(&mut self, ticket: Ticket, shares: bool) {
        let caller = self.any_caller();
        let mut acquired = self.state.acquire(caller, self.now);
        if acquired == Acquisition::Wait && self.close_cache() {
            acquired = self.state.acquire(caller, self.now);
        }
        match acquired {
            Acquisition::Closed => assert!(self.world.canceled),
            Acquisition::Ready { slot, .. } => {
                let first = self.world.waiting.keys().next();
                assert!(
                    first.is_none_or(|first| ticket < *first),
                    "a waiter was overtaken"
                );
                self.lease(slot);
                self.begin(slot, caller);
                if shares {
                    self.offer(slot);
                } else if self.goes_wrong() && self.random.u8(..4) == 0 {
                    // Found dead: it is closed, and the same caller asks again.
                    self.world.leased.retain(|other| *other != slot);
                    if self.random.bool() {
                        self.state.broken(slot, self.now);
                    } else {
                        self.state.dismissed(slot, self.now);
                    }
                    self.world.closing.push(slot);
                    self.obey();
                    self.acquire_as(ticket, shares);
                }
            }
            Acquisition::Wait if !self.state.has_room_for(ticket) => {
                let most = self.state.policy.max_waiting;
                assert!(most.is_some_and(|most| self.world.waiting.len() >= most));
            }
            Acquisition::Wait => {
                self.world.next_cell += 1;
                let cell = self.world.next_cell;
                self.world.waiting.insert(ticket, (cell, shares, caller));
                let retries = self.random.u32(0..4);
                let (since, due) = (self.now, self.now);
                let expires = match self.random.bool() {
                    true => self
                        .now
                        .after(Duration::from_millis(self.random.u64(1..5000))),
                    false => Timestamp::NEVER,
                };
                self.state.enqueue(
                    Waiter {
                        ticket,
                        cell,
                        caller,
                        since,
                        retries,
                        failures: 0,
                        due,
                        expires,
                        shares,
                    },
                    self.now,
                );
            }
        }
    }

    fn lease(&mut self, slot: SlotId) {
        assert!(self.state.is_current(slot), "a stale connection was leased");
        assert!(!self.state.closing, "a closed pool leased a connection");
        assert!(!self.state.paused, "a paused pool leased a connection");
        assert!(
            self.state.slot(slot).expires_at > self.now,
            "an expired one was leased"
        );
        self.served += 1;
        self.world.leased.push(slot);
    }

    fn abandon(&mut self) {
        let nth = self.random.usize(..self.world.waiting.len().max(1));
        if let Some(ticket) = self.world.waiting.keys().nth(nth).copied() {
            self.world.waiting.remove(&ticket);
            self.state.abandon(ticket);
        }
    }

    fn release(&mut self) {
        if let Some(slot) = self.any(|world| &mut world.leased) {
            self.come_back(slot);
        }
    }

    /// A connection is returned in some state.
    fn come_back(&mut self, slot: SlotId) {
        let was_lane = matches!(self.state.slot(slot).phase, Phase::Lane { .. });
        match self.random.u8(..20) {
            0 => self.state.detached(slot, self.now),
            1 => {
                self.state.dismissed(slot, self.now);
                self.world.closing.push(slot);
            }
            2..5 => match self.state.returned_dirty(slot, self.now) {
                true => self.world.resetting.push(slot),
                false => self.world.closing.push(slot),
            },
            5 if !was_lane => {
                let placement = self.state.unclaimed(slot, self.now);
                self.put(slot, placement);
            }
            _ if self.goes_wrong() => {
                self.state.broken(slot, self.now);
                self.world.closing.push(slot);
            }
            // The epoch may have changed since it was read.
            _ if !was_lane && self.random.u8(..8) != 0 && self.put_in_cache(slot) => {}
            _ => {
                let placement = self.state.returned(slot, self.now);
                self.put(slot, placement);
            }
        }
    }

    fn finish_connect(&mut self) {
        let Some(slot) = self.any(|world| &mut world.connecting) else {
            return;
        };
        let random = self.random.f64();
        if !self.state.is_current(slot) && self.random.bool() {
            self.state.connect_canceled(slot, self.now);
        } else if self.goes_wrong() {
            let permanent = self.random.u8(..5) == 0;
            self.state.connect_failed(slot, permanent, self.now, random);
        } else {
            let placement = self.state.connected(slot, self.now, random);
            self.put(slot, placement);
        }
    }

    fn finish_check(&mut self) {
        let Some(slot) = self.any(|world| &mut world.checking) else {
            return;
        };
        let well = !self.goes_wrong();
        match self.state.checked(slot, well, self.now) {
            Some(placement) => self.put(slot, placement),
            None => self.world.closing.push(slot),
        }
    }

    fn finish_reset(&mut self) {
        let Some(slot) = self.any(|world| &mut world.resetting) else {
            return;
        };
        if self.goes_wrong() {
            if self.random.bool() {
                self.state.broken(slot, self.now);
            } else {
                self.state.dismissed(slot, self.now);
            }
            self.world.closing.push(slot);
        } else {
            let placement = self.state.reset(slot, self.now);
            self.put(slot, placement);
        }
    }

    fn finish_close(&mut self) {
        if let Some(slot) = self.any(|world| &mut world.closing) {
            self.state.closed(slot, self.now);
        }
    }

    fn upkeep(&mut self) {
        if self.random.bool() {
            self.now = self.state.next_due(self.now).max(self.now);
        }
        self.reconcile();
        self.verify_holders();
        self.state.upkeep(self.now);
        let wakes_itself = self.state.actions.contains(&Action::Reschedule);
        assert!(!wakes_itself, "upkeep would wake itself, and spin");
        let due = self.state.next_due(self.now);
        assert!(
            due > self.now,
            "upkeep would spin: {due:?} is not after {:?}",
            self.now
        );
        let (state, connecting) = (&self.state, self.state.counts.connecting);
        let waits = connecting > 0 || state.next_attempt() > self.now;
        assert!(
            waits || !state.needs_connection(),
            "upkeep did not begin what is overdue"
        );
    }

    fn put(&mut self, slot: SlotId, placement: Placement) {
        // A caller that was shed left the queue earlier.
        self.carry_out_actions();
        match placement {
            Placement::Keep => {}
            Placement::Close => self.world.closing.push(slot),
            Placement::Handoff { cell, .. } => self.handoff(slot, cell),
        }
    }

    fn handoff(&mut self, slot: SlotId, cell: u32) {
        let oldest = self.world.waiting.pop_first();
        let (ticket, (oldest, shares, caller)) = oldest.expect("somebody waits");
        assert_eq!(
            cell, oldest,
            "{ticket:?} has waited longer than who was served"
        );
        self.lease(slot);
        self.begin(slot, caller);
        if shares {
            self.offer(slot);
        }
    }

    /// Does the work that follows from an event.
    fn obey(&mut self) {
        self.publish_epoch();
        self.carry_out_actions();
    }

    /// Carries out the actions of the state machine.
    fn carry_out_actions(&mut self) {
        while let Some(action) = self.state.next_action() {
            match action {
                Action::Connect(slot) => self.world.connecting.push(slot),
                Action::Close(slot) => self.world.closing.push(slot),
                Action::Check(slot) => self.world.checking.push(slot),
                Action::Handoff { slot, cell, .. } => self.handoff(slot, cell),
                Action::Shed { cell, overload } => {
                    let rule = self.state.policy.shedding;
                    assert!(rule.is_some_and(|rule| overload >= rule.interval));
                    let oldest = self.world.waiting.pop_first();
                    assert_eq!(
                        oldest.map(|(_, (cell, ..))| cell),
                        Some(cell),
                        "the oldest is shed"
                    );
                    assert!(!self.world.waiting.is_empty(), "the last was shed");
                }
                Action::Fail { cell, .. }
                | Action::Expire { cell, .. }
                | Action::Refuse { cell } => {
                    self.told(cell);
                }
                Action::Seat { cell, slot } => {
                    let shares = self.told(cell);
                    assert!(
                        shares,
                        "one who wants a connection of its own was given a seat"
                    );
                    self.sit(slot);
                }
                Action::ReturnLane(slot) => self.world.returning.push(slot),
                Action::Rescue(slot) => {
                    let (stuck, others) = self.world.seats.iter().partition(|seat| seat.0 == slot);
                    self.world.seats = others;
                    let stuck: Vec<(SlotId, Timestamp)> = stuck;
                    assert!(!stuck.is_empty(), "a lane was rescued that nobody waits in");
                    self.rescued += stuck.len() as u64;
                    for (slot, joined) in stuck {
                        self.leave(slot, joined, End::Abandoned);
                    }
                }
                Action::CancelConnects => self.world.canceled = true,
                Action::ReportLeak(holder) => {
                    let threshold = self.state.policy.leak_threshold;
                    assert!(threshold.is_some_and(|threshold| holder.held >= threshold));
                    let is_held = |slot: &SlotId| {
                        let Record { stamp, caller } = self.world.record(*slot);
                        *caller == holder.caller && self.now.since(stamp.since) == holder.held
                    };
                    assert!(self.world.leased.iter().any(is_held), "{holder:?}");
                }
                Action::Reschedule => {}
                Action::Drained => self.world.drained = true,
            }
        }
    }

    /// A waiter gets its result. Returns whether it accepted a seat in a lane.
    fn told(&mut self, cell: u32) -> bool {
        let waiting = &mut self.world.waiting;
        let ticket = waiting.iter().find(|(_, other)| other.0 == cell);
        let ticket = *ticket.expect("who is told waits").0;
        waiting.remove(&ticket).is_some_and(|(_, shares, _)| shares)
    }

    /// The server works and everything in progress ends: all waiters are served.
    fn settle(&mut self) {
        self.trouble = 0;
        self.state.resume(self.now);
        self.obey();
        for _ in 0..100_000 {
            if self.world.waiting.is_empty() {
                return;
            }
            self.now = self.now.after(Duration::from_millis(50));
            for event in [
                Run::finish_connect,
                Run::finish_check,
                Run::finish_reset,
                Run::finish_close,
                Run::release,
                Run::leave_seat,
                Run::return_lane,
                Run::upkeep,
            ] {
                event(self);
                self.obey();
                self.verify();
            }
        }
        panic!("somebody still waits");
    }

    fn drain(&mut self) {
        if self.random.bool() {
            self.state.pause(self.now);
        }
        self.state.drain(self.now);
        self.obey();
        assert!(self.world.canceled && self.world.waiting.is_empty());
        self.acquire();
        while !self.world.drained {
            let left = self.state.counts;
            while !self.world.seats.is_empty() {
                self.leave_seat();
            }
            while !self.world.returning.is_empty() {
                self.return_lane();
            }
            while let Some(slot) = self.any(|world| &mut world.connecting) {
                self.state.connect_canceled(slot, self.now);
            }
            self.release();
            self.finish_check();
            self.finish_reset();
            self.finish_close();
            self.obey();
            self.verify();
            assert!(
                left != self.state.counts || self.world.drained,
                "the drain is stuck"
            );
        }
        assert!(self.state.is_drained());
        let totals = self.state.totals();
        assert_eq!(
            totals.opened, totals.closed,
            "each connection opened was closed"
        );
    }
}

fn any_bounds(random: &mut fastrand::Rng) -> Bounds {
    let max = random.u32(1..12);
    Bounds {
        min: random.u32(0..=max),
        max,
        max_overflow: random.u32(0..4),
    }
}

fn run(seed: u64, steps: u64) -> [u64; 4] {
    let mut run = Run::new(seed);
    run.state.upkeep(run.now);
    run.obey();
    for _ in 0..steps {
        run.step();
    }
    run.settle();
    run.drain();
    [run.served, run.seated, run.rescued, run.holder_changed]
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs these seeds, and prints a failing one.
fn simulate(seeds: impl Iterator<Item = u64>) {
    let steps = setting("UNDERPIN_POOL_STEPS").unwrap_or(500_000);
    let seeds: Vec<u64> = match setting("UNDERPIN_POOL_SEED") {
        Some(seed) => vec![seed],
        None => seeds.collect(),
    };
    let mut counts = [0; 4];
    for seed in &seeds {
        match std::panic::catch_unwind(|| run(*seed, steps)) {
            Ok(more) => (0..4).for_each(|at| counts[at] += more[at]),
            Err(panic) => {
                eprintln!("The simulation failed. To run it again: UNDERPIN_POOL_SEED={seed}");
                std::panic::resume_unwind(panic);
            }
        }
    }
    let [served, seated, rescued, holder_changed] = counts;
    println!(
        "{} seeds of {steps} steps: {served} leases, {holder_changed} of them from the cache, {seated} seats in \
         lanes, {rescued} left stuck lanes",
        seeds.len()
    );
    assert!(served > steps / 10, "only {served} leases were given out");
    assert!(seated > steps / 10, "only {seated} seats were taken");
    assert!(
        holder_changed > steps / 100,
        "only {holder_changed} leases went on with others"
    );
    assert!(rescued > 0, "no statement was ever stuck");
}

// Ten million steps in total, in parts that a test runner can distribute.

#[test]
fn five_million_steps_keep_bounds_permits_and_order() {
    simulate(1..=10);
}

#[test]
fn five_million_more_steps_keep_bounds_permits_and_order() {
    simulate(11..=20);
}
