use std::time::Duration;

use tokio::time::Instant;
use underpin_core::driver::SessionState;
use underpin_core::{Class, Deadline, Effect, Stage};
use underpin_pool::AcquireOptions;

use crate::fake::{Goes, pool, seconds};

#[tokio::test(start_paused = true)]
async fn a_timeout_says_why() {
    let (pool, server) = pool(4, |_| {});
    let mut held = Vec::new();
    let mut lines = Vec::new();
    for _ in 0..4 {
        let options = AcquireOptions::new();
        lines.push(options.caller.line());
        held.push(pool.acquire(options).await.unwrap());
        seconds(20).await;
    }
    held[3].set(SessionState::Broken);
    *server.connect.lock().unwrap() = Goes::Wrong(Class::Resource);
    held.pop();
    let once = AcquireOptions {
        retries: Some(0),
        ..AcquireOptions::new()
    };
    assert_eq!(
        pool.acquire(once).await.unwrap_err().class(),
        Class::Resource
    );
    *server.connect.lock().unwrap() = Goes::Well;
    held.push(pool.acquire(AcquireOptions::at(once.caller)).await.unwrap());
    let patient = AcquireOptions {
        timeout: Some(Duration::from_secs(60)),
        ..AcquireOptions::new()
    };
    let other = tokio::spawn(pool.acquire(patient));
    let error = pool.acquire(AcquireOptions::new()).await.unwrap_err();
    assert_eq!(
        error.class(),
        Class::Timeout {
            stage: Stage::Queue
        }
    );
    assert_eq!(error.effect(), Effect::NotSent);
    let line = lines[0];
    let file = file!();
    let expected = format!(
        "Timed out after 30.0 s waiting for a connection to db1:5432/shop: 30.0 s in the queue, \
         0 µs connecting, 0 µs validating. The pool has 4 of at most 4 connections: 0 idle, \
         4 in use, 0 being opened; 2 waiting. Held longest: {file}:{line} for 110.1 s, \
         {file}:{line} for 90.1 s, {file}:{line} for 70.1 s, and 1 more. The last connection \
         error, 30.1 s ago: The fake server said no."
    );
    assert_eq!(error.message(), expected);
    assert!(error.hint().is_some());
    let numbers = pool.statistics();
    assert_eq!(numbers.timeouts_total, 1);
    drop(held);
    other.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_time_spent_connecting_is_told_from_the_queue() {
    let (pool, server) = pool(1, |_| {});
    *server.connect.lock().unwrap() = Goes::Slowly(Duration::from_secs(4));
    let first = tokio::spawn(pool.acquire(AcquireOptions::new()));
    tokio::task::yield_now().await;
    let options = AcquireOptions {
        timeout: Some(Duration::from_secs(6)),
        ..AcquireOptions::new()
    };
    let error = pool.acquire(options).await.unwrap_err();
    assert!(
        error
            .message()
            .contains("2000 ms in the queue, 4000 ms connecting"),
        "{error}"
    );
    assert_eq!(
        error.class(),
        Class::Timeout {
            stage: Stage::Queue
        }
    );
    drop(first);
}

#[tokio::test(start_paused = true)]
async fn the_earlier_of_deadline_and_timeout_holds() {
    let (pool, _server) = pool(1, |_| {});
    let _held = pool.acquire(AcquireOptions::new()).await.unwrap();
    for (deadline, timeout, expected) in [(2, None, 2), (9, Some(1), 1), (60, None, 30)] {
        let start = Instant::now();
        let options = AcquireOptions {
            deadline: Deadline::after(start.into_std(), Duration::from_secs(deadline)),
            timeout: timeout.map(Duration::from_secs),
            ..AcquireOptions::new()
        };
        assert!(pool.acquire(options).await.unwrap_err().is_timeout());
        assert_eq!(start.elapsed(), Duration::from_secs(expected));
    }
    let now = AcquireOptions {
        timeout: Some(Duration::ZERO),
        ..AcquireOptions::new()
    };
    assert!(pool.acquire(now).await.unwrap_err().is_timeout());
}
