//! The one place where the cluster reads the time: Tokio's clock, so that it stands still when a
//! test pauses that clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The current time.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Issues the times at which callers began to wait. Each is later than the one before, so that they
/// give the order of arrival even where two callers arrive at the same time.
#[derive(Debug)]
pub(crate) struct Arrivals {
    opened: Instant,
    /// The latest, in nanoseconds since the opening.
    latest: AtomicU64,
}

impl Arrivals {
    pub(crate) fn new() -> Self {
        Arrivals {
            opened: now(),
            latest: AtomicU64::new(0),
        }
    }

    pub(crate) fn next(&self) -> Instant {
        let elapsed = now().saturating_duration_since(self.opened).as_nanos();
        let elapsed = u64::try_from(elapsed).unwrap_or(u64::MAX);
        let later = |latest: u64| elapsed.max(latest.saturating_add(1));
        let latest = self
            .latest
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |latest| {
                Some(later(latest))
            });
        let (Ok(latest) | Err(latest)) = latest;
        self.opened + Duration::from_nanos(later(latest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn callers_that_arrive_at_the_same_time_have_an_order() {
        let arrivals = Arrivals::new();
        let first = arrivals.next();
        assert!(arrivals.next() > first);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(arrivals.next(), now());
    }
}
