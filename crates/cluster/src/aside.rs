use std::time::{Duration, Instant};

/// The first pause after a failure.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// Whether reads avoid a member because it failed: for a pause that doubles with each failure, and
/// until the answer to a probe after the pause. Once the member has then served for as long as its
/// last pause, its failures are forgotten.
#[derive(Debug, Default)]
pub(crate) struct Aside {
    failures: u32,
    /// The end of the pause, if no probe has been answered since.
    until: Option<Instant>,
    /// The end of the last pause.
    ended: Option<Instant>,
}

impl Aside {
    /// Whether the member is left out.
    pub(crate) fn is_set(&self) -> bool {
        self.until.is_some()
    }

    /// A connection for a read could not be opened, or the server stopped answering.
    pub(crate) fn failed(&mut self, now: Instant) {
        if self.is_set() {
            return;
        }
        let pause = self.pause();
        let served = self.ended.map(|ended| now.saturating_duration_since(ended));
        if served.is_none_or(|served| served >= pause) {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        self.until = Some(now + self.pause());
    }

    /// A probe was answered.
    pub(crate) fn answered(&mut self, now: Instant) {
        if self.until.is_some_and(|until| until <= now) {
            self.until = None;
            self.ended = Some(now);
        }
    }

    /// The pause of the latest failure.
    fn pause(&self) -> Duration {
        let doubled = FIRST.saturating_mul(1 << self.failures.saturating_sub(1).min(16));
        doubled.min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_with_an_answer() {
        let mut now = Instant::now();
        let mut aside = Aside::default();
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            aside.failed(now);
            // Further failures during the pause count as one.
            aside.failed(now);
            let pause = Duration::from_secs(seconds);
            aside.answered(now + pause - Duration::from_millis(1));
            assert!(aside.is_set(), "{seconds}");
            now += pause;
            assert!(aside.is_set(), "a probe ends it, and not the time alone");
            aside.answered(now);
            assert!(!aside.is_set(), "{seconds}");
        }
    }

    #[test]
    fn failures_are_forgotten_once_it_served_for_as_long() {
        let now = Instant::now();
        let mut aside = Aside::default();
        aside.failed(now);
        aside.answered(now + FIRST);
        aside.failed(now + FIRST);
        let back = now + FIRST + 2 * FIRST;
        aside.answered(back);
        assert!(!aside.is_set());
        let later = back + 2 * FIRST;
        aside.failed(later);
        aside.answered(later + FIRST);
        assert!(!aside.is_set(), "the pause is the first one again");
    }
}
