//! Which member is the primary, and whom to ask when: a pure function of what was observed and
//! when. [`Watch`](crate::watch) asks, and acts on what this decides.

use std::time::{Duration, Instant};

use underpin_core::driver::Observation;
use underpin_core::{Error, Role};

/// The time between two probes of a member while all is well.
const CALM: Duration = Duration::from_secs(1);
/// The same while there is no primary, or a reason to doubt the one there is.
const ALARMED: Duration = Duration::from_millis(25);
/// The same once the doubt has lasted for longer than [`PATIENCE`].
const WEARY: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_secs(10);
/// How long members are probed often after a suspicion that no probe confirms.
const SUSPICION: Duration = Duration::from_secs(2);

/// What is known of the roles of a database's members.
#[derive(Debug)]
pub(crate) struct Roles {
    members: Vec<Known>,
    primary: Option<usize>,
    /// The highest timeline that any primary was on.
    newest: Option<u32>,
    /// Since when there has been a reason to probe often.
    alarmed_since: Option<Instant>,
    suspicious_until: Option<Instant>,
}

/// What is known of one member.
#[derive(Debug)]
struct Known {
    latest: Latest,
    /// Since when it has answered, or not, in this role.
    since: Instant,
    /// How long the latest answer took.
    latency: Option<Duration>,
    /// Whether it has ever said that it is a primary, and the latest timeline that it was on then.
    was_primary: bool,
    was_on: Option<u32>,
    probing: bool,
    /// When the latest probe began.
    asked: Instant,
    due: Instant,
}

/// What the latest probe of a member found.
#[derive(Debug)]
pub(crate) enum Latest {
    /// There was no probe yet.
    Unknown,
    /// The server said this of itself.
    Answered(Observation),
    /// There was no answer.
    Failed(Error),
}

impl Latest {
    /// What the server says it is, where it answered.
    pub(crate) fn role(&self) -> Option<Role> {
        match self {
            Latest::Answered(said) => Some(said.role),
            _ => None,
        }
    }
}

impl Roles {
    /// Nothing is known, and everybody is to be asked.
    pub(crate) fn new(members: usize, now: Instant) -> Self {
        let unknown = || Known {
            latest: Latest::Unknown,
            since: now,
            latency: None,
            was_primary: false,
            was_on: None,
            probing: false,
            asked: now,
            due: now,
        };
        Roles {
            members: (0..members).map(|_| unknown()).collect(),
            primary: None,
            newest: None,
            alarmed_since: Some(now),
            suspicious_until: None,
        }
    }

    /// The member that takes the writes.
    pub(crate) fn primary(&self) -> Option<usize> {
        self.primary
    }

    /// Whether a member was a primary that another one has taken over from: on an older timeline,
    /// or without an answer.
    pub(crate) fn is_left(&self, index: usize, primary: usize) -> bool {
        let member = &self.members[index];
        let behind = match (member.was_on, self.timeline(primary)) {
            (Some(was_on), Some(now)) => was_on < now,
            _ => matches!(member.latest, Latest::Failed(_)),
        };
        index != primary && member.was_primary && behind
    }

    /// The members whose servers answered the latest probe.
    pub(crate) fn answering(&self) -> impl Iterator<Item = usize> {
        let all = self.members.iter().enumerate();
        all.filter(|(_, member)| matches!(member.latest, Latest::Answered(_)))
            .map(|(index, _)| index)
    }

    /// What the latest probe of each member found.
    pub(crate) fn latest(&self) -> impl Iterator<Item = &Latest> {
        self.members.iter().map(|member| &member.latest)
    }

    /// How long the latest answer of each member took, and since when it is as it is.
    pub(crate) fn timing(&self) -> impl Iterator<Item = (Option<Duration>, Instant)> {
        self.members
            .iter()
            .map(|member| (member.latency, member.since))
    }

    /// Whether each member was asked at least once.
    pub(crate) fn all_asked(&self) -> bool {
        self.latest()
            .all(|latest| !matches!(latest, Latest::Unknown))
    }

