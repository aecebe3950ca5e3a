//! How long nobody can write when the primary of two hosts is lost: from the fault to the first
//! write that succeeds, less the time until the new primary itself takes a write from a bare
//! connection that tries every 5 ms.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio_postgres::NoTls;
use underpin::Database;
use underpin_testkit::Postgres;

/// What happens to the primary.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// All its processes are killed, and the replica is promoted at once.
    Kill,
    /// It is shut down, and the replica is promoted.
    Switchover,
    /// It falls silent with its connections open, and the replica is promoted after a second.
    Silence,
}

/// Who writes.
#[derive(Debug, Clone, Copy)]
enum Writer {
    Underpin,
    Deadpool,
}

/// What one round showed.
struct Outage {
    /// From the fault to the first write that succeeds.
    whole: Duration,
    /// From then on that the new primary takes writes.
    beyond: Duration,
}

const FAULTS: [Fault; 3] = [Fault::Kill, Fault::Switchover, Fault::Silence];
const WRITERS: [Writer; 2] = [Writer::Underpin, Writer::Deadpool];
/// A writer that has not come back by then does not.
const GIVE_UP: Duration = Duration::from_secs(20);
const INSERT: &str = "INSERT INTO written VALUES ($1)";

pub(crate) async fn run(rounds: u32) {
    println!("Outage of writes on two hosts, {rounds} rounds each, in ms (p50 / p95 / most):");
    for fault in FAULTS {
        for writer in WRITERS {
            let mut outages = Vec::new();
            for _ in 0..rounds {
                outages.push(round(fault, writer).await);
            }
            let whole = outages.iter().map(|outage| outage.whole).collect();
            let beyond = outages.iter().map(|outage| outage.beyond).collect();
            println!(
                "  {fault:10} {writer:16} in all {}, once a bare connection can write {}",
                spread(whole),
                spread(beyond)
            );
        }
    }
}

async fn round(fault: Fault, writer: Writer) -> Outage {
    let start = Postgres::start();
    let mut primary = start.unwrap_or_else(|why| panic!("The benchmark needs PostgreSQL: {why}"));
    let admin = primary.admin().await;
    let create = "CREATE TABLE written (id bigint)";
    admin.batch_execute(create).await.unwrap();
    let replica = primary.replica().await.unwrap();
    let streams =
        "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()";
    while admin
        .query_one(streams, &[])
        .await
        .unwrap()
        .get::<_, i64>(0)
        == 0
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(admin);
    let hosts = Hosts {
        ports: [primary.port(), replica.port()],
        user: primary.user().to_owned(),
        password: primary.password().to_owned(),
    };
    // When a write that began after the fault succeeded, in nanoseconds after it.
    let begun = Instant::now();
    let latest = Arc::new(AtomicU64::new(0));
    let writing = match writer {
        Writer::Underpin => tokio::spawn(underpin(hosts.clone(), begun, Arc::clone(&latest))),
        Writer::Deadpool => tokio::spawn(deadpool(hosts.clone(), begun, Arc::clone(&latest))),
    };
    while latest.load(Relaxed) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let fault_at = begun.elapsed();
    match fault {
        Fault::Kill => primary.kill(),
        Fault::Switchover => primary.stop(),
        Fault::Silence => {
            primary.pause();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    let bare = tokio::spawn(bare(hosts, begun));
    replica.promote().await;
    let ready = bare.await.unwrap();
    let mut served = Duration::ZERO;
    while served == Duration::ZERO && begun.elapsed() - fault_at < GIVE_UP {
        let at = Duration::from_nanos(latest.load(Relaxed));
        if at >= ready {
            served = at;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    if served == Duration::ZERO {
        served = fault_at + GIVE_UP;
    }
    writing.abort();
    if matches!(fault, Fault::Silence) {
        primary.resume();
    }
    Outage {
        whole: served - fault_at,
        beyond: served - ready,
    }
}

/// Where the two servers are.
#[derive(Clone)]
struct Hosts {
    ports: [u16; 2],
    user: String,
    password: String,
}

impl Hosts {
    fn url(&self) -> String {
        let [one, other] = self.ports;
        let Hosts { user, password, .. } = self;
        format!(
            "postgres://{user}:{password}@127.0.0.1:{one},127.0.0.1:{other}/postgres?sslmode=disable"
        )
    }
}

/// Notes when each write has succeeded.
async fn write<W, F>(begun: Instant, latest: Arc<AtomicU64>, mut one: W)
where
    W: FnMut(i64) -> F,
    F: Future<Output = bool>,
{
    for id in 0.. {
        if one(id).await {
            let at = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
            latest.store(at, Relaxed);
        } else {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

async fn underpin(hosts: Hosts, begun: Instant, latest: Arc<AtomicU64>) {
    let db = Database::connect(hosts.url()).await.unwrap();
    write(begun, latest, |id| {
        let db = db.clone();
        async move { db.execute(INSERT, (id,)).await.is_ok() }
    })
    .await;
}

async fn deadpool(hosts: Hosts, begun: Instant, latest: Arc<AtomicU64>) {
    let mut config: tokio_postgres::Config = hosts.url().parse().unwrap();
    config
        .target_session_attrs(tokio_postgres::config::TargetSessionAttrs::ReadWrite)
        .connect_timeout(Duration::from_secs(2));
    let manager = deadpool_postgres::Manager::new(config, NoTls);
    let pool = deadpool_postgres::Pool::builder(manager)
        .max_size(20)
        .build()
        .unwrap();
    write(begun, latest, |id| {
        let pool = pool.clone();
        async move {
            let Ok(client) = pool.get().await else {
                return false;
            };
            client.execute(INSERT, &[&id]).await.is_ok()
        }
    })
    .await;
}

/// Tries the second server every 5 ms, each time on a new connection, until it takes a write, and
/// says when that was.
async fn bare(hosts: Hosts, begun: Instant) -> Duration {
    let mut config = tokio_postgres::Config::new();
    config
        .host("127.0.0.1")
        .port(hosts.ports[1])
        .user(&hosts.user)
        .password(&hosts.password)
        .dbname("postgres");
    loop {
        if let Ok((client, connection)) = config.connect(NoTls).await {
            let connection = tokio::spawn(connection);
            let written = client.execute(INSERT, &[&-1_i64]).await.is_ok();
            connection.abort();
            if written {
                return begun.elapsed();
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn spread(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |share: f64| {
        let last = times.len() - 1;
        times[(last as f64 * share).round() as usize].as_millis()
    };
    format!("{} / {} / {}", at(0.5), at(0.95), at(1.0))
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Fault::Kill => "kill",
            Fault::Switchover => "switchover",
            Fault::Silence => "silence",
        })
    }
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Writer::Underpin => "Underpin",
            Writer::Deadpool => "deadpool",
        })
    }
}
