use std::fmt;
use std::ops::RangeInclusive;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Each power of two is divided into this many buckets, as a power of two itself.
const SPLIT_BITS: u32 = 3;
const SPLIT: usize = 1 << SPLIT_BITS;
/// Longer durations count as this long: 73 minutes.
const LONGEST_BITS: u32 = 42;
const LONGEST_NANOS: u64 = (1 << LONGEST_BITS) - 1;
const BUCKETS: usize = (LONGEST_BITS - SPLIT_BITS + 1) as usize * SPLIT;

/// A histogram of durations. The ranges are those of an HDR histogram: each is at most an eighth of
/// its lower end wide, from 1 ns to 73 minutes, and longer durations count as 73 minutes. Recording
/// takes a few instructions and allocates nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Histogram {
    counts: Box<[u64; BUCKETS]>,
    count: u64,
    sum_nanos: u64,
}

impl Histogram {
    /// Number of recorded durations.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Sum of all recorded durations; exact.
    pub fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum_nanos)
    }

    /// The mean, exact to the nanosecond; zero if nothing is recorded.
    pub fn mean(&self) -> Duration {
        match self.count {
            0 => Duration::ZERO,
            count => Duration::from_nanos(self.sum_nanos / count),
        }
    }

    /// The duration that the fraction `share` of all recorded durations does not exceed: 0.5 is the
    /// median, 0.99 the duration that one in a hundred exceeds. It is the upper end of a range, so
    /// it is never less than the true one and at most an eighth more. Zero if nothing is recorded;
    /// a `share` outside 0 to 1 counts as the nearer of the two.
    pub fn quantile(&self, share: f64) -> Duration {
        let wanted = (share.clamp(0.0, 1.0) * self.count as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (range, count) in self.buckets() {
            seen += count;
            if seen >= wanted {
                return *range.end();
            }
        }
        Duration::ZERO
    }

    /// The nonempty ranges, in ascending order, each with its count.
    pub fn buckets(&self) -> impl Iterator<Item = (RangeInclusive<Duration>, u64)> {
        let counts = self.counts.iter().enumerate();
        counts
            .filter(|(_, count)| **count > 0)
            .map(|(bucket, count)| (range(bucket), *count))
    }

    pub(crate) fn record(&mut self, nanos: u64) {
        self.counts[bucket(nanos)] += 1;
        self.count += 1;
        self.sum_nanos = self.sum_nanos.saturating_add(nanos);
    }

    /// Records a duration this many times.
    pub(crate) fn record_many(&mut self, nanos: u64, times: u64) {
        self.counts[bucket(nanos)] += times;
        self.count += times;
        self.sum_nanos = self.sum_nanos.saturating_add(nanos.saturating_mul(times));
    }

    /// Adds what `now` has more than this histogram, and returns it range by range: the middle of
    /// the range and the number of durations in it.
    #[cfg(feature = "metrics")]
    pub(crate) fn catch_up(&mut self, now: &Histogram) -> impl Iterator<Item = (Duration, u64)> {
        (self.count, self.sum_nanos) = (now.count, now.sum_nanos);
        let counts = self.counts.iter_mut().zip(now.counts.iter()).enumerate();
        counts.filter_map(|(bucket, (told, count))| {
            let more = count.checked_sub(*told).filter(|more| *more > 0)?;
            *told = *count;
            let range = range(bucket);
            Some(((*range.start() + *range.end()) / 2, more))
        })
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram {
            counts: Box::new([0; BUCKETS]),
            count: 0,
            sum_nanos: 0,
        }
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Histogram")
            .field("count", &self.count)
            .field("mean", &self.mean())
            .field("p50", &self.quantile(0.5))
            .field("p99", &self.quantile(0.99))
            .finish_non_exhaustive()
    }
}

/// A histogram with one writing thread at a time, which therefore needs no atomic addition, and any
/// number of readers.
#[derive(Default)]
pub(crate) struct SharedHistogram {
    /// Allocated at the first recording.
    counts: OnceLock<Box<[AtomicU64; BUCKETS]>>,
    sum_nanos: AtomicU64,
}

