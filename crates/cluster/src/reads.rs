//! Decides which members serve a read, and in which order: a pure function of their states.

use std::time::{Duration, Instant};

use underpin_core::{Position, ReadFrom};

/// Maximum lag behind the primary of a replica that serves a read. A replica whose lag is not known
/// exceeds any limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MaxLag {
    /// In bytes of the primary's history, up to its last known position.
    pub bytes: Option<u64>,
    /// Age of the latest change that it has replayed, if it has not replayed everything.
    pub time: Option<Duration>,
}

/// The position that a read must have seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct After {
    /// The read sees everything that was written before this position.
    pub position: Position,
    /// Maximum wait for a replica before the primary serves.
    pub wait: Duration,
}

/// The facts about a member that matter to reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Whether its server answers, and is not set aside.
    pub(crate) serves: bool,
    /// Whether it is the primary that calls go to.
    pub(crate) is_primary: bool,
    pub(crate) lag: Lag,
    /// The smoothed time that answers to probes take.
    pub(crate) latency: Option<Duration>,
}

/// Lag of a replica behind the primary's last known position. The primary has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lag {
    /// `None` if it is not known.
    pub(crate) bytes: Option<u64>,
    /// The time of the latest change that it has replayed.
    pub(crate) as_of: Option<Instant>,
}

impl Lag {
    pub(crate) const NONE: Lag = Lag {
        bytes: Some(0),
        as_of: None,
    };

    /// The time for which it has been behind; zero if it is not behind.
    pub(crate) fn time(self, now: Instant) -> Option<Duration> {
        match self.bytes? {
            0 => Some(Duration::ZERO),
            _ => self.as_of.map(|as_of| now.saturating_duration_since(as_of)),
        }
    }
}

impl MaxLag {
    /// Whether there is no limit.
    pub(crate) fn is_none(self) -> bool {
        self.bytes.is_none() && self.time.is_none()
    }

    fn allows(self, lag: Lag, now: Instant) -> bool {
        let few = |most: u64| lag.bytes.is_some_and(|bytes| bytes <= most);
        let recent = |most: Duration| lag.time(now).is_some_and(|time| time <= most);
        self.bytes.is_none_or(few) && self.time.is_none_or(recent)
    }
}

/// The members to ask, in this order. Each turn begins with another one.
pub(crate) fn order(
    standings: &[Standing],
    from: ReadFrom,
    max_lag: MaxLag,
    turn: usize,
    now: Instant,
    busy: impl Fn(usize) -> usize,
) -> Vec<usize> {
    let fits = |standing: &Standing| {
        let wanted = from != ReadFrom::Replicas || !standing.is_primary;
        let fresh = standing.is_primary || max_lag.is_none() || max_lag.allows(standing.lag, now);
        standing.serves && wanted && fresh
    };
    let mut members: Vec<usize> = (0..standings.len())
        .filter(|index| fits(&standings[*index]))
        .collect();
    if !members.is_empty() {
        let first = turn % members.len();
        members.rotate_left(first);
    }
    match from {
        ReadFrom::All | ReadFrom::Replicas => {}
        ReadFrom::LeastBusy => members.sort_by_cached_key(|index| busy(*index)),
        ReadFrom::Nearest => {
            let latency = |index: usize| standings[index].latency.unwrap_or(Duration::MAX);
            let least = members.iter().map(|index| latency(*index)).min();
            let near = least.map_or(Duration::ZERO, as_near);
            members.sort_by_key(|index| latency(*index).max(near));
        }
    }
    members
}

