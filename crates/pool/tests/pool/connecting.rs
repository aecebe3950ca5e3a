use std::error::Error as _;
use std::time::Duration;

use tokio::time::Instant;
use underpin_core::{Class, Effect, Stage};
use underpin_pool::{AcquireOptions, Bounds, Pool, PoolOptions};

use crate::fake::{FakeConnector, Goes, Server, assert_at_rest, pool, seconds};

fn after(start: Instant, server: &Server) -> Vec<Duration> {
    server
        .attempts
        .lock()
        .unwrap()
        .iter()
        .map(|at| *at - start)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn retries_wait_one_two_and_four_seconds() {
    let (pool, server) = pool(4, |_| {});
    *server.connect.lock().unwrap() = Goes::Wrong(Class::Connect);
    let start = Instant::now();
    let error = pool.acquire(AcquireOptions::new()).await.unwrap_err();
    assert_eq!(after(start, &server), [0, 1, 3, 7].map(Duration::from_secs));
    assert_eq!(start.elapsed(), Duration::from_secs(7));
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Connect, Effect::NotSent)
    );
    assert_eq!(
        error.to_string(),
        "No connection to db1:5432/shop could be opened in 4 attempts: The fake server said no."
    );
    assert_eq!(
        error.source().unwrap().source().unwrap().to_string(),
        "the fake cause"
    );
    let numbers = pool.statistics();
    assert_eq!(
        (numbers.connection_errors_total, numbers.retries_total),
        (4, 3)
    );
    assert_eq!(
        numbers.last_connection_error.as_deref(),
        Some("The fake server said no.")
    );
    seconds(600).await;
    assert_eq!(
        pool.statistics().connection_errors_total,
        4,
        "nobody asks, so nobody tries"
    );
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn permanent_failures_are_not_retried() {
    for class in [
        Class::Auth,
        Class::Permission,
        Class::Config,
        Class::Missing,
    ] {
        let (pool, server) = pool(4, |_| {});
        *server.connect.lock().unwrap() = Goes::Wrong(class);
        let start = Instant::now();
        let error = pool.acquire(AcquireOptions::new()).await.unwrap_err();
        assert_eq!(error.class(), class);
        assert_eq!(after(start, &server), [Duration::ZERO]);
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn retries_are_settable_per_call() {
    let (pool, server) = pool(4, |_| {});
    *server.connect.lock().unwrap() = Goes::Wrong(Class::Connect);
    for (retries, attempts) in [(0, 1), (1, 2), (4, 5)] {
        seconds(100).await;
        let before = server.attempts.lock().unwrap().len();
        let options = AcquireOptions {
            retries: Some(retries),
            ..AcquireOptions::new()
        };
        let error = pool.acquire(options).await.unwrap_err();
        assert_eq!(error.class(), Class::Connect);
        assert_eq!(server.attempts.lock().unwrap().len() - before, attempts);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_comes_back_serves_the_waiters() {
    let (pool, server) = pool(4, |_| {});
    *server.connect.lock().unwrap() = Goes::Wrong(Class::Connect);
    let waiting: Vec<_> = (0..20)
        .map(|_| tokio::spawn(pool.acquire(AcquireOptions::new())))
        .collect();
    seconds(2).await;
    *server.connect.lock().unwrap() = Goes::Well;
    for waiting in waiting {
        let lease = waiting.await.unwrap().unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
        drop(lease);
    }
    seconds(1).await;
    assert_eq!(pool.statistics().acquired_total, 20);
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn a_connect_that_hangs_is_bounded_and_named() {
    let (pool, server) = pool(1, |_| {});
    *server.connect.lock().unwrap() = Goes::Nowhere;
    let start = Instant::now();
    let error = pool.acquire(AcquireOptions::new()).await.unwrap_err();
    assert_eq!(
        error.class(),
        Class::Timeout {
            stage: Stage::Connect
        }
    );
    assert_eq!(start.elapsed(), Duration::from_secs(30));
    assert!(error.message().contains("30.0 s connecting"), "{error}");
    assert!(
        error
            .message()
            .contains("timed out after 10s, the limit for one attempt"),
        "{error}"
    );
    pool.close(underpin_core::Deadline::NONE).await.unwrap();
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_panics_leaks_no_permit() {
    let (pool, server) = pool(1, |_| {});
    *server.connect.lock().unwrap() = Goes::Mad;
    let options = AcquireOptions {
        retries: Some(0),
        ..AcquireOptions::new()
    };
    let error = pool.acquire(options).await.unwrap_err();
    assert_eq!(error.class(), Class::Connect);
    *server.connect.lock().unwrap() = Goes::Well;
    drop(pool.acquire(AcquireOptions::new()).await.unwrap());
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn the_minimum_is_filled_and_refilled_in_the_background() {
    let (pool, server) = pool(10, |o| o.min = 5);
    seconds(1).await;
    assert_eq!(server.live(), 5);
    let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
    lease.set(underpin_core::driver::SessionState::Broken);
    drop(lease);
    seconds(1).await;
    assert_eq!(pool.statistics().idle, 5);
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn connections_are_replaced_and_released_as_they_grow_old() {
    let (pool, server) = pool(10, |o| o.min = 2);
    let mut leases = Vec::new();
    for _ in 0..6 {
        leases.push(pool.acquire(AcquireOptions::new()).await.unwrap());
    }
    drop(leases);
    seconds(601).await;
    assert_eq!(
        pool.statistics().size,
        2,
        "idle for 10 min, they go down to the minimum"
    );
    seconds(4 * 3600).await;
    let numbers = pool.statistics();
    assert_eq!(numbers.idle, 2);
    assert!(numbers.closed_total >= 4 + 2 * 7, "{numbers:?}");
    assert!(server.most_live.load(std::sync::atomic::Ordering::SeqCst) <= 10);
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn a_pool_is_not_pinned_to_a_demoted_primary() {
    let (pool, server) = pool(3, |o| o.min = 3);
    seconds(1).await;
    let held = pool.acquire(AcquireOptions::new()).await.unwrap();
    let newest = server.live();
    pool.invalidate();
    let fresh = pool.acquire(AcquireOptions::new()).await.unwrap();
    assert!(fresh.id >= newest);
    drop((held, fresh));
    seconds(1).await;
    for _ in 0..3 {
        assert!(pool.acquire(AcquireOptions::new()).await.unwrap().id >= newest);
    }
    assert_eq!(pool.generation(), 1);
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn a_live_pool_grows_and_shrinks() {
    let (pool, server) = pool(2, |o| o.min = 2);
    let leases = [
        pool.acquire(AcquireOptions::new()).await.unwrap(),
        pool.acquire(AcquireOptions::new()).await.unwrap(),
    ];
    let third = tokio::spawn(pool.acquire(AcquireOptions::new()));
    seconds(1).await;
    pool.resize(Bounds {
        min: 3,
        max: 3,
        max_overflow: 0,
    })
    .unwrap();
    drop(third.await.unwrap().unwrap());
    pool.resize(Bounds {
        min: 1,
        max: 1,
        max_overflow: 0,
    })
    .unwrap();
    drop(leases);
    seconds(1).await;
    assert_eq!(pool.statistics().size, 1);
    assert!(
        pool.resize(Bounds {
            min: 2,
            max: 1,
            max_overflow: 0
        })
        .is_err()
    );
    assert_at_rest(&pool, &server);
}

#[test]
fn opening_outside_a_runtime_is_an_error_and_not_a_panic() {
    let connector = FakeConnector(Server::new());
    let error = Pool::open(connector, PoolOptions::default()).unwrap_err();
    assert_eq!(error.class(), Class::Config);
}
