//! In a program of its own, whose allocator counts.

use underpin_core::driver::{BoxFuture, Connector, Pooled, SessionState};
use underpin_core::{Deadline, Result};
use underpin_pool::{AcquireOptions, Pool, PoolOptions};

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

/// Nothing else runs meanwhile: the runtime has one thread, and what is had at once yields it
/// to nobody.
#[tokio::test]
async fn leasing_an_idle_connection_and_giving_it_back_allocates_nothing() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let pool = Pool::open(Nothing, PoolOptions::default()).unwrap();
    for _ in 0..3 {
        drop(pool.acquire(AcquireOptions::new()).await.unwrap());
    }
    let before = dhat::HeapStats::get().total_blocks;
    for _ in 0..1000 {
        drop(pool.acquire(AcquireOptions::new()).await.unwrap());
    }
    assert_eq!(dhat::HeapStats::get().total_blocks, before, "past the lock");
    for _ in 0..1000 {
        // What stands by is brought back, so that it is leased under the lock.
        pool.statistics();
        let before = dhat::HeapStats::get().total_blocks;
        drop(pool.acquire(AcquireOptions::new()).await.unwrap());
        assert_eq!(
            dhat::HeapStats::get().total_blocks,
            before,
            "under the lock"
        );
    }
}
