use std::time::Duration;

use underpin_core::retry::RetryPolicy;

use crate::timestamp::Timestamp;

/// Minimum time between a failed attempt and the next one, for any caller.
pub(crate) const MIN_RETRY_GAP: Duration = Duration::from_millis(100);
/// The longest wait between two attempts to fill the pool while no caller waits.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// The wait after a failure that a retry is not expected to cure. It is long, since servers lock
/// accounts that repeatedly log in with a wrong password.
const PERMANENT_WAIT: Duration = Duration::from_secs(60);

/// Decides when the next attempt to connect may begin after failures.
///
/// While callers wait, their own schedules decide ([`Waiter::due`](super::queue::Waiter::due)).
/// While no caller waits, the pool fills itself at intervals that double from the retry policy's
/// base (at least 100 ms) up to 10 s.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    streak: u32,
    failed_at: Timestamp,
    fill_at: Timestamp,
}

impl Backoff {
    /// Whether the latest attempt failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.streak > 0
    }

    /// Number of failed attempts since the last successful one; simultaneous attempts count once.
    pub(crate) fn streak(&self) -> u32 {
        self.streak
    }

    pub(crate) fn succeeded(&mut self) {
        *self = Backoff::default();
    }

    /// Records the failure of an attempt that began after `failures_before` others.
    pub(crate) fn failed(
        &mut self,
        failures_before: u32,
        now: Timestamp,
        permanent: bool,
        policy: &RetryPolicy,
        random: f64,
    ) {
        if self.streak == failures_before {
            let filling = RetryPolicy {
                base: policy.base.max(MIN_RETRY_GAP),
                cap: LONGEST_WAIT,
                ..*policy
            };
            let wait = if permanent {
                PERMANENT_WAIT
            } else {
                filling.wait(self.streak, random)
            };
            self.fill_at = now.after(wait);
            self.streak = self.streak.saturating_add(1);
        }
        self.failed_at = now;
    }

    /// The time at which the next attempt may begin, given the time at which the first waiter's is
    /// due.
    pub(crate) fn next_attempt(&self, earliest_due: Option<Timestamp>) -> Timestamp {
        match earliest_due {
            _ if !self.is_failing() => Timestamp::START,
            Some(due) => due.max(self.failed_at.after(MIN_RETRY_GAP)),
            None => self.fill_at,
        }
    }
}