    /// The members to probe now. Each is under way until [`observe`](Roles::observe) is told of
    /// its outcome: there is never more than one probe of a member.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<usize> {
        let mut due = Vec::new();
        for (index, member) in self.members.iter_mut().enumerate() {
            if !member.probing && member.due <= now {
                member.probing = true;
                member.asked = now;
                due.push(index);
            }
        }
        due
    }

    /// When [`due`](Roles::due) is to be asked again, unless something happens before.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let idle = self.members.iter().filter(|member| !member.probing);
        idle.map(|member| member.due).min()
    }

    /// Somebody's connection broke, or a server refused a write as read-only: all members are
    /// probed at once.
    pub(crate) fn suspect(&mut self, now: Instant) {
        self.suspicious_until = Some(now + SUSPICION);
        self.alarmed_since.get_or_insert(now);
        for member in &mut self.members {
            member.due = member.due.min(now);
        }
    }

    /// Takes the outcome of a probe, and decides again which member is the primary.
    pub(crate) fn observe(
        &mut self,
        index: usize,
        found: Result<Observation, Error>,
        now: Instant,
    ) {
        let member = &mut self.members[index];
        member.probing = false;
        member.latency = found
            .is_ok()
            .then(|| now.saturating_duration_since(member.asked));
        let before = member.latest.role();
        member.latest = match found {
            Ok(observation) => Latest::Answered(observation),
            Err(error) => Latest::Failed(error),
        };
        if member.latest.role() != before {
            member.since = now;
        }
        if self.says_primary(index) {
            let timeline = self.timeline(index);
            let member = &mut self.members[index];
            member.was_primary = true;
            member.was_on = member.was_on.max(timeline);
            self.newest = self.newest.max(timeline);
        } else if self.members[index].latest.role().is_some() {
            self.members[index].was_primary = false;
        }
        self.primary = self.elect();
        self.settle(now);
        let pause = self.pause(now);
        self.members[index].due = now + pause;
    }

    fn timeline(&self, index: usize) -> Option<u32> {
        match self.members[index].latest {
            Latest::Answered(Observation {
                role: Role::Primary,
                timeline,
                ..
            }) => timeline,
            _ => None,
        }
    }

    fn says_primary(&self, index: usize) -> bool {
        matches!(
            self.members[index].latest,
            Latest::Answered(Observation {
                role: Role::Primary,
                ..
            })
        )
    }

    /// The primary among those who say that they are one. Who does not answer stays the primary
    /// until another member takes over; who says that it is a replica does not.
    fn elect(&self) -> Option<usize> {
        let on_newest = |index: &usize| self.timeline(*index) == self.newest;
        let candidates = || {
            let all = 0..self.members.len();
            all.filter(|index| self.says_primary(*index))
                .filter(on_newest)
        };
        let kept = self
            .primary
            .filter(|primary| match &self.members[*primary].latest {
                Latest::Answered(_) => candidates().any(|index| index == *primary),
                Latest::Failed(_) => candidates().next().is_none(),
                Latest::Unknown => false,
            });
        if self.newest.is_some() && candidates().nth(1).is_some() {
            // Two that write the same timeline: writes to either may be lost.
            return None;
        }
        kept.or_else(|| candidates().next())
    }

    /// Ends the alarm where nothing is in doubt any more.
    fn settle(&mut self, now: Instant) {
        let doubted = self.suspicious_until.is_some_and(|until| now < until);
        let answers = self
            .primary
            .is_some_and(|primary| self.says_primary(primary));
        if answers && !doubted {
            self.alarmed_since = None;
            self.suspicious_until = None;
        } else {
            self.alarmed_since.get_or_insert(now);
        }
    }

    fn pause(&self, now: Instant) -> Duration {
        match self.alarmed_since {
            None => CALM,
            Some(since) if now.saturating_duration_since(since) > PATIENCE => WEARY,
            Some(_) => ALARMED,
        }
    }
}

#[cfg(test)]
mod tests {
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

