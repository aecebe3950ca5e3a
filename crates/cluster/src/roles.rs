//! Decides which member is the primary, and which members to probe when: a pure function of
//! observations and their times. [`Watch`](crate::watch) probes, and acts on the decisions.

use std::time::{Duration, Instant};

use underpin_core::driver::Observation;
use underpin_core::{Error, Role, TwoPrimaries};

use crate::aside::Aside;
use crate::reads::{Lag, Standing};

/// Interval between two probes of a member in normal operation.
const CALM: Duration = Duration::from_secs(1);
/// Interval while there is no primary, or a reason to doubt it.
const ALARMED: Duration = Duration::from_millis(25);
/// Interval once the doubt has lasted for longer than [`PATIENCE`].
const WEARY: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_secs(10);
/// Duration of frequent probes after a suspicion that no probe confirms.
const SUSPICION: Duration = Duration::from_secs(2);
/// Time within which a server must answer a probe before reads go elsewhere and, if it is the
/// primary, it is suspected.
const OVERDUE: Duration = Duration::from_millis(250);
/// Time for which a silent primary still counts as one, against another on its timeline.
const CLAIM: Duration = Duration::from_secs(10);

/// The known roles of a database's members.
#[derive(Debug)]
pub(crate) struct Roles {
    members: Vec<Known>,
    primary: Option<usize>,
    two_primaries: TwoPrimaries,
    /// The members that write the newest timeline, if there are several.
    rivals: Vec<usize>,
    /// The highest timeline that any primary was on.
    newest: Option<u32>,
    /// The latest observation of the primary.
    primary_said: Option<Observation>,
    /// The time since which there has been a reason to probe often.
    alarmed_since: Option<Instant>,
    suspicious_until: Option<Instant>,
}

/// The known state of one member.
#[derive(Debug)]
struct Known {
    latest: Latest,
    /// The time since which it has answered, or not answered, in this role.
    since: Instant,
    /// Duration of the latest answer.
    latency: Option<Duration>,
    /// Smoothed duration of the latest answers.
    distance: Option<Duration>,
    lag: Lag,
    aside: Aside,
    /// Whether it has ever reported that it is a primary, and its latest timeline as one.
    was_primary: bool,
    was_on: Option<u32>,
    /// Distinguishes the server from others that were started from the same files.
    server: Option<u64>,
    probing: bool,
    /// Whether the answer to the current probe is overdue, or a connection broke since the latest
    /// answer.
    late: bool,
    /// The time at which the latest probe began.
    asked: Instant,
    due: Instant,
}

/// The result of the latest probe of a member.
#[derive(Debug)]
pub(crate) enum Latest {
    /// It was not probed yet.
    Unknown,
    /// The server answered.
    Answered(Observation),
    /// The server did not answer.
    Failed(Error),
}

impl Latest {
    /// The role that the server reported, if it answered.
    pub(crate) fn role(&self) -> Option<Role> {
        match self {
            Latest::Answered(said) => Some(said.role),
            _ => None,
        }
    }
}

impl Known {
    fn answers(&self) -> bool {
        matches!(self.latest, Latest::Answered(_))
    }

    /// The time at which the answer to the current probe is late, for a server that has answered so
    /// far.
    fn overdue(&self) -> Option<Instant> {
        (self.probing && !self.late && self.answers()).then(|| self.asked + OVERDUE)
    }
}

impl Roles {
    /// Creates a state in which no role is known, and all members are due for a probe.
    pub(crate) fn new(members: usize, two_primaries: TwoPrimaries, now: Instant) -> Self {
        let unknown = || Known {
            latest: Latest::Unknown,
            since: now,
            latency: None,
            distance: None,
            lag: Lag::default(),
            aside: Aside::default(),
            was_primary: false,
            was_on: None,
            server: None,
            probing: false,
            late: false,
            asked: now,
            due: now,
        };
        Roles {
            members: (0..members).map(|_| unknown()).collect(),
            primary: None,
            two_primaries,
            rivals: Vec::new(),
            newest: None,
            primary_said: None,
            alarmed_since: Some(now),
            suspicious_until: None,
        }
    }

