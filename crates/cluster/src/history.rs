//! Decides whether a server has everything that was written before a position: a pure function of
//! the servers' observations.

use std::collections::BTreeMap;

use underpin_core::driver::{Observation, Origin};
use underpin_core::{Class, Effect, Endpoint, Error, Position, Role};

/// The timelines of a database, as far as servers reported where each began.
#[derive(Debug, Default)]
pub(crate) struct History {
    origins: BTreeMap<u32, Origin>,
}

/// Whether a server has everything that was written before a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It has all of it.
    Reached,
    /// It does not have all of it yet.
    Behind,
    /// It never will: the timeline was left before the position.
    Lost,
    /// The server is on a later timeline, and the start of that timeline is not known.
    Untold,
    /// The position belongs to another database.
    Elsewhere,
}

impl History {
    /// Records where a server's timeline began.
    pub(crate) fn learn(&mut self, said: &Observation) {
        if let (Some(timeline), Some(origin)) = (said.timeline, said.origin)
            && origin.timeline < timeline
        {
            self.origins.insert(timeline, origin);
        }
    }

    /// Whether a server with this observation has everything that was written before the position.
    pub(crate) fn judge(&self, said: &Observation, position: Position) -> Verdict {
        if said
            .system
            .is_some_and(|system| system != position.system())
        {
            return Verdict::Elsewhere;
        }
        let writes = said.role == Role::Primary;
        let (Some(_), Some(timeline), Some(at)) = (said.system, said.timeline, said.at) else {
            // A replica that reports no position is not expected to have it.
            return if writes {
                Verdict::Untold
            } else {
                Verdict::Behind
            };
        };
        match self.includes(timeline, position) {
            _ if timeline < position.timeline() => Verdict::Behind,
            Some(true) if at >= position.at() => Verdict::Reached,
            Some(true) => Verdict::Behind,
            Some(false) => Verdict::Lost,
            None if writes => Verdict::Untold,
            None => Verdict::Behind,
        }
    }

    /// Whether everything that was written before the position is part of this timeline. `None` if
    /// the start of a timeline in between is not known.
    fn includes(&self, mut timeline: u32, position: Position) -> Option<bool> {
        let mut end = u64::MAX;
        while timeline > position.timeline() {
            let origin = self.origins.get(&timeline)?;
            end = end.min(origin.at);
            timeline = origin.timeline;
        }
        Some(timeline == position.timeline() && position.at() <= end)
    }
}

