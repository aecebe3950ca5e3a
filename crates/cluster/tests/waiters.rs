//! Callers that wait for a connection while the primary moves from member to member: each is served
//! once, in the order of arrival.

use std::panic::Location;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use underpin_cluster::{CallOptions, Cluster, ClusterOptions, NewMember};
use underpin_core::driver::{
    AnyConnector, BoxFuture, BulkTarget, Call, Capabilities, Connection, Connector, Fetching,
    Observation, Pooled, RowSink, RowSource, SessionState,
};
use underpin_core::retry::RetryPolicy;
use underpin_core::{
    Class, Columns, Deadline, Endpoint, Error, Result, Role, StatementDescription,
    TransactionOptions, TwoPrimaries,
};
use underpin_pool::{Pool, PoolOptions};

const MEMBERS: usize = 3;
const CALLERS: usize = 120;

/// Servers of which at most one takes writes, each on a later timeline than the one before.
#[derive(Default)]
struct World {
    /// The number of the member that takes writes, and its timeline; `MEMBERS` for none.
    primary: AtomicUsize,
    timeline: AtomicU64,
}

impl World {
    fn says(&self, number: usize) -> Observation {
        match self.primary.load(Ordering::SeqCst) == number {
            true => {
                let timeline = self.timeline.load(Ordering::SeqCst);
                Observation::new(Role::Primary).on_timeline(u32::try_from(timeline).unwrap())
            }
            false => Observation::new(Role::Replica),
        }
    }

    fn promote(&self, number: usize) {
        self.timeline.fetch_add(1, Ordering::SeqCst);
        self.primary.store(number, Ordering::SeqCst);
    }
}

struct Server {
    world: Arc<World>,
    number: usize,
    endpoint: Endpoint,
}

struct Session {
    world: Arc<World>,
    number: usize,
    endpoint: Endpoint,
}

impl Connector for Server {
    type Connection = Session;

    fn connect(&self, _: Deadline) -> BoxFuture<'_, Result<Session>> {
        Box::pin(async {
            sleep(Duration::from_millis(1)).await;
            Ok(Session {
                world: Arc::clone(&self.world),
                number: self.number,
                endpoint: self.endpoint.clone(),
            })
        })
    }
}

fn unused<T>() -> BoxFuture<'static, Result<T>> {
    Box::pin(async { Err(Error::new(Class::Unsupported, "No test calls this.")) })
}

impl Pooled for Session {
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

impl Connection for Session {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn role(&self) -> Role {
        self.world.says(self.number).role
    }

    fn observe(&self, _: Deadline) -> BoxFuture<'_, Result<Observation>> {
        Box::pin(async {
            sleep(Duration::from_millis(1)).await;
            Ok(self.world.says(self.number))
        })
    }

    fn in_flight(&self) -> usize {
        0
    }

    fn execute<'a>(&'a self, _: Call<'a>) -> BoxFuture<'a, Result<u64>> {
        unused()
    }

    fn fetch<'a>(
        &'a self,
        _: Call<'a>,
        _: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<Box<dyn RowSink>>> {
        unused()
    }

    fn fetch_stream<'a>(
        &'a self,
        _: Call<'a>,
        _: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<(Columns, Fetching)>> {
        unused()
    }

    fn batch<'a>(&'a self, _: &'a str, _: Deadline) -> BoxFuture<'a, Result<()>> {
        unused()
    }

    fn insert_rows<'a>(
        &'a self,
        _: BulkTarget<'a>,
        _: &'a mut dyn RowSource,
        _: Deadline,
    ) -> BoxFuture<'a, Result<u64>> {
        unused()
    }

    fn begin(&self, _: TransactionOptions, _: Deadline) -> BoxFuture<'_, Result<()>> {
        unused()
    }

    fn commit(&self) -> BoxFuture<'_, Result<()>> {
        unused()
    }

    fn rollback(&self, _: Deadline) -> BoxFuture<'_, Result<()>> {
        unused()
    }

    fn describe<'a>(
        &'a self,
        _: &'a str,
        _: Deadline,
    ) -> BoxFuture<'a, Result<StatementDescription>> {
        unused()
    }

    fn only_reads<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<bool>>> {
        unused()
    }
}

