//! Connections that are cached for the next caller, seen from outside: the only visible difference
//! is speed.

use std::panic::Location;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use underpin_core::{Class, Deadline};
use underpin_pool::{AcquireOptions, Bounds, HealthCheck, Hooks, Lease, Pool};

use crate::fake::{
    FakeConnection, FakeConnector, Goes, Server, assert_at_rest, leases, options, pool, seconds,
};

type Fake = Pool<FakeConnector>;

/// An immediate lease, from the line that calls this: it never waits.
#[track_caller]
fn at_once(pool: &Fake) -> Lease<FakeConnector> {
    let acquire = std::pin::pin!(pool.acquire(AcquireOptions::new()));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match acquire.poll(&mut context) {
        std::task::Poll::Ready(lease) => lease.unwrap(),
        std::task::Poll::Pending => panic!("it waits"),
    }
}

#[track_caller]
fn here() -> &'static Location<'static> {
    Location::caller()
}

/// A pool with this many connections, all cached.
async fn fill_cache(pool: &Fake, count: usize) -> Vec<usize> {
    let held = leases(pool, count).await;
    let ids = held.iter().map(|lease| lease.id).collect();
    drop(held);
    ids
}

#[tokio::test(start_paused = true)]
async fn a_cached_connection_is_idle_and_each_lease_counts() {
    let (pool, server) = pool(3, |_| {});
    *server.connect.lock().unwrap() = Goes::Slowly(Duration::from_millis(200));
    let held = pool.acquire(AcquireOptions::new()).await.unwrap();
    for _ in 0..100 {
        sleep(Duration::from_millis(3)).await;
        drop(pool.acquire(AcquireOptions::new()).await.unwrap());
        let lease = at_once(&pool);
        sleep(Duration::from_millis(5)).await;
        drop(lease);
    }
    let last = at_once(&pool);
    let now = pool.statistics();
    assert_eq!((now.size, now.in_use, now.idle), (2, 2, 0), "{now:?}");
    assert_eq!((now.acquired_total, now.returned_total), (202, 200));
    drop(last);
    let now = pool.statistics();
    assert_eq!((now.size, now.in_use, now.idle), (2, 1, 1), "{now:?}");
    assert_eq!((now.acquired_total, now.returned_total), (202, 201));
    drop(held);
    let now = pool.statistics();
    assert_eq!((now.acquired_total, now.returned_total), (202, 202));
    assert_eq!((now.wait.count(), now.use_time.count()), (202, 202));
    // Two callers waited for a new connection, all others not at all.
    assert_eq!(now.wait.sum(), Duration::from_millis(400));
    assert_eq!(now.wait.quantile(0.98), Duration::ZERO);
    let held_first = Duration::from_millis(100 * 8 + 200);
    assert_eq!(now.use_time.sum(), Duration::from_millis(500) + held_first);
    assert_eq!(server.opened(), 2);
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn the_latest_holder_is_named_since_it_holds() {
    let (pool, _server) = pool(1, |_| {});
    for _ in 0..3 {
        drop(pool.acquire(AcquireOptions::new()).await.unwrap());
        sleep(Duration::from_millis(100)).await;
    }
    let (_held, caller) = (at_once(&pool), here());
    let hasty = AcquireOptions {
        timeout: Some(Duration::from_secs(2)),
        ..AcquireOptions::new()
    };
    let error = pool.acquire(hasty).await.unwrap_err();
    let holder = format!(
        "Held longest: {}:{} for 2000 ms.",
        caller.file(),
        caller.line()
    );
    assert!(error.message().contains(&holder), "{error}");
    let deadline = Deadline::after(Instant::now().into_std(), Duration::from_secs(1));
    let error = pool.close(deadline).await.unwrap_err();
    let holder = format!(
        "1 connection is still held: {}:{} for 3000 ms.",
        caller.file(),
        caller.line()
    );
    assert!(error.message().contains(&holder), "{error}");
}

#[tokio::test(start_paused = true)]
async fn of_two_holders_at_the_same_time_the_later_is_named() {
    let (pool, _server) = pool(1, |_| {});
    drop(pool.acquire(AcquireOptions::new()).await.unwrap());
    let (_held, caller) = (at_once(&pool), here());
    let hasty = AcquireOptions {
        timeout: Some(Duration::from_secs(2)),
        ..AcquireOptions::new()
    };
    let error = pool.acquire(hasty).await.unwrap_err();
    let holder = format!("{}:{} for 2000 ms.", caller.file(), caller.line());
    assert!(error.message().contains(&holder), "{error}");
}

#[tokio::test(start_paused = true)]
async fn only_a_lease_that_is_held_itself_for_too_long_is_a_leak() {
    let (pool, server) = pool(1, |o| {
        o.leak_threshold = Some(Duration::from_secs(10));
        o.health_check = HealthCheck::Never;
    });
    // Together they hold it for longer than that.
    for _ in 0..5 {
        let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
        seconds(8).await;
        drop(lease);
    }
    assert_eq!(pool.statistics().leaks_total, 0);
    let lease = at_once(&pool);
    seconds(9).await;
    assert_eq!(pool.statistics().leaks_total, 0);
    seconds(2).await;
    assert_eq!(pool.statistics().leaks_total, 1);
    seconds(60).await;
    assert_eq!(pool.statistics().leaks_total, 1, "it is reported once");
    drop(lease);
    let lease = at_once(&pool);
    seconds(11).await;
    assert_eq!(pool.statistics().leaks_total, 2);
    drop(lease);
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn a_pause_empties_the_cache() {
    let (pool, server) = pool(2, |_| {});
    fill_cache(&pool, 2).await;
    pool.pause();
    let next = tokio::spawn(pool.acquire(AcquireOptions::new()));
    seconds(1).await;
    assert!(!next.is_finished(), "a paused pool hands nothing out");
    let now = pool.statistics();
    assert_eq!((now.idle, now.waiting), (2, 1), "{now:?}");
    pool.resume();
    drop(next.await.unwrap().unwrap());
    drop(at_once(&pool));
    assert_eq!(server.opened(), 2);
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn fewer_cached_connections_are_kept_when_fewer_are_allowed() {
    let (pool, server) = pool(10, |_| {});
    fill_cache(&pool, 10).await;
    let bounds = |max| Bounds {
        min: 0,
        max,
        max_overflow: 0,
    };
    pool.resize(bounds(3)).unwrap();
    seconds(1).await;
    assert_eq!(server.live(), 3);
    assert_at_rest(&pool, &server);
    // More than ever before, and more than the first cache slots.
    pool.resize(bounds(40)).unwrap();
    for _ in 0..3 {
        fill_cache(&pool, 40).await;
    }
    assert_eq!(server.opened(), 10 + 37);
    let held: Vec<_> = (0..40).map(|_| at_once(&pool)).collect();
    drop(held);
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn nothing_stale_is_taken_from_the_cache() {
    let (pool, server) = pool(3, |_| {});
    let old = fill_cache(&pool, 3).await;
    let held = at_once(&pool);
    pool.invalidate();
    seconds(1).await;
    assert_eq!(server.live(), 1, "all but the one that is held are closed");
    drop(held);
    seconds(1).await;
    assert_eq!(server.live(), 0);
    let new = pool.acquire(AcquireOptions::new()).await.unwrap();
    assert!(!old.contains(&new.id));
    drop(new);
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn cached_connections_are_replaced_with_their_connector() {
    let (pool, old) = pool(3, |_| {});
    fill_cache(&pool, 3).await;
    let new = Server::new();
    pool.replace(FakeConnector(Arc::clone(&new)));
    drop(pool.acquire(AcquireOptions::new()).await.unwrap());
    seconds(1).await;
    assert_eq!((old.live(), new.live()), (0, 1));
    assert_at_rest(&pool, &new);
}

#[tokio::test(start_paused = true)]
async fn a_pool_is_closed_with_its_cached_connections() {
    let (pool, server) = pool(3, |_| {});
    fill_cache(&pool, 3).await;
    let held = at_once(&pool);
    let closing = tokio::spawn({
        let pool = pool.clone();
        async move { pool.close(Deadline::NONE).await }
    });
    seconds(1).await;
    assert_eq!(server.live(), 1);
    let error = pool.acquire(AcquireOptions::new()).await.unwrap_err();
    assert_eq!(error.class(), Class::Closed);
    drop(held);
    closing.await.unwrap().unwrap();
    assert_eq!(server.live(), 0);
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_died_in_the_cache_is_leased_to_nobody() {
    let (pool, server) = pool(2, |o| o.min = 2);
    let held = leases(&pool, 2).await;
    let ids: Vec<usize> = held.iter().map(|lease| lease.id).collect();
    for lease in &held {
        lease.open.store(false, SeqCst);
    }
    drop(held);
    let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
    assert!(!ids.contains(&lease.id));
    seconds(1).await;
    assert_eq!(server.live(), 2, "both are replaced");
    drop(lease);
    let now = pool.statistics();
    assert_eq!((now.acquired_total, now.returned_total), (3, 3));
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn a_connection_idle_for_too_long_is_tested_first() {
    for (rule, pings) in [(HealthCheck::default(), 1), (HealthCheck::Never, 0)] {
        let (pool, server) = pool(1, |o| o.health_check = rule);
        fill_cache(&pool, 1).await;
        sleep(Duration::from_millis(500)).await;
        drop(at_once(&pool));
        assert_eq!(server.pings.load(SeqCst), 0);
        sleep(Duration::from_millis(501)).await;
        drop(pool.acquire(AcquireOptions::new()).await.unwrap());
        assert_eq!(server.pings.load(SeqCst), pings, "{rule:?}");
        assert_eq!(server.opened(), 1);
        assert_at_rest(&pool, &server);
    }
}

#[tokio::test(start_paused = true)]
async fn a_canceled_test_does_not_count_as_a_lease() {
    let (pool, server) = pool(1, |_| {});
    fill_cache(&pool, 1).await;
    *server.ping.lock().unwrap() = Goes::Nowhere;
    seconds(1).await;
    let acquire = pool.acquire(AcquireOptions::new());
    tokio::time::timeout(Duration::from_secs(1), acquire)
        .await
        .unwrap_err();
    let now = pool.statistics();
    assert_eq!((now.acquired_total, now.returned_total), (1, 1), "given up");
    seconds(1).await;
    let hasty = AcquireOptions {
        timeout: Some(Duration::from_secs(1)),
        ..AcquireOptions::new()
    };
    assert!(pool.acquire(hasty).await.unwrap_err().is_timeout());
    let now = pool.statistics();
    assert_eq!(
        (now.acquired_total, now.returned_total),
        (1, 1),
        "timed out"
    );
    seconds(1).await;
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn nothing_expired_is_taken_from_the_cache() {
    let (pool, server) = pool(1, |o| {
        o.max_lifetime = Duration::from_secs(100);
        o.health_check = HealthCheck::Never;
    });
    let start = Instant::now();
    let mut ages = vec![];
    let mut since = start;
    for _ in 0..4000 {
        let before = server.opened();
        drop(pool.acquire(AcquireOptions::new()).await.unwrap());
        if server.opened() > before {
            ages.push(since.elapsed());
            since = Instant::now();
        }
        sleep(Duration::from_millis(100)).await;
    }
    assert!((4..=6).contains(&server.opened()), "{}", server.opened());
    for age in &ages[1..] {
        assert!((80.0..=100.2).contains(&age.as_secs_f64()), "{ages:?}");
    }
    seconds(1).await;
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn hooks_run_at_each_lease() {
    let calls: Arc<Mutex<[usize; 2]>> = Arc::default();
    let (first, last) = (Arc::clone(&calls), Arc::clone(&calls));
    for both in [true, false] {
        let (first, last) = (Arc::clone(&first), Arc::clone(&last));
        let mut hooks = Hooks::new().after_release(move |_: &FakeConnection| {
            last.lock().unwrap()[1] += 1;
            Box::pin(async { Ok(()) })
        });
        if both {
            hooks = hooks.before_acquire(move |_| {
                first.lock().unwrap()[0] += 1;
                Box::pin(async { Ok(()) })
            });
        }
        let server = Server::new();
        let connector = FakeConnector(Arc::clone(&server));
        let pool = Pool::open_with(connector, options(1), hooks).unwrap();
        for _ in 0..5 {
            drop(pool.acquire(AcquireOptions::new()).await.unwrap());
        }
        seconds(1).await;
        assert_eq!(server.opened(), 1);
        assert_at_rest(&pool, &server);
    }
    assert_eq!(*calls.lock().unwrap(), [5, 10]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn bursts_and_quiet_leave_nobody_behind() {
    const ROUNDS: usize = 60;
    let (pool, server) = pool(3, |_| {});
    let held = Arc::new(AtomicUsize::new(0));
    for round in 0..ROUNDS {
        // More than there are connections, and then as many or fewer.
        let tasks = [16, 3, 2, 1][round % 4];
        let tasks: Vec<_> = (0..tasks)
            .map(|_| {
                let (pool, held) = (pool.clone(), Arc::clone(&held));
                tokio::spawn(async move {
                    for round in 0..50 {
                        let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
                        assert!(held.fetch_add(1, SeqCst) < 3, "one has two holders");
                        if round % 4 == 0 {
                            tokio::task::yield_now().await;
                        }
                        held.fetch_sub(1, SeqCst);
                        drop(lease);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    }
    let leases = (ROUNDS / 4 * (16 + 3 + 2 + 1) * 50) as u64;
    let now = pool.statistics();
    assert_eq!((now.acquired_total, now.returned_total), (leases, leases));
    assert_eq!((now.timeouts_total, now.connection_errors_total), (0, 0));
    assert_at_rest(&pool, &server);
    pool.close(Deadline::NONE).await.unwrap();
    assert_eq!(server.live(), 0);
}
