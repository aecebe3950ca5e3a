use std::time::Duration;

use tokio::time::Instant;
use underpin_core::driver::SessionState;
use underpin_core::{Class, Deadline, Stage};
use underpin_pool::AcquireOptions;

use crate::fake::{Goes, assert_at_rest, leases, pool, seconds};

fn within(seconds: u64) -> Deadline {
    Deadline::after(Instant::now().into_std(), Duration::from_secs(seconds))
}

#[tokio::test(start_paused = true)]
async fn closing_waits_for_leases_and_then_names_their_holders() {
    let (pool, server) = pool(3, |_| {});
    let held = leases(&pool, 2).await;
    let waiting = pool.clone();
    pool.resize(underpin_pool::Bounds {
        min: 0,
        max: 2,
        max_overflow: 0,
    })
    .unwrap();
    let waiting = tokio::spawn(async move { waiting.acquire(AcquireOptions::new()).await });
    seconds(5).await;
    let start = Instant::now();
    let error = pool.close(within(10)).await.unwrap_err();
    assert_eq!(start.elapsed(), Duration::from_secs(10));
    assert_eq!(
        error.class(),
        Class::Timeout {
            stage: Stage::Close
        }
    );
    assert!(
        error.message().contains("2 connections are still held: "),
        "{error}"
    );
    assert!(error.message().contains("fake.rs:"), "{error}");
    assert!(error.message().contains(" for 15.0 s"), "{error}");
    assert_eq!(waiting.await.unwrap().unwrap_err().class(), Class::Closed);
    let refused = pool.acquire(AcquireOptions::new()).await.unwrap_err();
    assert_eq!(refused.class(), Class::Closed);
    let again = tokio::spawn({
        let pool = pool.clone();
        async move { pool.close(within(10)).await }
    });
    held[0].set(SessionState::InTransaction);
    drop(held);
    again.await.unwrap().unwrap();
    pool.close(within(0)).await.unwrap();
    assert!(pool.is_closed());
    assert_eq!(server.live(), 0);
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn closing_before_first_use_and_all_at_once_is_safe() {
    let (pool, server) = pool(5, |o| o.min = 5);
    *server.connect.lock().unwrap() = Goes::Nowhere;
    tokio::task::yield_now().await;
    let closers: Vec<_> = (0..10)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.close(Deadline::NONE).await })
        })
        .collect();
    for closer in closers {
        closer.await.unwrap().unwrap();
    }
    seconds(60).await;
    assert_eq!(server.attempts.lock().unwrap().len(), 4);
    assert_eq!(
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks(),
        0
    );
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn closing_a_connection_that_hangs_does_not_hold_up_the_close() {
    let (pool, server) = pool(2, |o| o.min = 2);
    seconds(1).await;
    *server.close.lock().unwrap() = Goes::Nowhere;
    let start = Instant::now();
    pool.close(within(60)).await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(5));
    assert_eq!(server.live(), 0);
}
