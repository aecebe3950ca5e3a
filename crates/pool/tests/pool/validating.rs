use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use tokio::time::Instant;
use underpin_core::{Class, Deadline, Stage};
use underpin_pool::{AcquireOptions, HealthCheck};

use crate::fake::{Goes, assert_at_rest, leases, pool, seconds};

#[tokio::test(start_paused = true)]
async fn a_hot_connection_costs_no_round_trip() {
    let (pool, server) = pool(2, |_| {});
    for _ in 0..100 {
        drop(pool.acquire(AcquireOptions::new()).await.unwrap());
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    assert_eq!(server.pings.load(SeqCst), 0);
    seconds(1).await;
    drop(pool.acquire(AcquireOptions::new()).await.unwrap());
    assert_eq!(server.pings.load(SeqCst), 1);
    assert_eq!(server.opened(), 1, "one connection did it all");
}

#[tokio::test(start_paused = true)]
async fn always_means_on_each_checkout() {
    let (pool, server) = pool(1, |o| o.health_check = HealthCheck::Always);
    for _ in 0..3 {
        let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
        let next = tokio::spawn(pool.acquire(AcquireOptions::new()));
        tokio::task::yield_now().await;
        drop(lease);
        drop(next.await.unwrap().unwrap());
    }
    assert_eq!(
        server.pings.load(SeqCst),
        5,
        "all but the one it was opened for"
    );
}

#[tokio::test(start_paused = true)]
async fn dead_connections_are_replaced_silently() {
    let (pool, server) = pool(4, |o| (o.min, o.health_check_interval) = (4, Duration::MAX));
    seconds(1).await;
    // Two have visibly hung up, two do not answer.
    let leases = leases(&pool, 4).await;
    for lease in &leases[..2] {
        lease.open.store(false, SeqCst);
    }
    let ids: Vec<usize> = leases.iter().map(|lease| lease.id).collect();
    drop(leases);
    seconds(1).await;
    let start = Instant::now();
    *server.ping.lock().unwrap() = Goes::Wrong(Class::Connect);
    let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
    assert!(!ids[..2].contains(&lease.id));
    assert_eq!(start.elapsed(), Duration::ZERO);
    drop(lease);
    *server.ping.lock().unwrap() = Goes::Well;
    seconds(1).await;
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn a_ping_that_hangs_is_bounded() {
    let (pool, server) = pool(1, |_| {});
    drop(pool.acquire(AcquireOptions::new()).await.unwrap());
    seconds(2).await;
    *server.ping.lock().unwrap() = Goes::Nowhere;
    let start = Instant::now();
    let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
    assert_eq!((lease.id, start.elapsed()), (1, Duration::from_secs(5)));
    drop(lease);
    seconds(2).await;
    let options = AcquireOptions {
        timeout: Some(Duration::from_secs(2)),
        ..AcquireOptions::new()
    };
    *server.reset.lock().unwrap() = Goes::Nowhere;
    let error = pool.acquire(options).await.unwrap_err();
    assert_eq!(
        error.class(),
        Class::Timeout {
            stage: Stage::Validate
        }
    );
    assert!(
        error
            .message()
            .contains("0 µs connecting, 2000 ms validating"),
        "{error}"
    );
    seconds(11).await;
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn idle_connections_are_checked_in_the_background() {
    let (pool, server) = pool(3, |o| (o.min, o.max_connecting) = (3, 1));
    seconds(29).await;
    assert_eq!(server.pings.load(SeqCst), 0);
    *server.ping.lock().unwrap() = Goes::Wrong(Class::Connect);
    seconds(2).await;
    assert_eq!(server.pings.load(SeqCst), 3);
    *server.ping.lock().unwrap() = Goes::Well;
    seconds(1).await;
    assert_eq!(pool.statistics().idle, 3);
    assert_eq!(pool.statistics().closed_total, 3);
    assert_at_rest(&pool, &server);
    pool.close(Deadline::NONE).await.unwrap();
}
