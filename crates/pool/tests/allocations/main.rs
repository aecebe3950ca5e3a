//! A program of its own, whose allocator counts.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use underpin_core::driver::{BoxFuture, Connector, Pooled, SessionState};
use underpin_core::{Deadline, Result};
use underpin_pool::{AcquireOptions, Lease, Pool, PoolOptions};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

struct Nothing;

impl Connector for Nothing {
    type Connection = NoConnection;

    fn connect(&self, _: Deadline) -> BoxFuture<'_, Result<NoConnection>> {
        Box::pin(async move { Ok(NoConnection) })
    }
}

struct NoConnection;

impl Pooled for NoConnection {
    fn state(&self) -> SessionState {
        SessionState::Clean
    }

    fn ping(&self, _: Deadline) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { Ok(()) })
    }

    fn reset(&self, _: Deadline) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { Ok(()) })
    }

    fn close(self: Box<Self>, _: Deadline) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}

fn blocks() -> u64 {
    dhat::HeapStats::get().total_blocks
}

/// Makes a caller wait for the only connection and get it, without letting other tasks run.
fn wait_for_it(pool: &Pool<Nothing>, held: Lease<Nothing>) -> Lease<Nothing> {
    let mut context = Context::from_waker(Waker::noop());
    let mut waiting = pin!(pool.acquire(AcquireOptions::new()));
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    drop(held);
    match waiting.poll(&mut context) {
        Poll::Ready(lease) => lease.unwrap(),
        Poll::Pending => panic!("it was handed over"),
    }
}

/// No other code runs meanwhile: the runtime has one thread, and a caller that does not have to
/// wait does not yield it.
#[tokio::test]
async fn leasing_a_connection_and_returning_it_allocates_nothing() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let pool = Pool::open(Nothing, PoolOptions::default()).unwrap();
    for _ in 0..3 {
        drop(pool.acquire(AcquireOptions::new()).await.unwrap());
        pool.statistics();
    }
    let before = blocks();
    for _ in 0..1000 {
        drop(pool.acquire(AcquireOptions::new()).await.unwrap());
    }
    assert_eq!(blocks(), before, "past the lock");
    for _ in 0..1000 {
        // The cache is emptied, so that the connection is leased under the lock.
        pool.statistics();
        let before = blocks();
        drop(pool.acquire(AcquireOptions::new()).await.unwrap());
        assert_eq!(blocks(), before, "under the lock");
    }

    let options = PoolOptions {
        min: 1,
        max: 1,
        ..PoolOptions::default()
    };
    let pool = Pool::open(Nothing, options).unwrap();
    let mut lease = pool.acquire(AcquireOptions::new()).await.unwrap();
    for _ in 0..3 {
        lease = wait_for_it(&pool, lease);
    }
    let before = blocks();
    for _ in 0..1000 {
        lease = wait_for_it(&pool, lease);
    }
    assert_eq!(blocks(), before, "after a wait");
}
