use std::time::Duration;

use crate::endpoint::Role;

/// What a server says of itself at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Observation {
    /// Whether it takes writes.
    pub role: Role,
    /// The number of the history that it writes or follows, which grows with each promotion: of two
    /// primaries, the one with the lower number was left behind. `None` where it is not known, and
    /// for an engine that has no such number.
    pub timeline: Option<u32>,
    /// The identifier that all copies of one database share.
    pub system: Option<u64>,
    /// How many bytes of that history a primary has written, or a replica has replayed.
    pub at: Option<u64>,
    /// How long ago the latest change that a replica has replayed was made. It grows too while
    /// nothing is written.
    pub replayed_ago: Option<Duration>,
    /// What tells the running server from others with the same history, such as when it was started:
    /// two endpoints with the same one lead to the same server.
    pub server: Option<u64>,
    /// Where the timeline began.
    pub origin: Option<Origin>,
}

/// Where a timeline began: on another one, at the place where that was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The timeline that was left.
    pub timeline: u32,
    /// The bytes of it that are part of the new one.
    pub at: u64,
}

impl Observation {
    /// A server in this role, of which nothing else is known.
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
