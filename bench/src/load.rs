use std::future::Future;
use std::time::{Duration, Instant};

/// What every task of a load does again and again.
pub(crate) trait Operation: Clone + Send + Sync + 'static {
    /// Does it once; `n` counts within the task.
    fn once(&self, task: usize, n: i64) -> impl Future<Output = Done> + Send;
}

/// An operation that has got what it waited for.
pub(crate) struct Done {
    /// When it got it. What it does after that is part of the rate, not of the wait.
    at: Instant,
    /// Whether its wait is one of those that the percentiles are of.
    counts: bool,
}

impl Done {
    pub(crate) fn now() -> Self {
        Done {
            at: Instant::now(),
            counts: true,
        }
    }

    pub(crate) fn uncounted(self) -> Self {
        Done {
            counts: false,
            ..self
        }
    }
}

/// So many tasks, each with one operation under way at any time, for so long. Two readings
/// of the clock an operation are part of it.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) tasks: usize,
    pub(crate) length: Duration,
}

/// What one load came to.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    /// Operations a second.
    pub(crate) rate: f64,
    /// None where who ran the load does not say.
    pub(crate) waits: Option<Waits>,
}

/// Percentiles of the waits.
#[derive(Clone, Copy)]
pub(crate) struct Waits {
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) p999: Duration,
}

#[derive(Default)]
struct Tally {
    nanos: Vec<u64>,
    completed: u64,
}

impl Load {
    pub(crate) async fn run(self, operation: impl Operation) -> Sample {
        let end = Instant::now() + self.length;
        let tasks: Vec<_> = (0..self.tasks)
            .map(|task| tokio::spawn(repeat(operation.clone(), task, end)))
            .collect();
        let mut all = Tally::default();
        for task in tasks {
            let tally = task.await.expect("no operation fails");
            all.completed += tally.completed;
            all.nanos.extend(tally.nanos);
        }
        Sample {
            rate: all.completed as f64 / self.length.as_secs_f64(),
            waits: Some(Waits::of(all.nanos)),
        }
    }
}

/// The operation in progress at the end is not part of the rate, but its wait counts, so that a
/// starving caller is noticed.
async fn repeat(operation: impl Operation, task: usize, end: Instant) -> Tally {
    let mut tally = Tally::default();
    for n in 0.. {
        let begun = Instant::now();
        let done = operation.once(task, n).await;
        if done.counts {
            let wait = done.at.saturating_duration_since(begun);
            tally.nanos.push(wait.as_nanos() as u64);
        }
        if done.at >= end {
            break;
        }
        tally.completed += 1;
    }
    tally
}

impl Waits {
    fn of(mut nanos: Vec<u64>) -> Self {
        nanos.sort_unstable();
        let at = |share: f64| {
            let index = (nanos.len() as f64 * share) as usize;
            let nearest = nanos.get(index.min(nanos.len().saturating_sub(1)));
            Duration::from_nanos(nearest.copied().unwrap_or(0))
        };
        Waits {
            p50: at(0.5),
            p99: at(0.99),
            p999: at(0.999),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_waits() {
        let waits = Waits::of((0..1000).rev().collect());
        assert_eq!(waits.p50, Duration::from_nanos(500));
        assert_eq!(waits.p99, Duration::from_nanos(990));
        assert_eq!(waits.p999, Duration::from_nanos(999));
        assert_eq!(Waits::of(vec![7]).p999, Duration::from_nanos(7));
    }

    #[tokio::test]
    async fn only_waits_that_count_are_in_the_percentiles_and_all_are_in_the_rate() {
        #[derive(Clone)]
        struct Alternating;
        impl Operation for Alternating {
            async fn once(&self, _: usize, n: i64) -> Done {
                tokio::task::yield_now().await;
                let mut done = Done::now();
                if n % 2 == 1 {
                    done.at += Duration::from_secs(3600);
                    done = done.uncounted();
                }
                done
            }
        }
        let load = Load {
            tasks: 3,
            length: Duration::from_millis(50),
        };
        let sample = load.run(Alternating).await;
        // Each task completes one within the time, and ends with one that does not count.
        assert_eq!(sample.rate, 3.0 / 0.05);
        assert!(sample.waits.unwrap().p999 < Duration::from_secs(3600));
    }
}
