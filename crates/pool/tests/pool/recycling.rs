//! The treatment of a session between two callers.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use underpin_core::Recycling;
use underpin_core::driver::SessionState;
use underpin_pool::{AcquireOptions, Pool, PoolOptions};

use crate::fake::{FakeConnector, Server, options};

/// The state in which a caller leaves its connection.
#[derive(Debug, Clone, Copy)]
enum Leaves {
    Untouched,
    Doubtful,
    /// Doubtful, and it cannot be cleaned without a wait.
    DoubtfulAndKept,
    Changed,
}

#[tokio::test(start_paused = true)]
async fn a_session_is_settled_reset_or_left_alone() {
    use Leaves::{Changed, Doubtful, DoubtfulAndKept, Untouched};
    let custom = Recycling::custom("RESET ALL");
    for (recycling, leaves, settled, resets) in [
        (Recycling::Verified, Untouched, 0, 0),
        (Recycling::Verified, Doubtful, 1, 0),
        (Recycling::Verified, DoubtfulAndKept, 0, 1),
        (Recycling::Verified, Changed, 0, 1),
        (Recycling::Fast, Untouched, 0, 0),
        (Recycling::Fast, Doubtful, 0, 0),
        (Recycling::Fast, DoubtfulAndKept, 0, 0),
        (Recycling::Fast, Changed, 0, 1),
        (Recycling::Clean, Untouched, 1, 0),
        (Recycling::Clean, Doubtful, 1, 0),
        (Recycling::Clean, DoubtfulAndKept, 0, 1),
        (Recycling::Clean, Changed, 0, 1),
        (Recycling::Reset, Untouched, 0, 1),
        (Recycling::Reset, Doubtful, 0, 1),
        (custom.clone(), Untouched, 0, 1),
        (custom, Changed, 0, 1),
    ] {
        let server = Server::new();
        let options = PoolOptions {
            recycling: recycling.clone(),
            ..options(1)
        };
        let pool = Pool::open(FakeConnector(Arc::clone(&server)), options).unwrap();
        let lease = pool.acquire(AcquireOptions::default()).await.unwrap();
        match leaves {
            Untouched => {}
            Doubtful => lease.doubted.store(true, SeqCst),
            DoubtfulAndKept => {
                lease.doubted.store(true, SeqCst);
                lease.kept.store(true, SeqCst);
            }
            Changed => lease.set(SessionState::Changed),
        }
        drop(lease);
        let lease = pool.acquire(AcquireOptions::default()).await.unwrap();
        assert_eq!(lease.id, 0, "the connection is whole");
        let did = (server.settled.load(SeqCst), server.resets.load(SeqCst));
        assert_eq!(did, (settled, resets), "{recycling}, {leaves:?}");
    }
}
