use std::time::Duration;

/// A point in time of the state machine: nanoseconds since the pool was opened. Arithmetic
/// saturates, so that [`Timestamp::NEVER`] plus or minus anything stays sensible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Timestamp(u64);

impl Timestamp {
    /// The opening of the pool.
    pub(crate) const START: Timestamp = Timestamp(0);
    /// A time that never comes.
    pub(crate) const NEVER: Timestamp = Timestamp(u64::MAX);

    /// The time `since_start` after the opening.
    pub(crate) fn at(since_start: Duration) -> Self {
        Timestamp(nanos(since_start))
    }

    /// From the result of [`nanos`](Timestamp::nanos).
    pub(crate) fn of_nanos(nanos: u64) -> Self {
        Timestamp(nanos)
    }

    /// In nanoseconds since the opening.
    pub(crate) fn nanos(self) -> u64 {
        self.0
    }

    /// The time `wait` later.
    pub(crate) fn after(self, wait: Duration) -> Self {
        Timestamp(self.0.saturating_add(nanos(wait)))
    }

    /// The timestamp `ago` earlier, or the opening.
    pub(crate) fn before(self, ago: Duration) -> Self {
        Timestamp(self.0.saturating_sub(nanos(ago)))
    }

    /// Like `since`, in nanoseconds, so that a lease needs no division.
    pub(crate) fn nanos_since(self, earlier: Timestamp) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The duration since `earlier`; zero if it is not earlier.
    pub(crate) fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

fn nanos(length: Duration) -> u64 {
    // In 64 bits, since each lease does this.
    let seconds = length.as_secs().saturating_mul(1_000_000_000);
    seconds.saturating_add(u64::from(length.subsec_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endless_lengths_of_time_do_not_wrap_around() {
        let now = Timestamp::at(Duration::from_secs(3));
        assert_eq!(now.after(Duration::MAX), Timestamp::NEVER);
        assert_eq!(now.since(Timestamp::NEVER), Duration::ZERO);
        assert_eq!(now.since(Timestamp::START), Duration::from_secs(3));
    }
}
