//! Servers that are randomly promoted, demoted, cut off and slow, and observations of them that are
//! late, lost, contradictory and flapping, in seeded simulated time.

use std::time::{Duration, Instant};

use fastrand::Rng;
use underpin_core::driver::Observation;
use underpin_core::{Class, Error, Role, TwoPrimaries};

use super::{CALM, CLAIM, Roles};

const SEEDS: u64 = 1_100;
const STEPS: usize = 5_000;
/// Time from the end of all faults until the primary is known.
const RECOVERY: Duration = Duration::from_secs(15);

/// A server, and the network in front of it.
#[derive(Clone, Copy)]
struct Server {
    writes: Option<u32>,
    reachable: bool,
    /// Whether only every other probe is answered.
    flaps: bool,
    /// Whether its reports are outdated, or wrong.
    lies: bool,
}

/// The latest report of one member, as noted by an observer that does not share the code.
#[derive(Clone, Copy, Default)]
struct Claim {
    timeline: Option<u32>,
    silent_since: Option<Instant>,
}

struct World {
    random: Rng,
    now: Instant,
    roles: Roles,
    two_primaries: TwoPrimaries,
    servers: Vec<Server>,
    /// Outcomes of probes, and when each arrives.
    under_way: Vec<(Instant, usize, Result<Observation, Error>)>,
    claims: Vec<Claim>,
    /// The highest timeline on which a primary was observed.
    seen: Option<u32>,
    newest: u32,
    primary: Option<usize>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let now = Instant::now();
        let members = random.usize(2..5);
        let two_primaries = match random.bool() {
            true => TwoPrimaries::Refuse,
            false => TwoPrimaries::Keep,
        };
        let server = Server {
            writes: None,
            reachable: true,
            flaps: false,
            lies: false,
        };
        World {
            now,
            roles: Roles::new(members, two_primaries, now),
            two_primaries,
            servers: vec![server; members],
            under_way: Vec::new(),
            claims: vec![Claim::default(); members],
            seen: None,
            newest: 0,
            primary: None,
            random,
        }
    }

    fn any(&mut self) -> &mut Server {
        let index = self.random.usize(..self.servers.len());
        &mut self.servers[index]
    }

    /// A random fault of a server or of the network.
    fn fault(&mut self) {
        match self.random.u32(0..48) {
            0 => {
                self.newest += 1;
                let newest = self.newest;
                self.any().writes = Some(newest);
            }
            // Promoted from the same place as another one.
            1 => {
                let newest = Some(self.newest).filter(|newest| *newest > 0);
                self.any().writes = newest;
            }
            2..=3 => self.any().writes = None,
            4 => self.any().reachable = false,
            5..=7 => self.any().reachable = true,
            8 => self.any().flaps ^= true,
            9 => self.any().lies ^= true,
            10 => self.roles.suspect(self.now),
            11 => {
                let index = self.random.usize(..self.servers.len());
                self.roles.failed(index, self.now);
            }
            _ => {}
        }
    }

    fn answer(&mut self, index: usize) -> Result<Observation, Error> {
        let server = self.servers[index];
        if !server.reachable || (server.flaps && self.random.bool()) {
            return Err(Error::new(Class::Connect, "no answer"));
        }
        let writes = match server.lies && self.random.bool() {
            true => Some(self.random.u32(0..=self.newest)).filter(|timeline| *timeline > 0),
            false => server.writes,
        };
        Ok(match writes {
            Some(timeline) => Observation::new(Role::Primary).on_timeline(timeline),
            None => Observation::new(Role::Replica),
        })
    }

    /// Sends the probes that are due; answers take time, and some are lost.
    fn probe(&mut self) {
        for index in self.roles.due(self.now) {
            let lost = self.random.u8(0..50) == 0;
            let (outcome, took) = match lost {
                true => (Err(Error::new(Class::Connect, "lost")), 2_000),
                false => (self.answer(index), self.random.u64(0..40)),
            };
            let late = self.random.u8(0..30) == 0;
            let took = if late {
                took + self.random.u64(0..3_000)
            } else {
                took
            };
            let arrives = self.now + Duration::from_millis(took);
            self.under_way.push((arrives, index, outcome));
        }
    }

    /// Delivers the outcomes that have arrived.
    fn deliver(&mut self) {
        while let Some(next) = self.under_way.iter().position(|(at, ..)| *at <= self.now) {
            let (_, index, outcome) = self.under_way.swap_remove(next);
            self.note(index, &outcome);
            self.roles.observe(index, outcome, self.now);
            self.check();
        }
    }

    fn note(&mut self, index: usize, outcome: &Result<Observation, Error>) {
        let claim = &mut self.claims[index];
        match outcome {
            Ok(said) if said.role == Role::Primary => {
                *claim = Claim {
                    timeline: claim.timeline.max(said.timeline),
                    silent_since: None,
                };
                self.seen = self.seen.max(said.timeline);
                // A member that reports an older timeline than before is not believed.
                if said.timeline < self.seen {
                    claim.timeline = claim.timeline.filter(|own| Some(*own) < self.seen);
                }
            }
            Ok(_) => *claim = Claim::default(),
            Err(_) => {
                claim.silent_since.get_or_insert(self.now);
            }
        }
    }

    fn writes_newest(&self, index: usize) -> bool {
        let claim = self.claims[index];
        let silent = claim.silent_since;
        let lately = silent.is_none_or(|since| self.now.duration_since(since) < CLAIM);
        self.seen.is_some() && claim.timeline == self.seen && lately
    }

    fn check(&mut self) {
        let primary = self.roles.primary();
        if let Some(primary) = primary {
            assert_eq!(
                self.claims[primary].timeline, self.seen,
                "an older timeline is used"
            );
            let rival = (0..self.servers.len())
                .find(|index| *index != primary && self.writes_newest(*index));
            match (rival, self.two_primaries) {
                (None, _) => {}
                (Some(rival), TwoPrimaries::Refuse) => {
                    panic!("{primary} is used, and {rival} writes the same timeline")
                }
                (Some(rival), TwoPrimaries::Keep) => {
                    assert_eq!(self.primary, Some(primary), "{rival} was in use");
                }
            }
        }
        self.primary = primary;
    }

    fn step(&mut self) {
        self.now += Duration::from_millis(self.random.u64(0..80));
        self.fault();
        self.probe();
        self.deliver();
    }

    /// All faults end, and one server is promoted.
    fn recover(&mut self) {
        self.newest += 1;
        for server in &mut self.servers {
            *server = Server {
                writes: None,
                reachable: true,
                flaps: false,
                lies: false,
            };
        }
        self.servers[0].writes = Some(self.newest);
        self.calm(RECOVERY);
    }

    fn calm(&mut self, time: Duration) {
        let bound = self.now + time;
        while self.now < bound {
            self.now += Duration::from_millis(self.random.u64(0..80));
            for index in self.roles.due(self.now) {
                let outcome = self.answer(index);
                self.under_way.push((self.now, index, outcome));
            }
            self.deliver();
        }
    }
}

#[test]
fn there_are_never_two_primaries_nor_an_older_timeline_and_a_primary_is_always_found() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        for _ in 0..STEPS {
            world.step();
        }
        world.recover();
        assert_eq!(world.roles.primary(), Some(0), "seed {seed}");
        // The longest time for which a member is set aside.
        world.calm(Duration::from_secs(62));
        assert_eq!(world.roles.primary(), Some(0), "seed {seed}");
        assert!(world.roles.rivals().is_empty(), "seed {seed}");
        // Nothing is in doubt any more, so members are probed rarely.
        let due = world.roles.next_due().expect("no probe is under way");
        assert!(due + CALM > world.now, "seed {seed}");
        assert!(
            world.roles.standings().all(|standing| standing.serves),
            "seed {seed}"
        );
    }
}