    /// The same state with other members; `kept` has the old index of each. All members are due for a
    /// probe.
    pub(crate) fn of_members(self, kept: &[Option<usize>], now: Instant) -> Self {
        let new = Roles::new(kept.len(), self.two_primaries, now);
        let place = |old: usize| kept.iter().position(|kept| *kept == Some(old));
        let mut before: Vec<Option<Known>> = self.members.into_iter().map(Some).collect();
        let members = kept.iter().zip(new.members).map(|(old, unknown)| {
            let known = old.and_then(|old| before[old].take());
            Known {
                probing: false,
                late: false,
                due: now,
                ..known.unwrap_or(unknown)
            }
        });
        Roles {
            members: members.collect(),
            primary: self.primary.and_then(place),
            rivals: self.rivals.into_iter().filter_map(place).collect(),
            newest: self.newest,
            primary_said: self.primary_said,
            suspicious_until: self.suspicious_until,
            ..new
        }
    }

    /// The member that takes writes.
    pub(crate) fn primary(&self) -> Option<usize> {
        self.primary
    }

    /// Whether another primary has taken over from this member: it is on an older timeline, or does
    /// not answer.
    pub(crate) fn is_left(&self, index: usize, primary: usize) -> bool {
        let member = &self.members[index];
        let behind = match (member.was_on, self.timeline(primary)) {
            (Some(was_on), Some(now)) => was_on < now,
            _ => matches!(member.latest, Latest::Failed(_)),
        };
        index != primary && member.was_primary && behind
    }

    /// The members that write the newest timeline, if there are several.
    pub(crate) fn rivals(&self) -> &[usize] {
        &self.rivals
    }

    /// The highest timeline that any primary was on.
    pub(crate) fn newest(&self) -> Option<u32> {
        self.newest
    }

    /// The facts about each member that matter to reads.
    pub(crate) fn standings(&self) -> impl Iterator<Item = Standing> {
        let all = self.members.iter().enumerate();
        all.map(|(index, member)| Standing {
            serves: member.answers() && !member.late && !member.aside.is_set(),
            is_primary: self.primary == Some(index),
            lag: match self.primary == Some(index) {
                true => Lag::NONE,
                false => member.lag,
            },
            latency: member.distance,
        })
    }

    /// Whether reads avoid each member because it failed.
    pub(crate) fn set_aside(&self) -> impl Iterator<Item = bool> {
        self.members.iter().map(|member| member.aside.is_set())
    }

    /// A connection for a read could not be opened.
    pub(crate) fn failed(&mut self, index: usize, now: Instant) {
        self.members[index].aside.failed(now);
        self.suspect(now);
    }

    /// A connection to the member broke.
    pub(crate) fn lost(&mut self, index: usize, now: Instant) {
        self.members[index].late = true;
        self.suspect(now);
    }

    /// The result of the latest probe of each member.
    pub(crate) fn latest(&self) -> impl Iterator<Item = &Latest> {
        self.members.iter().map(|member| &member.latest)
    }

    /// For each member, the duration of its latest answer, and the time since which its state
    /// holds.
    pub(crate) fn timing(&self) -> impl Iterator<Item = (Option<Duration>, Instant)> {
        self.members
            .iter()
            .map(|member| (member.latency, member.since))
    }

    /// Whether each member was probed at least once.
    pub(crate) fn all_asked(&self) -> bool {
        self.latest()
            .all(|latest| !matches!(latest, Latest::Unknown))
    }

    /// The members to probe now. Each probe is in progress until [`observe`](Roles::observe) gets
    /// its outcome: a member never has more than one probe in progress.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<usize> {
        let mut doubted = false;
        for (index, member) in self.members.iter_mut().enumerate() {
            if member.overdue().is_some_and(|overdue| overdue <= now) {
                member.late = true;
                doubted |= self.primary == Some(index);
            }
        }
        if doubted {
            self.suspect(now);
        }
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

