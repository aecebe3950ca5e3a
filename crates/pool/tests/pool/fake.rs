use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use underpin_core::driver::{BoxFuture, Connector, Pooled, SessionState};
use underpin_core::retry::RetryPolicy;
use underpin_core::{Class, Deadline, Error, Result};
use underpin_pool::{AcquireOptions, Lease, Pool, PoolOptions};

/// The outcome of an operation of the fake server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goes {
    Well,
    Slowly(Duration),
    Wrong(Class),
    /// Never ends.
    Nowhere,
    /// The driver has a bug.
    Mad,
}

impl Goes {
    pub(crate) async fn pass(self) -> Result<()> {
        match self {
            Goes::Well => Ok(()),
            Goes::Slowly(time) => {
                sleep(time).await;
                Ok(())
            }
            Goes::Wrong(class) => Err(Error::new(class, "The fake server said no.")
                .with_source(std::io::Error::other("the fake cause"))),
            Goes::Nowhere => std::future::pending().await,
            Goes::Mad => panic!("a bug in the driver"),
        }
    }
}

/// A server, as its connections see it.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) connect: Mutex<Goes>,
    pub(crate) ping: Mutex<Goes>,
    pub(crate) reset: Mutex<Goes>,
    pub(crate) close: Mutex<Goes>,
    pub(crate) attempts: Mutex<Vec<Instant>>,
    pub(crate) pings: AtomicUsize,
    pub(crate) resets: AtomicUsize,
    /// Number of sessions that were cleaned without a wait.
    pub(crate) settled: AtomicUsize,
    pub(crate) live: AtomicUsize,
    pub(crate) most_live: AtomicUsize,
    next_id: AtomicUsize,
}

#[derive(Debug, Clone)]
pub(crate) struct FakeConnector(pub(crate) Arc<Server>);

#[derive(Debug)]
pub(crate) struct FakeConnection {
    pub(crate) id: usize,
    pub(crate) state: Mutex<SessionState>,
    pub(crate) open: AtomicBool,
    /// Whether the session may have been changed unseen.
    pub(crate) doubted: AtomicBool,
    /// Whether the session cannot be cleaned without a wait.
    pub(crate) kept: AtomicBool,
    server: Arc<Server>,
}

impl FakeConnection {
    pub(crate) fn set(&self, state: SessionState) {
        *self.state.lock().unwrap() = state;
    }
}

impl Server {
    pub(crate) fn new() -> Arc<Self> {
        let well = || Mutex::new(Goes::Well);
        Arc::new(Server {
            connect: well(),
            ping: well(),
            reset: well(),
            close: well(),
            attempts: Mutex::default(),
            pings: AtomicUsize::new(0),
            resets: AtomicUsize::new(0),
            settled: AtomicUsize::new(0),
            live: AtomicUsize::new(0),
            most_live: AtomicUsize::new(0),
            next_id: AtomicUsize::new(0),
        })
    }

    /// Makes all operations succeed from now on.
    pub(crate) fn recover(&self) {
        for mood in [&self.connect, &self.ping, &self.reset, &self.close] {
            *mood.lock().unwrap() = Goes::Well;
        }
    }

    /// Number of connections opened so far.
    pub(crate) fn opened(&self) -> usize {
        self.next_id.load(SeqCst)
    }

    pub(crate) fn live(&self) -> usize {
        self.live.load(SeqCst)
    }
}

impl Connector for FakeConnector {
    type Connection = FakeConnection;

    fn connect(&self, _: Deadline) -> BoxFuture<'_, Result<FakeConnection>> {
        Box::pin(async move {
            let server = &self.0;
            server.attempts.lock().unwrap().push(Instant::now());
            let goes = *server.connect.lock().unwrap();
            goes.pass().await?;
            let live = server.live.fetch_add(1, SeqCst) + 1;
            server.most_live.fetch_max(live, SeqCst);
            Ok(FakeConnection {
                id: server.next_id.fetch_add(1, SeqCst),
                state: Mutex::new(SessionState::Clean),
                open: AtomicBool::new(true),
                doubted: AtomicBool::new(false),
                kept: AtomicBool::new(false),
                server: Arc::clone(server),
            })
        })
    }
}

impl Pooled for FakeConnection {
    fn state(&self) -> SessionState {
        *self.state.lock().unwrap()
    }

    fn is_open(&self) -> bool {
        self.open.load(SeqCst) && self.state() != SessionState::Broken
    }

    fn settle(&self, always: bool) -> bool {
        if !always && !self.doubted.load(SeqCst) {
            return true;
        }
        if self.kept.load(SeqCst) {
            return false;
        }
        self.doubted.store(false, SeqCst);
        self.server.settled.fetch_add(1, SeqCst);
        true
    }

    fn ping(&self, _: Deadline) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.server.pings.fetch_add(1, SeqCst);
            let goes = *self.server.ping.lock().unwrap();
            let before = self.state();
            self.set(SessionState::Busy);
            goes.pass().await?;
            self.set(before);
            Ok(())
        })
    }

    fn reset(&self, _: Deadline) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.server.resets.fetch_add(1, SeqCst);
            let goes = *self.server.reset.lock().unwrap();
            goes.pass().await?;
            self.set(SessionState::Clean);
            Ok(())
        })
    }

    fn accept_changes(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            if self.state() == SessionState::Changed {
                self.set(SessionState::Clean);
            }
            Ok(())
        })
    }

    fn close(self: Box<Self>, _: Deadline) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let goes = *self.server.close.lock().unwrap();
            let _ = goes.pass().await;
        })
    }
}

impl Drop for FakeConnection {
    fn drop(&mut self) {
        self.server.live.fetch_sub(1, SeqCst);
    }
}

/// Options without jitter, and with nothing opened in advance.
pub(crate) fn options(max: u32) -> PoolOptions {
    PoolOptions {
        name: "db1:5432/shop".to_owned(),
        min: 0,
        max,
        retry: RetryPolicy {
            jitter: 0.0,
            ..RetryPolicy::default()
        },
        ..PoolOptions::default()
    }
}

pub(crate) fn pool(
    max: u32,
    change: impl FnOnce(&mut PoolOptions),
) -> (Pool<FakeConnector>, Arc<Server>) {
    let server = Server::new();
    let mut options = options(max);
    change(&mut options);
    (
        Pool::open(FakeConnector(Arc::clone(&server)), options).unwrap(),
        server,
    )
}

/// Asserts what must hold when the pool is no longer used.
#[track_caller]
pub(crate) fn assert_at_rest(pool: &Pool<FakeConnector>, server: &Server) {
    let now = pool.statistics();
    assert_eq!(
        (now.in_use, now.waiting, now.connecting, now.closing),
        (0, 0, 0, 0),
        "{now:?}"
    );
    assert_eq!(now.idle, now.size, "{now:?}");
    assert_eq!(now.size, server.live(), "{now:?}");
    assert_eq!(
        now.opened_total - now.closed_total,
        now.size as u64,
        "{now:?}"
    );
}

pub(crate) async fn seconds(count: u64) {
    sleep(Duration::from_secs(count)).await;
}

/// This many leases at once.
pub(crate) async fn leases(pool: &Pool<FakeConnector>, count: usize) -> Vec<Lease<FakeConnector>> {
    let mut leases = Vec::new();
    for _ in 0..count {
        leases.push(pool.acquire(AcquireOptions::new()).await.unwrap());
    }
    leases
}
