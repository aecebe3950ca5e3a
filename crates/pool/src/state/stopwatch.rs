use std::time::Duration;

use crate::timestamp::Timestamp;

/// Adds up the time in which something was the case.
#[derive(Debug, Default)]
pub(crate) struct Stopwatch {
    total: Duration,
    running_since: Option<Timestamp>,
}

impl Stopwatch {
    /// Says whether it is the case from now on.
    pub(crate) fn set(&mut self, running: bool, now: Timestamp) {
        match (self.running_since, running) {
            (None, true) => self.running_since = Some(now),
            (Some(since), false) => {
                self.total += now.since(since);
                self.running_since = None;
            }
            _ => {}
        }
    }

    /// The time up to now.
    pub(crate) fn total(&self, now: Timestamp) -> Duration {
        self.total
            + self
                .running_since
                .map_or(Duration::ZERO, |since| now.since(since))
    }
}
