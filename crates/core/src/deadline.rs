use std::time::{Duration, Instant};

/// The latest time for an answer, or none.
///
/// It is a point in time rather than a duration, so that it can be passed through queue, connect
/// and statement without each of them restarting the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// No deadline: wait for as long as it takes.
    pub const NONE: Deadline = Deadline(None);

    /// The deadline at `instant`.
    pub fn at(instant: Instant) -> Self {
        Deadline(Some(instant))
    }

    /// The deadline `wait` after `now`; none if that is beyond the range of the clock.
    pub fn after(now: Instant, wait: Duration) -> Self {
        Deadline(now.checked_add(wait))
    }

    /// The point in time, if there is one.
    pub fn instant(self) -> Option<Instant> {
        self.0
    }

    /// The earlier of two deadlines; none is later than any.
    pub fn earlier(self, other: Deadline) -> Self {
        match (self.0, other.0) {
            (Some(a), Some(b)) => Deadline(Some(a.min(b))),
            (a, b) => Deadline(a.or(b)),
        }
    }

    /// The remaining time at `now`: zero once it has passed, `None` without a deadline.
    pub fn remaining(self, now: Instant) -> Option<Duration> {
        self.0.map(|at| at.saturating_duration_since(now))
    }

    /// The share of the remaining time at `now` for the next of this many attempts, so that one
    /// without an answer leaves time for the others.
    #[must_use]
    pub fn share(self, now: Instant, tries: usize) -> Self {
        match self.remaining(now) {
            Some(left) if tries > 1 => {
                Deadline::after(now, left / u32::try_from(tries).unwrap_or(u32::MAX))
            }
            _ => self,
        }
    }

    /// Whether it has passed at `now`.
    pub fn has_passed(self, now: Instant) -> bool {
        self.0.is_some_and(|at| at <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earlier_wins_and_none_is_latest() {
        let now = Instant::now();
        let soon = Deadline::after(now, Duration::from_secs(1));
        let late = Deadline::after(now, Duration::from_secs(9));
        assert_eq!(soon.earlier(late), soon);
        assert_eq!(Deadline::NONE.earlier(late), late);
        assert_eq!(late.earlier(Deadline::NONE), late);
        assert_eq!(soon.remaining(now), Some(Duration::from_secs(1)));
        assert!(!soon.has_passed(now));
        assert!(soon.has_passed(now + Duration::from_secs(1)));
        assert_eq!(Deadline::after(now, Duration::MAX), Deadline::NONE);
        assert_eq!(
            late.share(now, 3),
            Deadline::after(now, Duration::from_secs(3))
        );
        assert_eq!(late.share(now, 1), late);
        assert_eq!(Deadline::NONE.share(now, 3), Deadline::NONE);
    }
}
