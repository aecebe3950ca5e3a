//! A limit on retries, so that an outage does not become a storm: they are at most a share of the
//! calls, as in Finagle's `RetryBudget`, whose share and floor are the defaults.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

/// The part of a retry that each call pays for, in thousandths.
const SHARE: u64 = 200;
/// Retries per second that are granted regardless of the number of calls, in thousandths.
const FLOOR: u64 = 10_000;
/// Maximum that is saved, in thousandths: ten seconds of the floor.
const MOST: u64 = 10 * FLOOR;
const RETRY: u64 = 1_000;

/// The balance for retries. Each number is correct by itself; simultaneous calls may lose a
/// thousandth.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    opened: Instant,
    saved: AtomicU64,
    /// Time up to which the floor has been paid, in milliseconds since the opening.
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

    /// Records a call.
    #[inline]
    pub(crate) fn deposit(&self) {
        // The balance is nearly always full, and then nothing is written.
        if self.saved.load(Relaxed) < MOST {
            self.saved.fetch_add(SHARE, Relaxed);
        }
    }

    /// Whether the balance allows a retry; if so, pays for it.
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

    /// Number of retries that are granted out of this many, one per millisecond.
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
        // The balance is spent, and then ten a second are granted.
        let spent = granted(&budget, begun, 10_000);
        assert!((199..=200).contains(&spent), "{spent}");
        let later = begun + Duration::from_secs(10);
        for _ in 0..50 {
            budget.deposit();
        }
        let spent = granted(&budget, later, 100);
        assert!((10..=12).contains(&spent), "{spent}");
        // The balance holds at most ten seconds' worth.
        for _ in 0..10_000 {
            budget.deposit();
        }
        let much_later = later + Duration::from_secs(3_600);
        let spent = granted(&budget, much_later, 200);
        assert!((100..=103).contains(&spent), "{spent}");
    }
}
