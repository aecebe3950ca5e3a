//! Complaints of users of other pools, as far as simulated time shows them. The table of all
//! complaints is in `crates/underpin/tests/suite/complaints.rs`.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use underpin_core::{Class, Stage};
use underpin_pool::AcquireOptions;

use crate::fake::{Goes, assert_at_rest, leases, pool, seconds};

/// <https://github.com/launchbadge/sqlx/issues/3132>
#[tokio::test(start_paused = true)]
async fn a_late_waiter_throws_no_fresh_connection_away() {
    let (pool, server) = pool(1, |_| {});
    *server.connect.lock().unwrap() = Goes::Slowly(Duration::from_secs(5));
    // Ten times a caller gives up while its connection is on its way: it serves the next one.
    for _ in 0..10 {
        let impatient = AcquireOptions {
            timeout: Some(Duration::from_millis(400)),
            ..AcquireOptions::new()
        };
        let error = pool.acquire(impatient).await.unwrap_err();
        let stage = Stage::Connect;
        assert_eq!(error.class(), Class::Timeout { stage });
    }
    let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
    assert_eq!(lease.id, 0, "the first connection that was begun");
    assert_eq!(server.attempts.lock().unwrap().len(), 1);
    drop(lease);
    assert_at_rest(&pool, &server);
}

/// <https://github.com/launchbadge/sqlx/issues/3132>
#[tokio::test(start_paused = true)]
async fn a_connection_that_comes_too_late_for_all_is_kept_for_the_next() {
    let (pool, server) = pool(2, |_| {});
    *server.connect.lock().unwrap() = Goes::Slowly(Duration::from_secs(5));
    let impatient = AcquireOptions {
        timeout: Some(Duration::from_secs(1)),
        ..AcquireOptions::new()
    };
    let (first, second) = tokio::join!(pool.acquire(impatient), pool.acquire(impatient));
    assert!(first.unwrap_err().is_timeout() && second.unwrap_err().is_timeout());
    seconds(10).await;
    assert_eq!((server.live(), pool.statistics().idle), (2, 2));
    drop(leases(&pool, 2).await);
    assert_eq!(server.opened(), 2);
    assert_at_rest(&pool, &server);
}

/// <https://github.com/djc/bb8/issues/243>
#[tokio::test(start_paused = true)]
async fn newcomers_overtake_no_waiter() {
    const EACH: usize = 20;
    let (pool, server) = pool(3, |_| {});
    let held = leases(&pool, 3).await;
    let served = Arc::new(Mutex::new(Vec::new()));
    let arrive = |number: usize| {
        let (pool, served) = (pool.clone(), Arc::clone(&served));
        tokio::spawn(async move {
            let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
            served.lock().unwrap().push(number);
            tokio::time::sleep(Duration::from_millis(10)).await;
            drop(lease);
        })
    };
    let mut tasks = Vec::new();
    for number in 0..EACH {
        tasks.push(arrive(number));
        tokio::task::yield_now().await;
    }
    drop(held);
    // While those are served, newcomers arrive all the time and find a connection just returned.
    for number in EACH..3 * EACH {
        tokio::time::sleep(Duration::from_millis(2)).await;
        tasks.push(arrive(number));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let served = served.lock().unwrap();
    assert_eq!(*served, (0..3 * EACH).collect::<Vec<_>>());
    assert_at_rest(&pool, &server);
}

/// <https://github.com/launchbadge/sqlx/issues/3051>
#[tokio::test(start_paused = true)]
async fn connections_opened_together_do_not_end_together() {
    const CONNECTIONS: u32 = 30;
    let (pool, server) = pool(CONNECTIONS, |o| {
        (o.min, o.max_connecting) = (CONNECTIONS, CONNECTIONS);
    });
    seconds(1).await;
    assert_eq!(server.live(), CONNECTIONS as usize);
    let (mut before, mut most) = (0, 0);
    // Two lifetimes, in steps of ten seconds.
    for _ in 0..360 {
        seconds(10).await;
        let closed = pool.statistics().closed_total;
        most = most.max(closed - before);
        before = closed;
    }
    assert!(
        before >= 2 * u64::from(CONNECTIONS) - 5,
        "{before} have ended"
    );
    assert!(
        most <= 6,
        "{most} of {CONNECTIONS} ended within ten seconds"
    );
    assert!(server.most_live.load(SeqCst) <= CONNECTIONS as usize);
    assert_eq!(pool.statistics().idle, CONNECTIONS as usize);
}
