use std::time::Duration;

use tokio::time::Instant;
use underpin_core::{Class, Deadline, Effect, Stage};
use underpin_pool::{AcquireOptions, Shedding};

use crate::fake::{assert_at_rest, leases, pool, seconds};

fn within(seconds: u64) -> AcquireOptions {
    AcquireOptions {
        timeout: Some(Duration::from_secs(seconds)),
        ..AcquireOptions::new()
    }
}

#[tokio::test(start_paused = true)]
async fn a_paused_pool_lets_callers_wait_and_serves_them_in_order() {
    let (pool, server) = pool(2, |o| o.min = 1);
    seconds(1).await;
    pool.pause();
    pool.pause();
    assert!(pool.statistics().paused);
    let error = pool.acquire(within(2)).await.unwrap_err();
    assert_eq!(
        error.class(),
        Class::Timeout {
            stage: Stage::Queue
        }
    );
    assert!(error.message().contains("The pool is paused"), "{error}");
    let waiting: Vec<_> = (0..20)
        .map(|_| tokio::spawn(pool.acquire(AcquireOptions::new())))
        .collect();
    seconds(5).await;
    assert_eq!(pool.statistics().waiting, 20);
    assert_eq!(server.opened(), 1, "nothing is opened for who waits");
    pool.resume();
    pool.resume();
    for next in waiting {
        drop(next.await.unwrap().unwrap());
    }
    assert!(!pool.is_paused());
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn a_connection_given_back_to_a_paused_pool_stays_there() {
    let (pool, server) = pool(1, |_| {});
    let held = pool.acquire(AcquireOptions::new()).await.unwrap();
    pool.pause();
    let next = tokio::spawn(pool.acquire(AcquireOptions::new()));
    tokio::task::yield_now().await;
    drop(held);
    seconds(1).await;
    assert_eq!(pool.statistics().idle, 1);
    assert!(!next.is_finished());
    pool.resume();
    drop(next.await.unwrap().unwrap());
    assert_at_rest(&pool, &server);
    pool.pause();
    pool.close(Deadline::NONE).await.unwrap();
    assert_eq!(server.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_says_so_at_once() {
    let (pool, server) = pool(1, |o| o.max_waiting = Some(2));
    let held = pool.acquire(AcquireOptions::new()).await.unwrap();
    let waiting: Vec<_> = (0..2)
        .map(|_| tokio::spawn(pool.acquire(AcquireOptions::new())))
        .collect();
    tokio::task::yield_now().await;
    let start = Instant::now();
    let error = pool.acquire(AcquireOptions::new()).await.unwrap_err();
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Busy, Effect::NotSent)
    );
    assert!(
        error.message().starts_with(
            "No connection to db1:5432/shop is available, and the queue for one is \
             full: 2 callers wait, as many as `max_waiting` allows. The pool has 1 of at most 1 \
             connections: 0 idle, 1 in use, 0 being opened; 2 waiting. Held longest: "
        ),
        "{error}"
    );
    drop(held);
    for next in waiting {
        drop(next.await.unwrap().unwrap());
    }
    let numbers = pool.statistics();
    assert_eq!((numbers.turned_away_total, numbers.timeouts_total), (1, 0));
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn long_waits_are_canceled_under_overload_and_say_why() {
    let rule = Shedding {
        target: Duration::from_millis(50),
        interval: Duration::from_secs(1),
    };
    let (pool, server) = pool(2, |o| o.shedding = Some(rule));
    let held = leases(&pool, 2).await;
    let first = tokio::spawn(pool.acquire(AcquireOptions::new()));
    seconds(5).await;
    assert!(!first.is_finished(), "who waits alone is not shed");
    let last = tokio::spawn(pool.acquire(AcquireOptions::new()));
    let error = first.await.unwrap().unwrap_err();
    assert_eq!(error.class(), Class::Busy);
    let opening = "The wait for a connection to db1:5432/shop was canceled after ";
    assert!(error.message().starts_with(opening), "{error}");
    assert!(error.message().contains(" to shed load"), "{error}");
    drop(held);
    drop(last.await.unwrap().unwrap());
    assert_eq!(pool.statistics().shed_total, 1);
    assert_at_rest(&pool, &server);
}
