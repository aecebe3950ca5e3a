use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::timestamp::Timestamp;

/// The pool's clock. Each lease and each return reads it, and reading the operating system's clock
/// takes longer than all the other work of a lease. The pool therefore reads the processor's
/// counter, as long as the counter agrees with Tokio's clock. Upkeep checks this each time. If they
/// disagree, for example after the machine slept or while a test has paused Tokio's clock, the pool
/// uses Tokio's clock from then on.
///
/// Timestamps are compared only with one another. An `Instant` from outside is converted by the
/// difference between the clocks at the latest comparison, and a time for a timer relative to the
/// present, so that the two clocks may drift apart over days.
#[derive(Debug)]
pub(crate) struct Clock {
    opened_at: Instant,
    counter: quanta::Clock,
    opened_at_count: u64,
    is_counter: AtomicBool,
    /// The time of the latest comparison, in nanoseconds since the opening.
    compared_at: AtomicU64,
    compared_at_count: AtomicU64,
    /// By how many nanoseconds timestamps are ahead of the time since the opening by Tokio's clock.
    ahead: AtomicI64,
}

/// Difference that can result from an interruption between the two readings.
const TOLERANCE: Duration = Duration::from_millis(20);

impl Clock {
    pub(crate) fn new() -> Self {
        let counter = quanta::Clock::new();
        let opened_at_count = counter.raw();
        let opened_at = Instant::now();
        Clock {
            opened_at,
            is_counter: AtomicBool::new(!is_paused(opened_at)),
            opened_at_count,
            compared_at: AtomicU64::new(0),
            compared_at_count: AtomicU64::new(opened_at_count),
            ahead: AtomicI64::new(0),
            counter,
        }
    }

    /// The current time.
    #[inline]
    pub(crate) fn now(&self) -> Timestamp {
        match self.is_counter.load(Ordering::Relaxed) {
            true => {
                let count = self.counter.raw();
                let nanos = self.counter.delta_as_nanos(self.opened_at_count, count);
                Timestamp::of_nanos(nanos)
            }
            false => Timestamp::at(self.opened_at.elapsed()),
        }
    }

    /// The timestamp of an instant. Between two comparisons, the timestamps of two instants are in
    /// the order of the instants.
    pub(crate) fn timestamp(&self, instant: Instant) -> Timestamp {
        let at = Timestamp::at(instant.saturating_duration_since(self.opened_at));
        let ahead = self.ahead.load(Ordering::Relaxed);
        let difference = Duration::from_nanos(ahead.unsigned_abs());
        match ahead < 0 {
            true => at.before(difference),
            false => at.after(difference),
        }
    }

    /// The instant of a future timestamp; `None` if a clock cannot represent it.
    pub(crate) fn instant(&self, timestamp: Timestamp) -> Option<Instant> {
        match timestamp {
            Timestamp::NEVER => None,
            timestamp => Instant::now().checked_add(timestamp.since(self.now())),
        }
    }

    /// Compares the counter with Tokio's clock, and stops using the counter if they disagree by
    /// more than one percent.
    pub(crate) fn compare(&self) {
        if !self.is_counter.load(Ordering::Relaxed) {
            return;
        }
        let (count, at) = self.read_both();
        let before = self.compared_at.swap(at, Ordering::Relaxed);
        let count_before = self.compared_at_count.swap(count, Ordering::Relaxed);
        let real = at.saturating_sub(before);
        let counted = self.counter.delta_as_nanos(count_before, count);
        if count < count_before || !agree(real, counted) {
            self.is_counter.store(false, Ordering::Relaxed);
            self.ahead.store(0, Ordering::Relaxed);
            tracing::debug!(real, counted, "the pool uses Tokio's clock from now on");
            return;
        }
        let timestamp = self.counter.delta_as_nanos(self.opened_at_count, count);
        let ahead = timestamp.wrapping_sub(at).cast_signed();
        self.ahead.store(ahead, Ordering::Relaxed);
    }

    /// Reads the counter, and Tokio's clock in nanoseconds since the opening, at the same time: of
    /// a few readings the one that took least.
    fn read_both(&self) -> (u64, u64) {
        let read = || {
            let count = self.counter.raw();
            let at = self.opened_at.elapsed().as_nanos();
            let took = self.counter.raw().wrapping_sub(count);
            (took, count, u64::try_from(at).unwrap_or(u64::MAX))
        };
        let (_, count, at) = (0..READINGS).map(|_| read()).min().expect("there are some");
        (count, at)
    }
}

/// Number of readings of both clocks, so that one of them is not interrupted.
const READINGS: usize = 5;

fn agree(real: u64, counted: u64) -> bool {
    let tolerance = TOLERANCE.as_nanos() as u64 + real / 100;
    real.abs_diff(counted) <= tolerance
}

/// Whether a test has paused Tokio's clock.
fn is_paused(now: Instant) -> bool {
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_micros(1) {
        std::hint::spin_loop();
    }
    Instant::now() == now
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_may_differ_a_little() {
        let second = 1_000_000_000;
        assert!(agree(30 * second, 30 * second + second / 4));
        assert!(!agree(30 * second, 31 * second));
        assert!(!agree(0, second), "one of them stands still");
        assert!(agree(0, 19_000_000));
    }

    #[tokio::test(start_paused = true)]
    async fn a_paused_clock_is_followed() {
        let clock = Clock::new();
        let before = clock.now();
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(clock.now().since(before), Duration::from_secs(3));
    }

    #[tokio::test]
    async fn a_clock_that_is_paused_later_is_followed_once_it_was_compared() {
        let clock = Clock::new();
        assert!(clock.is_counter.load(Ordering::Relaxed));
        clock.compare();
        assert!(clock.is_counter.load(Ordering::Relaxed), "they agree");
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(3)).await;
        clock.compare();
        let before = clock.now();
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(clock.now().since(before), Duration::from_secs(3));
    }

    #[tokio::test]
    async fn timestamps_keep_the_order_of_instants() {
        let clock = Clock::new();
        clock.compare();
        let first = Instant::now();
        let instants = (0..1_000).map(|nth| first + Duration::from_nanos(nth));
        let converted: Vec<_> = instants.map(|instant| clock.timestamp(instant)).collect();
        assert!(converted.is_sorted_by(|a, b| a < b));
    }

    #[tokio::test]
    async fn instants_and_timestamps_are_converted_there_and_back() {
        let clock = Clock::new();
        let instant = Instant::now() + Duration::from_secs(5);
        let there = clock.timestamp(instant);
        let back = clock.instant(there).expect("it is not never");
        let off = back.max(instant) - back.min(instant);
        assert!(off < TOLERANCE, "{off:?}");
        assert_eq!(clock.instant(Timestamp::NEVER), None);
        assert_eq!(
            clock.timestamp(instant - Duration::from_secs(3600)),
            Timestamp::START
        );
    }
}
