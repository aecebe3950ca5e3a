use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// Maximum wait for the answer to a COMMIT, which is never canceled.
pub(crate) const COMMIT_BOUND: Duration = Duration::from_secs(30);

/// Ensures that the wait for the answer to a COMMIT ends. All COMMITs of a connection share one
/// timer, which its task keeps, and which is set again only when it has run out: a timer for each
/// would cost more than all other work of the client for a COMMIT.
#[derive(Debug)]
pub(crate) struct Watchdog {
    origin: Instant,
    /// The time at which the COMMIT in progress was sent, in milliseconds since the origin and at
    /// least 1. 0 while there is none.
    since: AtomicU64,
    awake: AtomicBool,
    wake: Notify,
    bit: AtomicBool,
}

/// While this exists, a COMMIT is in progress.
pub(crate) struct Watched<'a>(&'a Watchdog);

impl Watchdog {
    pub(crate) fn new() -> Self {
        Watchdog {
            origin: Instant::now(),
            since: AtomicU64::new(0),
            awake: AtomicBool::new(false),
            wake: Notify::new(),
            bit: AtomicBool::new(false),
        }
    }

    /// Begins to watch.
    pub(crate) fn begin(&self) -> Watched<'_> {
        let now = self.origin.elapsed().as_millis() as u64;
        self.since.store(now.max(1), Ordering::SeqCst);
        if !self.awake.swap(true, Ordering::SeqCst) {
            self.wake.notify_one();
        }
        Watched(self)
    }

    /// Whether the connection was abandoned because an answer did not arrive.
    pub(crate) fn has_bitten(&self) -> bool {
        self.bit.load(Ordering::Acquire)
    }

    /// Returns when the answer to a COMMIT is overdue.
    pub(crate) async fn watch(&self) {
        loop {
            self.wake.notified().await;
            let mut left = Some(COMMIT_BOUND);
            while let Some(wait) = left.filter(|wait| !wait.is_zero()) {
                sleep(wait).await;
                left = self.left();
            }
            if left.is_some() {
                self.bit.store(true, Ordering::Release);
                return;
            }
        }
    }

    /// The remaining wait for the COMMIT in progress. `None` if there is none; the next one then
    /// has to wake the watchdog.
    fn left(&self) -> Option<Duration> {
        let of = |since: u64| {
            let due = self.origin + Duration::from_millis(since) + COMMIT_BOUND;
            due.saturating_duration_since(Instant::now())
        };
        let since = self.since.load(Ordering::SeqCst);
        if since > 0 {
            return Some(of(since));
        }
        self.awake.store(false, Ordering::SeqCst);
        // A COMMIT that began before it fell asleep has not woken it.
        let since = self.since.load(Ordering::SeqCst);
        let missed = since > 0 && !self.awake.swap(true, Ordering::SeqCst);
        missed.then(|| of(since))
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.0.since.store(0, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::time::timeout;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn it_bites_when_an_answer_does_not_come_and_never_before() {
        let dog = Watchdog::new();
        let _commit = dog.begin();
        assert!(timeout(COMMIT_BOUND - SECOND, dog.watch()).await.is_err());
        assert!(!dog.has_bitten());
    }

    #[tokio::test(start_paused = true)]
    async fn each_commit_has_its_own_time() {
        let dog = Arc::new(Watchdog::new());
        let watching = Arc::clone(&dog);
        let watch = tokio::spawn(async move { watching.watch().await });
        for _ in 0..100 {
            let commit = dog.begin();
            sleep(COMMIT_BOUND - SECOND).await;
            drop(commit);
        }
        assert!(!watch.is_finished(), "all were answered in time");
        sleep(COMMIT_BOUND * 2).await;
        let began = Instant::now();
        let _commit = dog.begin();
        watch.await.unwrap();
        assert!(dog.has_bitten());
        let waited = began.elapsed();
        assert!(
            waited >= COMMIT_BOUND && waited < COMMIT_BOUND + SECOND,
            "{waited:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_commit_after_a_quiet_time_wakes_it_again() {
        let dog = Arc::new(Watchdog::new());
        let watching = Arc::clone(&dog);
        let watch = tokio::spawn(async move { watching.watch().await });
        for _ in 0..3 {
            drop(dog.begin());
            sleep(COMMIT_BOUND * 3).await;
            assert!(
                !dog.awake.load(Ordering::SeqCst),
                "nothing is to be watched"
            );
        }
        let _commit = dog.begin();
        sleep(COMMIT_BOUND + SECOND).await;
        assert!(watch.is_finished());
    }
}