impl SharedHistogram {
    #[inline]
    pub(crate) fn record(&self, nanos: u64) {
        let none = || Box::new([const { AtomicU64::new(0) }; BUCKETS]);
        let counts = self.counts.get_or_init(none);
        add(&counts[bucket(nanos)], 1);
        add(&self.sum_nanos, nanos);
    }

    /// Adds these durations to another histogram; returns how many there are.
    pub(crate) fn add_to(&self, to: &mut Histogram) -> u64 {
        let mut added = 0;
        let counts = self
            .counts
            .get()
            .into_iter()
            .flat_map(|counts| counts.iter());
        for (to, count) in to.counts.iter_mut().zip(counts) {
            let count = count.load(Ordering::Relaxed);
            *to += count;
            added += count;
        }
        to.count += added;
        let sum = self.sum_nanos.load(Ordering::Relaxed);
        to.sum_nanos = to.sum_nanos.saturating_add(sum);
        added
    }
}

impl fmt::Debug for SharedHistogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut plain = Histogram::default();
        self.add_to(&mut plain);
        plain.fmt(f)
    }
}

fn add(number: &AtomicU64, more: u64) {
    let sum = number.load(Ordering::Relaxed).saturating_add(more);
    number.store(sum, Ordering::Relaxed);
}

fn bucket(nanos: u64) -> usize {
    let nanos = nanos.min(LONGEST_NANOS);
    if nanos < SPLIT as u64 {
        return nanos as usize;
    }
    // The leading bits after the first choose the bucket within the power of two.
    let shift = nanos.ilog2() - SPLIT_BITS;
    (shift as usize + 1) * SPLIT + (nanos >> shift) as usize % SPLIT
}

fn range(bucket: usize) -> RangeInclusive<Duration> {
    let (power, part) = (bucket / SPLIT, bucket % SPLIT);
    let (first, width) = match power {
        0 => (part as u64, 1),
        _ => (((SPLIT + part) as u64) << (power - 1), 1u64 << (power - 1)),
    };
    Duration::from_nanos(first)..=Duration::from_nanos(first + width - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    #[test]
    fn the_ranges_join_without_gap_or_overlap() {
        let mut next = Duration::ZERO;
        for bucket in 0..BUCKETS {
            let range = range(bucket);
            assert_eq!(*range.start(), next);
            assert_eq!(super::bucket(range.start().as_nanos() as u64), bucket);
            assert_eq!(super::bucket(range.end().as_nanos() as u64), bucket);
            next = *range.end() + Duration::from_nanos(1);
        }
        assert_eq!(next, Duration::from_nanos(LONGEST_NANOS + 1));
        assert_eq!(super::bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn an_empty_histogram_has_no_quantiles() {
        let histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.99), Duration::ZERO);
        assert_eq!(histogram.mean(), Duration::ZERO);
        assert_eq!(histogram.buckets().count(), 0);
    }

    #[test]
    fn a_shared_histogram_adds_up_to_the_same() {
        let (shared, mut plain) = (SharedHistogram::default(), Histogram::default());
        for nanos in [0, 1, 9, 1_000, 1_000_000_007, u64::MAX] {
            shared.record(nanos);
            plain.record(nanos);
        }
        plain.record_many(0, 3);
        let mut sum = Histogram::default();
        sum.record_many(0, 3);
        assert_eq!(shared.add_to(&mut sum), 6);
        assert_eq!(sum, plain);
    }

    proptest! {
        #[test]
        fn quantiles_are_those_of_a_sorted_list(
            mut lengths in prop::collection::vec(0..LONGEST_NANOS, 1..300),
            share in 0.0..=1.0f64,
        ) {
            let mut histogram = Histogram::default();
            for length in &lengths {
                histogram.record(*length);
            }
            lengths.sort_unstable();
            let nth = (share * lengths.len() as f64).ceil().max(1.0) as usize;
            let exact = lengths[nth - 1];
            let found = histogram.quantile(share).as_nanos() as u64;
            prop_assert!(found >= exact && found <= exact + exact / 8);
            prop_assert_eq!(histogram.count(), lengths.len() as u64);
            let sum: u64 = lengths.iter().map(|l| l / 1000).sum();
            prop_assert!(histogram.sum().as_micros() as u64 >= sum);
        }
    }
}
