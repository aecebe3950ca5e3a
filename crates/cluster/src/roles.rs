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
mod tests;