    /// Probes all that are due, and has them answer this.
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
    fn the_one_that_says_so_is_the_primary() {
        let now = Instant::now();
        let mut roles = Roles::new(3, now);
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
    fn who_is_silent_stays_until_another_takes_over() {
        let now = Instant::now();
        let mut roles = Roles::new(2, now);
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
        // It comes back, and does not know yet that it was left behind.
        let later = now + Duration::from_secs(5);
        round(&mut roles, later, |index| {
            on(if index == 0 { 1 } else { 2 })
        });
        assert_eq!(roles.primary(), Some(1));
        // It is not used when the other is gone either.
        roles.suspect(later);
        round(&mut roles, later, |index| match index {
            0 => on(1),
            _ => silent(),
        });
        assert_eq!(roles.primary(), Some(1));
    }

    #[test]
    fn who_says_that_it_is_a_replica_is_the_primary_no_more() {
        let now = Instant::now();
        let mut roles = Roles::new(2, now);
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
        let mut roles = Roles::new(2, now);
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
        let mut roles = Roles::new(3, now);
        round(&mut roles, now, |index| match index {
            0 => silent(),
            _ => says(PRIMARY),
        });
        assert_eq!(roles.primary(), Some(1));
        round(&mut roles, now + CALM, |_| says(PRIMARY));
        assert_eq!(roles.primary(), Some(1));
    }

    #[test]
    fn a_long_outage_is_probed_less_often() {
        let now = Instant::now();
        let mut roles = Roles::new(2, now);
        let (mut at, mut probes) = (now, 0);
        while at < now + Duration::from_secs(60) {
            probes += round(&mut roles, at, |_| silent());
            at = roles.next_due().unwrap();
        }
        assert!(probes <= 2 * (400 + 201), "{probes}");
    }

    /// Servers that are promoted, demoted, cut off and slow at random, and probes whose answers
    /// come late.
    #[test]
    fn never_an_older_timeline_once_a_newer_was_seen_and_always_back_to_a_primary() {
        for seed in 0..400 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut now = Instant::now();
            let members = random.usize(2..5);
            let mut roles = Roles::new(members, now);
            let mut newest = 0;
            let mut servers: Vec<Option<u32>> = vec![None; members];
            let mut reachable = vec![true; members];
            let mut under_way: Vec<(usize, Option<Result<Observation, Error>>)> = Vec::new();
            let mut seen = None;
            let answer = |server: Option<u32>, reachable: bool| match (server, reachable) {
                (_, false) => silent(),
                (Some(timeline), true) => on(timeline),
                (None, true) => says(REPLICA),
            };
            for _ in 0..2_000 {
                now += Duration::from_millis(random.u64(0..80));
                match random.u32(0..40) {
                    0 => {
                        newest += 1;
                        servers[random.usize(0..members)] = Some(newest);
                    }
                    1 => servers[random.usize(0..members)] = None,
                    2 => reachable[random.usize(0..members)] = false,
                    3..=5 => reachable[random.usize(0..members)] = true,
                    6 => roles.suspect(now),
                    _ => {}
                }
                for index in roles.due(now) {
                    under_way.push((index, Some(answer(servers[index], reachable[index]))));
                }
                while !under_way.is_empty() && random.bool() {
                    let (index, found) = under_way.swap_remove(random.usize(0..under_way.len()));
                    let found = found.unwrap();
                    if let Ok(observation) = &found {
                        seen = seen.max(observation.timeline);
                    }
                    roles.observe(index, found, now);
                }
                if let Some(primary) = roles.primary()
                    && let Latest::Answered(said) = &roles.members[primary].latest
                {
                    assert_eq!(said.role, PRIMARY);
                    assert_eq!(said.timeline, seen);
                }
            }
            // Everything settles: one primary, on the newest timeline.
            newest += 1;
            servers.fill(None);
            servers[0] = Some(newest);
            for (index, found) in under_way.drain(..) {
                roles.observe(index, found.unwrap(), now);
            }
            for _ in 0..3 {
                now = now.max(roles.next_due().unwrap());
                round(&mut roles, now, |index| answer(servers[index], true));
                now += CALM;
                round(&mut roles, now, |index| answer(servers[index], true));
            }
            assert_eq!(roles.primary(), Some(0), "seed {seed}");
        }
    }
}
