//! The cost of a lease, in counts that are the same on every machine.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use underpin_core::driver::{BoxFuture, Connector, Pooled, SessionState};
use underpin_core::{Deadline, Result};

use super::counts;
use crate::{AcquireOptions, Pool, PoolOptions};

struct Nothing;

impl Connector for Nothing {
    type Connection = NoConnection;

    fn connect(&self, _: Deadline) -> BoxFuture<'_, Result<NoConnection>> {
        Box::pin(async { Ok(NoConnection) })
    }
}

struct NoConnection;

impl Pooled for NoConnection {
    fn state(&self) -> SessionState {
        SessionState::Clean
    }

    fn ping(&self, _: Deadline) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    fn reset(&self, _: Deadline) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    fn close(self: Box<Self>, _: Deadline) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}

async fn pool_of_one() -> Pool<Nothing> {
    let options = PoolOptions {
        min: 1,
        max: 1,
        ..PoolOptions::default()
    };
    let pool = Pool::open(Nothing, options).unwrap();
    drop(pool.acquire(AcquireOptions::new()).await.unwrap());
    pool
}

#[tokio::test]
async fn a_lease_without_a_wait_takes_no_lock_and_reads_the_clock_twice() {
    let pool = pool_of_one().await;
    for _ in 0..3 {
        counts::take();
        drop(pool.acquire(AcquireOptions::new()).await.unwrap());
        assert_eq!(counts::take(), (0, 2));
    }
}

#[tokio::test]
async fn a_lease_after_a_wait_takes_two_locks_and_reads_the_clock_twice() {
    let pool = pool_of_one().await;
    let mut context = Context::from_waker(Waker::noop());
    let mut waiters = Vec::new();
    let mut held = pool.acquire(AcquireOptions::new()).await.unwrap();
    // One caller waits at any time, so that no connection is cached.
    for _ in 0..4 {
        let mut waiting = Box::pin(pool.acquire(AcquireOptions::new()));
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        waiters.push(waiting);
    }
    for mut waiting in waiters {
        counts::take();
        let mut next = pin!(pool.acquire(AcquireOptions::new()));
        assert!(next.as_mut().poll(&mut context).is_pending());
        assert_eq!(counts::take(), (1, 1), "joins the queue");
        drop(held);
        assert_eq!(counts::take(), (1, 1), "returns it to the next");
        held = match waiting.as_mut().poll(&mut context) {
            Poll::Ready(lease) => lease.unwrap(),
            Poll::Pending => panic!("it is its turn"),
        };
        assert_eq!(counts::take(), (0, 0), "fetches it");
    }
}
