use crate::endpoint::Role;

/// What a server says of itself at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Observation {
    /// Whether it takes writes.
    pub role: Role,
    /// The number of the history that a primary writes, which grows with each promotion:
    /// of two primaries, the one with the lower number was left behind. `None` for a replica,
    /// and for an engine that has no such number.
    pub timeline: Option<u32>,
}

impl Observation {
    /// A server in this role, whose timeline is not known.
    pub fn new(role: Role) -> Self {
        Observation {
            role,
            timeline: None,
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
}
