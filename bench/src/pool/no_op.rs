//! What a pool costs by itself: connections that do nothing.
//!
//! sqlx is not among the peers: its pool is of connections of a whole database driver, and it
//! asks each for a sign of life when it comes back.

use std::convert::Infallible;
use std::future::Future;
use std::hint::black_box;
use std::sync::{Arc, Mutex};

use tokio::sync::{Semaphore, SemaphorePermit};
use underpin_core::driver::{BoxFuture, Connector, Pooled, SessionState};
use underpin_core::{Deadline, Result};
use underpin_pool::{AcquireOptions, Pool, PoolOptions};

use super::{OURS, PoolReport};
use crate::load::{Done, Operation};
use crate::peers::CONNECTIONS;
use crate::race::{Contender, Rounds};

const HARNESS: &str = "the empty harness";
const DEADPOOL: &str = "deadpool";
const BB8: &str = "bb8";
const MOBC: &str = "mobc";
const BARE: &str = "a semaphore and a mutex";

pub(super) async fn run(rounds: Rounds, report: &mut PoolReport) {
    let what = format!("acquire and release, pool of {CONNECTIONS}");
    let alone = rounds.race(&what, 1, &contenders(false).await).await;
    for name in [OURS, DEADPOOL, BB8, MOBC, BARE] {
        let nanos = alone.net_nanos(name, HARNESS);
        eprintln!("{name}: {nanos:.0} ns net of the empty harness");
    }
    let seen = alone.net_ratio(OURS, DEADPOOL, HARNESS);
    let of_ours = alone.net_nanos(OURS, HARNESS);
    let of_peer = alone.net_nanos(DEADPOOL, HARNESS);
    let title = alone.title();
    report.targets.at_most(
        format!("{title}: {of_ours:.0} ns net ÷ {DEADPOOL}'s {of_peer:.0}"),
        0.4,
        seen,
    );
    report.races.push(alone);
    let crowd = contenders(true).await;
    for tasks in [8, 64, 512] {
        let standings = rounds.race(&what, tasks, &crowd).await;
        report.compare(&standings, DEADPOOL, 1.1, ("p99.9", |waits| waits.p999));
        report.races.push(standings);
    }
}

async fn contenders(hold: bool) -> Vec<Contender> {
    let ours = PoolOptions {
        max: CONNECTIONS,
        ..PoolOptions::default()
    };
    let deadpool = deadpool::managed::Pool::builder(Nothing).max_size(CONNECTIONS as usize);
    let bb8 = bb8::Pool::builder().max_size(CONNECTIONS);
    // By default it keeps two idle ones and opens the others again and again.
    let mobc = mobc::Pool::builder()
        .max_open(CONNECTIONS.into())
        .max_idle(CONNECTIONS.into());
    let idle = (0..CONNECTIONS).map(|_| ()).collect();
    let bare = Bare {
        permits: Semaphore::new(CONNECTIONS as usize),
        idle: Mutex::new(idle),
    };
    vec![
        Contender::new(
            OURS,
            Turn {
                pool: Pool::open(Nothing, ours).expect("the options are good"),
                hold,
            },
        ),
        Contender::new(
            DEADPOOL,
            Turn {
                pool: deadpool.build().expect("the options are good"),
                hold,
            },
        ),
        Contender::new(
            BB8,
            Turn {
                pool: bb8.build(Nothing).await.expect("nothing can be opened"),
                hold,
            },
        ),
        Contender::new(
            MOBC,
            Turn {
                pool: mobc.build(Nothing),
                hold,
            },
        ),
        Contender::new(
            BARE,
            Turn {
                pool: Arc::new(bare),
                hold,
            },
        ),
        Contender::new(HARNESS, Turn { pool: Empty, hold }),
    ]
}

/// Takes a connection and gives it back; where it is held, over one yield to the other tasks,
/// so that they do wait for one another.
#[derive(Clone)]
struct Turn<P> {
    pool: P,
    hold: bool,
}

impl<P: Leases> Operation for Turn<P> {
    async fn once(&self, _: usize, _: i64) -> Done {
        let held = self.pool.lease().await;
        let done = Done::now();
        if self.hold {
            tokio::task::yield_now().await;
        }
        drop(black_box(held));
        done
    }
}

/// What leases something out, and takes it back when that is dropped.
trait Leases: Clone + Send + Sync + 'static {
    type Held<'a>: Send;

    fn lease(&self) -> impl Future<Output = Self::Held<'_>> + Send;
}

/// Connects at once to nothing.
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

impl Leases for Pool<Nothing> {
    type Held<'a> = underpin_pool::Lease<Nothing>;

    async fn lease(&self) -> Self::Held<'_> {
        let options = AcquireOptions::new();
        self.acquire(options).await.expect("nothing fails")
    }
}

impl deadpool::managed::Manager for Nothing {
    type Type = ();
    type Error = Infallible;

    async fn create(&self) -> Result<(), Infallible> {
        Ok(())
    }

    async fn recycle(
        &self,
        (): &mut (),
        _: &deadpool::managed::Metrics,
    ) -> deadpool::managed::RecycleResult<Infallible> {
        Ok(())
    }
}

impl Leases for deadpool::managed::Pool<Nothing> {
    type Held<'a> = deadpool::managed::Object<Nothing>;

    async fn lease(&self) -> Self::Held<'_> {
        self.get().await.expect("nothing fails")
    }
}

impl bb8::ManageConnection for Nothing {
    type Connection = ();
    type Error = Infallible;

    async fn connect(&self) -> Result<(), Infallible> {
        Ok(())
    }

    async fn is_valid(&self, (): &mut ()) -> Result<(), Infallible> {
        Ok(())
    }

    fn has_broken(&self, (): &mut ()) -> bool {
        false
    }
}

impl Leases for bb8::Pool<Nothing> {
    type Held<'a> = bb8::PooledConnection<'a, Nothing>;

    async fn lease(&self) -> Self::Held<'_> {
        self.get().await.expect("nothing fails")
    }
}

#[mobc::async_trait]
impl mobc::Manager for Nothing {
    type Connection = ();
    type Error = Infallible;

    async fn connect(&self) -> Result<(), Infallible> {
        Ok(())
    }

    async fn check(&self, (): ()) -> Result<(), Infallible> {
        Ok(())
    }
}

impl Leases for mobc::Pool<Nothing> {
    type Held<'a> = mobc::Connection<Nothing>;

    async fn lease(&self) -> Self::Held<'_> {
        self.get().await.expect("nothing fails")
    }
}

/// The least that a fair pool can be.
struct Bare {
    permits: Semaphore,
    idle: Mutex<Vec<()>>,
}

struct Borrowed<'a> {
    from: &'a Bare,
    _permit: SemaphorePermit<'a>,
}

impl Leases for Arc<Bare> {
    type Held<'a> = Borrowed<'a>;

    async fn lease(&self) -> Self::Held<'_> {
        let permit = self.permits.acquire().await.expect("it is never closed");
        let taken = self.idle.lock().unwrap().pop();
        assert!(taken.is_some(), "there are as many permits");
        Borrowed {
            from: self,
            _permit: permit,
        }
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        self.from.idle.lock().unwrap().push(());
    }
}

/// No pool at all: what measuring costs.
#[derive(Clone)]
struct Empty;

impl Leases for Empty {
    type Held<'a> = ();

    async fn lease(&self) {}
}
