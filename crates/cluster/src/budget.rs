//! A bound on retries, so that an outage does not become a storm: they are at most a share of the
//! calls, as in Finagle's `RetryBudget`, whose share and floor are the defaults.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

/// The part of a retry that each call pays for, in thousandths.
const SHARE: u64 = 200;
/// The retries that are paid for in each second whatever the number of calls, in thousandths.
const FLOOR: u64 = 10_000;
/// The most that is saved up, in thousandths: ten seconds of the floor.
const MOST: u64 = 10 * FLOOR;
const RETRY: u64 = 1_000;

/// What is left for retries. Each number is right by itself; calls that meet may lose a
/// thousandth.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    opened: Instant,
    saved: AtomicU64,
    /// Up to when the floor has been paid, in milliseconds since the opening.
    paid: AtomicU64,
}

impl RetryBudget {
    pub(crate) fn new(now: Instant) -> Self {
        RetryBudget {
            opened: now,
            saved: AtomicU64::new(MOST),
            paid: AtomicU64::new(0),
        }
    }

    /// A call was made.
    #[inline]
    pub(crate) fn deposit(&self) {
        // Full nearly always, so that nothing is written then.
        if self.saved.load(Relaxed) < MOST {
            self.saved.fetch_add(SHARE, Relaxed);
        }
    }

    /// Whether there is enough left for a retry, which is paid for then.
    pub(crate) fn withdraw(&self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.opened);
        let elapsed = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let paid = self.paid.fetch_max(elapsed, Relaxed);
        let due = elapsed.saturating_sub(paid).saturating_mul(FLOOR) / 1_000;
        let taken = self.saved.fetch_update(Relaxed, Relaxed, |saved| {
            saved.saturating_add(due).min(MOST).checked_sub(RETRY)
        });
        if taken.is_err() {
            self.saved.fetch_add(due, Relaxed);
        }
        taken.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// How many of this many retries, one a millisecond, are granted.
    fn granted(budget: &RetryBudget, from: Instant, retries: u64) -> u64 {
        let at = |n| from + Duration::from_millis(n);
        (1..=retries)
            .map(|n| u64::from(budget.withdraw(at(n))))
            .sum()
    }

    #[test]
    fn retries_are_a_share_of_the_calls_above_a_floor() {
        let begun = Instant::now();
        let budget = RetryBudget::new(begun);
        // What is saved up is spent, and then ten a second are left.
        let spent = granted(&budget, begun, 10_000);
        assert!((199..=200).contains(&spent), "{spent}");
        let later = begun + Duration::from_secs(10);
        for _ in 0..50 {
            budget.deposit();
        }
        let spent = granted(&budget, later, 100);
        assert!((10..=12).contains(&spent), "{spent}");
        // Nothing is saved beyond ten seconds' worth.
        for _ in 0..10_000 {
            budget.deposit();
        }
        let much_later = later + Duration::from_secs(3_600);
        let spent = granted(&budget, much_later, 200);
        assert!((100..=103).contains(&spent), "{spent}");
    }
}
