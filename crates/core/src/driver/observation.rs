use std::time::Duration;

use crate::endpoint::Role;

/// A server's report about itself at one point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Observation {
    /// Whether it takes writes.
    pub role: Role,
    /// The number of the history that it writes or follows, which grows with each promotion: of two
    /// primaries, the one with the lower number has been replaced. `None` if it is not known, and
    /// for an engine without such a number.
    pub timeline: Option<u32>,
    /// The identifier that all copies of one database share.
    pub system: Option<u64>,
    /// Number of bytes of that history that a primary has written, or a replica has replayed.
    pub at: Option<u64>,
    /// Age of the latest change that a replica has replayed. It also grows while nothing is
    /// written.
    pub replayed_ago: Option<Duration>,
    /// Distinguishes the running server from others with the same history, for example its start
    /// time: two endpoints with the same value lead to the same server.
    pub server: Option<u64>,
    /// The start of the timeline.
    pub origin: Option<Origin>,
}

/// The start of a timeline: the position at which it left another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The timeline that it left.
    pub timeline: u32,
    /// Number of bytes of the other timeline that are part of the new one.
    pub at: u64,
}

impl Observation {
    /// A server in this role, without further facts.
    pub fn new(role: Role) -> Self {
        Observation {
            role,
            timeline: None,
            system: None,
            at: None,
            replayed_ago: None,
            server: None,
            origin: None,
        }
    }

    /// The same on this timeline.
    #[must_use]
    pub fn on_timeline(self, timeline: u32) -> Self {
        Observation {
            timeline: Some(timeline),
            ..self
        }
    }

    /// The same at this place in the history of a system.
    #[must_use]
    pub fn at(self, system: u64, at: u64) -> Self {
        Observation {
            system: Some(system),
            at: Some(at),
            ..self
        }
    }

    /// The same with the place where its timeline began.
    #[must_use]
    pub fn from(self, origin: Origin) -> Self {
        Observation {
            origin: Some(origin),
            ..self
        }
    }
}