fn open(world: &Arc<World>) -> Cluster {
    let members = (0..MEMBERS).map(|number| {
        let endpoint = Endpoint::tcp(format!("db{number}"), 5432);
        let server = Server {
            world: Arc::clone(world),
            number,
            endpoint: endpoint.clone(),
        };
        let options = PoolOptions {
            name: endpoint.to_string(),
            min: 0,
            max: 1,
            ..PoolOptions::default()
        };
        NewMember::new(endpoint, AnyConnector::new(server), options)
    });
    let options = ClusterOptions {
        capabilities: Capabilities {
            pipelining: false,
            transactions: false,
            notifications: false,
            roles_change: true,
            positions: false,
        },
        shares: |_| false,
        pipelining: false,
        retry: RetryPolicy::default(),
        two_primaries: TwoPrimaries::Refuse,
        lazy: false,
    };
    Cluster::open(members.collect(), options, None).unwrap()
}

#[tokio::test(start_paused = true)]
async fn no_waiter_is_lost_or_overtaken_while_the_primary_moves() {
    for seed in 0..100 {
        let mut random = fastrand::Rng::with_seed(seed);
        let world = Arc::new(World::default());
        world.promote(0);
        let cluster = Arc::new(open(&world));
        let served = Arc::new(Mutex::new(Vec::new()));
        let mut callers = Vec::new();
        for number in 0..CALLERS {
            let (cluster, served) = (Arc::clone(&cluster), Arc::clone(&served));
            callers.push(tokio::spawn(async move {
                let options = CallOptions {
                    retries: Some(100),
                    ..CallOptions::default()
                };
                let place = Location::caller();
                let deadline = Deadline::after(Instant::now().into_std(), Duration::from_secs(60));
                let lease = cluster.lease(options, deadline, place).await.unwrap();
                served.lock().unwrap().push(number);
                sleep(Duration::from_millis(3)).await;
                drop(lease);
            }));
            // Each caller has joined the queue before the next one arrives.
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        }
        for _ in 0..12 {
            sleep(Duration::from_millis(random.u64(5..30))).await;
            if random.u8(0..3) == 0 {
                // For a while there is no primary.
                world.primary.store(MEMBERS, Ordering::SeqCst);
                sleep(Duration::from_millis(random.u64(5..60))).await;
            }
            world.promote(random.usize(..MEMBERS));
        }
        for caller in callers {
            caller.await.unwrap();
        }
        let order = served.lock().unwrap().clone();
        assert_eq!(order.len(), CALLERS, "seed {seed}");
        assert!(order.is_sorted(), "seed {seed}: {order:?}");
        cluster
            .close(Deadline::after(
                Instant::now().into_std(),
                Duration::from_secs(5),
            ))
            .await
            .unwrap();
    }
}

/// Only the pools hold waiters; a member that stays a replica opens nothing for them.
#[tokio::test]
async fn the_pool_of_a_replica_opens_nothing_for_writers() {
    let world = Arc::new(World::default());
    world.promote(1);
    let cluster = open(&world);
    let deadline = Deadline::after(Instant::now().into_std(), Duration::from_secs(10));
    let lease = cluster
        .lease(CallOptions::default(), deadline, Location::caller())
        .await;
    assert_eq!(lease.unwrap().endpoint().to_string(), "db1:5432");
    let opened = |pools: Vec<Pool<AnyConnector>>| -> u64 {
        pools[1..]
            .iter()
            .map(|pool| pool.statistics().opened_total)
            .sum()
    };
    assert_eq!(opened(cluster.pools()), 0);
    cluster.close(deadline).await.unwrap();
}