impl Verdict {
    /// The error for a caller whose read no server can serve.
    #[cold]
    pub(crate) fn error(self, endpoint: &Endpoint, position: Position) -> Error {
        let timeline = position.timeline();
        let message = match self {
            Verdict::Lost => format!(
                "The write at position {position} may be lost: the primary at {endpoint} is on a \
                 later timeline, which left timeline {timeline} before that position."
            ),
            Verdict::Elsewhere => format!(
                "The position {position} does not belong to the database at {endpoint}, which has \
                 a different system identifier."
            ),
            Verdict::Untold => format!(
                "The write at position {position} may be lost: the primary at {endpoint} is not \
                 known to continue timeline {timeline} from beyond that position."
            ),
            Verdict::Reached | Verdict::Behind => {
                format!("The server at {endpoint} has not replayed position {position} yet.")
            }
        };
        let error = Error::new(Class::Data, message).with_effect(Effect::NotSent);
        match self {
            Verdict::Elsewhere => error.with_hint("Use a position of the same database."),
            Verdict::Untold => error.with_hint(
                "Read from the primary without the position, and repeat the writes that are missing. A \
                 user with the rights of pg_read_server_files can see where timelines began.",
            ),
            _ => error.with_hint(
                "Read from the primary without the position, and repeat the writes that are missing.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYSTEM: u64 = 77;

    fn server(role: Role, timeline: u32, at: u64) -> Observation {
        Observation::new(role).on_timeline(timeline).at(SYSTEM, at)
    }

    fn replica(timeline: u32, at: u64) -> Observation {
        server(Role::Replica, timeline, at)
    }

    fn primary(timeline: u32, at: u64) -> Observation {
        server(Role::Primary, timeline, at)
    }

    fn position(timeline: u32, at: u64) -> Position {
        Position::new(SYSTEM, timeline, at)
    }

    fn from(timeline: u32, at: u64) -> Origin {
        Origin { timeline, at }
    }

    #[test]
    fn on_one_timeline_the_place_decides() {
        let history = History::default();
        assert_eq!(
            history.judge(&replica(1, 99), position(1, 100)),
            Verdict::Behind
        );
        assert_eq!(
            history.judge(&replica(1, 100), position(1, 100)),
            Verdict::Reached
        );
        assert_eq!(
            history.judge(&primary(1, 100), position(1, 100)),
            Verdict::Reached
        );
        // A primary that another one has replaced has no part of the later timeline.
        assert_eq!(
            history.judge(&primary(1, 900), position(2, 100)),
            Verdict::Behind
        );
    }

    #[test]
    fn a_timeline_that_was_left_before_the_position_has_lost_it() {
        let mut history = History::default();
        let new = primary(3, 500).from(from(1, 100));
        history.learn(&new);
        assert_eq!(history.judge(&new, position(1, 100)), Verdict::Reached);
        assert_eq!(history.judge(&new, position(1, 101)), Verdict::Lost);
        // It was never on the timeline in between.
        assert_eq!(history.judge(&new, position(2, 50)), Verdict::Lost);
        // A replica that follows it does not have it either, however far it is.
        assert_eq!(
            history.judge(&replica(3, 400), position(1, 101)),
            Verdict::Lost
        );
        assert_eq!(
            history.judge(&replica(3, 99), position(1, 100)),
            Verdict::Behind
        );
    }

    #[test]
    fn each_timeline_in_between_bounds_what_is_left() {
        let mut history = History::default();
        history.learn(&primary(2, 150).from(from(1, 100)));
        let newest = primary(3, 300).from(from(2, 90));
        history.learn(&newest);
        // The third left the second before the second had replayed everything from the first.
        assert_eq!(history.judge(&newest, position(1, 90)), Verdict::Reached);
        assert_eq!(history.judge(&newest, position(1, 95)), Verdict::Lost);
    }

    #[test]
    fn unknown_positions_and_timelines_are_not_assumed() {
        let history = History::default();
        assert_eq!(
            history.judge(&primary(2, 900), position(1, 10)),
            Verdict::Untold
        );
        assert_eq!(
            history.judge(&replica(2, 900), position(1, 10)),
            Verdict::Behind
        );
        let silent = Observation::new(Role::Replica);
        assert_eq!(history.judge(&silent, position(1, 0)), Verdict::Behind);
        let silent = Observation::new(Role::Primary);
        assert_eq!(history.judge(&silent, position(1, 0)), Verdict::Untold);
        let other = Observation::new(Role::Primary)
            .on_timeline(1)
            .at(SYSTEM + 1, 900);
        assert_eq!(history.judge(&other, position(1, 10)), Verdict::Elsewhere);
    }

    /// Servers that are promoted and followed at random, compared with what each of them really
    /// has.
    #[test]
    fn no_server_is_judged_to_have_what_it_lacks() {
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            // The parts of each timeline: the timeline that wrote the part, and where the part
            // ends.
            let mut made: BTreeMap<u32, Vec<(u32, u64)>> = BTreeMap::from([(1, vec![(1, 100)])]);
            let mut history = History::default();
            for newest in 2..8_u32 {
                let parents: Vec<u32> = made.keys().copied().collect();
                let parent = parents[random.usize(..parents.len())];
                let parts = &made[&parent];
                let (first, last) = (parts[0].1.min(50), parts[parts.len() - 1].1);
                let at = random.u64(first..=last);
                let mut parts: Vec<_> = parts
                    .iter()
                    .enumerate()
                    .filter(|(index, _)| *index == 0 || parts[index - 1].1 < at)
                    .map(|(_, (timeline, end))| (*timeline, *end.min(&at)))
                    .collect();
                parts.push((newest, at + random.u64(1..100)));
                // It leaves the timeline that wrote the part before that place.
                let left = parts[parts.len() - 2].0;
                if random.u8(0..4) > 0 {
                    history.learn(&primary(newest, at).from(from(left, at)));
                }
                made.insert(newest, parts);
            }
            for (timeline, parts) in &made {
                for _ in 0..50 {
                    let wanted = position(random.u32(1..8), random.u64(1..400));
                    let at = random.u64(1..=parts[parts.len() - 1].1);
                    let said = if random.bool() {
                        replica(*timeline, at)
                    } else {
                        primary(*timeline, at)
                    };
                    let begins = |index: usize| if index == 0 { 0 } else { parts[index - 1].1 };
                    let has = parts.iter().enumerate().any(|(index, (wrote, end))| {
                        *wrote == wanted.timeline()
                            && wanted.at() <= *end
                            && wanted.at() <= at
                            && (wanted.at() > begins(index) || index == 0)
                    });
                    let before = parts.iter().enumerate().any(|(index, (wrote, _))| {
                        *wrote == wanted.timeline() && wanted.at() <= begins(index)
                    });
                    let verdict = history.judge(&said, wanted);
                    // A position before the start of its timeline belongs to no server.
                    if verdict == Verdict::Reached {
                        assert!(has || before, "seed {seed}: {said:?} {wanted:?}");
                    }
                    if verdict == Verdict::Lost {
                        assert!(!has, "seed {seed}: {said:?} {wanted:?}");
                    }
                }
            }
        }
    }
}