/// The latency that counts as near as the nearest: probes vary by that much.
fn as_near(least: Duration) -> Duration {
    least.saturating_mul(3) / 2 + Duration::from_micros(500)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(millis: u64) -> Standing {
        Standing {
            serves: true,
            is_primary: false,
            lag: Lag::NONE,
            latency: Some(Duration::from_millis(millis)),
        }
    }

    fn primary() -> Standing {
        Standing {
            is_primary: true,
            ..standing(1)
        }
    }

    fn lagging(bytes: Option<u64>) -> Standing {
        Standing {
            lag: Lag { bytes, as_of: None },
            ..standing(1)
        }
    }

    fn ordered(standings: &[Standing], from: ReadFrom, turn: usize) -> Vec<usize> {
        let now = Instant::now();
        order(standings, from, MaxLag::default(), turn, now, |index| {
            10 - index
        })
    }

    #[test]
    fn members_take_turns() {
        let all = [primary(), standing(1), standing(1)];
        assert_eq!(ordered(&all, ReadFrom::All, 0), [0, 1, 2]);
        assert_eq!(ordered(&all, ReadFrom::All, 4), [1, 2, 0]);
        assert_eq!(ordered(&all, ReadFrom::Replicas, 0), [1, 2]);
        assert_eq!(ordered(&all, ReadFrom::Replicas, 1), [2, 1]);
        assert!(ordered(&all[..1], ReadFrom::Replicas, 1).is_empty());
        assert!(ordered(&[], ReadFrom::All, 1).is_empty());
    }

    #[test]
    fn the_least_busy_comes_first() {
        let all = [primary(), standing(1), standing(1)];
        assert_eq!(ordered(&all, ReadFrom::LeastBusy, 0), [2, 1, 0]);
        let now = Instant::now();
        // Equally busy members take turns.
        let same = |turn| {
            order(
                &all,
                ReadFrom::LeastBusy,
                MaxLag::default(),
                turn,
                now,
                |_| 0,
            )
        };
        assert_eq!(same(0), [0, 1, 2]);
        assert_eq!(same(1), [1, 2, 0]);
    }

    #[test]
    fn the_nearest_come_first_and_take_turns() {
        let all = [standing(80), standing(2), standing(3), standing(20)];
        assert_eq!(ordered(&all, ReadFrom::Nearest, 0), [1, 2, 3, 0]);
        assert_eq!(ordered(&all, ReadFrom::Nearest, 2), [2, 1, 3, 0]);
        let unknown = Standing {
            latency: None,
            ..standing(1)
        };
        assert_eq!(
            ordered(&[unknown, standing(900)], ReadFrom::Nearest, 0),
            [1, 0]
        );
    }

    #[test]
    fn a_replica_with_too_much_or_unknown_lag_is_left_out() {
        let now = Instant::now();
        let all = [
            primary(),
            lagging(Some(10)),
            lagging(Some(11)),
            lagging(None),
        ];
        let within = |max_lag| order(&all, ReadFrom::All, max_lag, 0, now, |_| 0);
        let bytes = |bytes| MaxLag {
            bytes: Some(bytes),
            time: None,
        };
        assert_eq!(within(MaxLag::default()), [0, 1, 2, 3]);
        assert_eq!(within(bytes(10)), [0, 1]);
        assert_eq!(within(bytes(0)), [0]);
    }

    #[test]
    fn time_counts_only_for_replicas_that_are_behind() {
        let now = Instant::now();
        let later = now + Duration::from_secs(60);
        let idle = Standing {
            lag: Lag {
                bytes: Some(0),
                as_of: Some(now),
            },
            ..standing(1)
        };
        let behind = Standing {
            lag: Lag {
                bytes: Some(1),
                as_of: Some(now),
            },
            ..standing(1)
        };
        let untold = lagging(Some(1));
        let all = [idle, behind, untold];
        let within = |seconds| {
            let time = Some(Duration::from_secs(seconds));
            order(
                &all,
                ReadFrom::All,
                MaxLag { bytes: None, time },
                0,
                later,
                |_| 0,
            )
        };
        assert_eq!(within(59), [0]);
        assert_eq!(within(60), [0, 1]);
    }

    #[test]
    fn a_member_that_does_not_serve_is_left_out() {
        let aside = Standing {
            serves: false,
            ..standing(1)
        };
        assert_eq!(ordered(&[aside, standing(1)], ReadFrom::All, 0), [1]);
    }
}