    /// The time at which to call [`due`](Roles::due) again, unless something happens before.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let next = |member: &Known| match member.probing {
            true => member.overdue(),
            false => Some(member.due),
        };
        self.members.iter().filter_map(next).min()
    }

    /// A connection broke, or a server refused a write as read-only: all members are probed
    /// immediately.
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
        member.late = false;
        member.latency = found
            .is_ok()
            .then(|| now.saturating_duration_since(member.asked));
        let before = member.latest.role();
        match &found {
            Ok(_) => member.aside.answered(now),
            Err(_) if before.is_some() => member.aside.failed(now),
            Err(_) => {}
        }
        member.distance = member.latency.map(|latency| match member.distance {
            Some(distance) => (distance * 7 + latency) / 8,
            None => latency,
        });
        if let Ok(said) = &found {
            member.server = said.server;
        }
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
        self.primary = self.elect(now);
        self.measure(index, now);
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

    /// Elects the primary among the members that report to be one. A member that does not answer
    /// stays the primary until another one takes over; a member that reports to be a replica does
    /// not.
    fn elect(&mut self, now: Instant) -> Option<usize> {
        let all = 0..self.members.len();
        let candidates: Vec<usize> = all
            .clone()
            .filter(|index| self.says_primary(*index) && self.timeline(*index) == self.newest)
            .collect();
        let claims: Vec<usize> = all.filter(|index| self.claims(*index, now)).collect();
        self.rivals = match self.newest {
            Some(_) if !candidates.is_empty() => self.distinct(claims),
            _ => Vec::new(),
        };
        let kept = self
            .primary
            .filter(|primary| match &self.members[*primary].latest {
                Latest::Answered(_) => candidates.contains(primary),
                Latest::Failed(_) => candidates.is_empty() || self.rivals.contains(primary),
                Latest::Unknown => false,
            });
        if self.rivals.len() > 1 {
            // Writes to either of them may be lost.
            return kept.filter(|_| self.two_primaries == TwoPrimaries::Keep);
        }
        self.rivals.clear();
        kept.or(candidates.first().copied())
    }

    /// These members, without those that lead to the same server as an earlier one.
    fn distinct(&self, members: Vec<usize>) -> Vec<usize> {
        let server = |index: usize| self.members[index].server;
        let mut distinct: Vec<usize> = Vec::new();
        for index in members {
            let known = |other: &usize| server(*other).is_some() && server(*other) == server(index);
            if !distinct.iter().any(known) {
                distinct.push(index);
            }
        }
        distinct
    }

    /// Whether a member writes the newest timeline, by its own report: it still does, or it fell
    /// silent a short while ago.
    fn claims(&self, index: usize, now: Instant) -> bool {
        let member = &self.members[index];
        let may_write = match member.latest {
            Latest::Answered(_) => self.says_primary(index) && self.timeline(index) == self.newest,
            Latest::Failed(_) => now.saturating_duration_since(member.since) < CLAIM,
            Latest::Unknown => false,
        };
        member.was_primary && member.was_on == self.newest && may_write
    }

    /// Measures the member's lag behind the primary.
    fn measure(&mut self, index: usize, now: Instant) {
        if let Some(primary) = self.primary
            && let Latest::Answered(said) = &self.members[primary].latest
        {
            self.primary_said = Some(*said);
        }
        let Latest::Answered(said) = &self.members[index].latest else {
            return;
        };
        let bytes = self.primary_said.and_then(|primary| {
            let related = primary.system == said.system;
            let parted = said
                .timeline
                .is_some_and(|own| primary.timeline != Some(own));
            match (primary.at, said.at) {
                (Some(written), Some(replayed)) if related && !parted => {
                    Some(written.saturating_sub(replayed))
                }
                _ => None,
            }
        });
        let as_of = said.replayed_ago.and_then(|ago| now.checked_sub(ago));
        self.members[index].lag = Lag { bytes, as_of };
    }

    /// Ends the alarm if nothing is in doubt any more.
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
mod simulation;

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
        let serves =
            |roles: &Roles| -> Vec<bool> { roles.standings().map(|it| it.serves).collect() };
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
}
