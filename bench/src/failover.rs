//! How long nobody can write when the primary of several hosts is lost: from the fault to the first
//! write that succeeds, less the time until the new primary itself takes a write from a bare
//! connection that tries every 5 ms. And how many reads fail when a replica is lost.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio_postgres::NoTls;
use underpin::{Database, Effect};
use underpin_testkit::Postgres;

/// What happens to the primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// All its processes are killed, and the replica is promoted at once.
    Kill,
    /// It is shut down, the replica is promoted, and it comes back as a replica.
    Switchover,
    /// It falls silent with its connections open, and the replica is promoted after a second.
    Silence,
    /// It restarts as a replica: `SELECT 1` still passes. The replica is promoted behind it.
    Demotion,
}

/// Who writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writer {
    Underpin,
    Deadpool,
    Sqlx,
}

/// What one round showed.
struct Outage {
    /// From the fault to the first write that succeeds. `None` where none did.
    whole: Option<Duration>,
    /// From then on that the new primary takes writes.
    beyond: Option<Duration>,
    /// Writes that failed, in Underpin's case those alone that may have taken effect.
    failed: u64,
}

const FAULTS: [Fault; 4] = [
    Fault::Kill,
    Fault::Switchover,
    Fault::Silence,
    Fault::Demotion,
];
const WRITERS: [Writer; 3] = [Writer::Underpin, Writer::Deadpool, Writer::Sqlx];
/// A writer that has not come back by then does not.
const GIVE_UP: Duration = Duration::from_secs(20);
const INSERT: &str = "INSERT INTO written VALUES ($1)";

/// Whether this is to be measured: everything, or what the variable names, such as `kill,Underpin`.
fn chosen(names: &[&str]) -> bool {
    let only = std::env::var("UNDERPIN_BENCH_ONLY").unwrap_or_default();
    only.is_empty() || only.split(',').any(|word| names.contains(&word))
}

pub(crate) async fn run(rounds: u32) {
    println!("Outage of writes on two hosts, {rounds} rounds each, in ms (p50 / p95 / most):");
    for fault in FAULTS.into_iter().filter(|fault| chosen(&[fault.name()])) {
        for writer in WRITERS {
            // What never comes back is not waited for twenty times.
            let rounds = match writer {
                Writer::Underpin => rounds,
                Writer::Deadpool | Writer::Sqlx => rounds.min(3),
            };
            let mut outages = Vec::new();
            for _ in 0..rounds {
                outages.push(round(fault, writer).await);
            }
            let failed: u64 = outages.iter().map(|outage| outage.failed).sum();
            println!(
                "  {fault:10} {writer:16} in all {}, once a bare connection can write {}; {failed} failed",
                spread(outages.iter().map(|outage| outage.whole)),
                spread(outages.iter().map(|outage| outage.beyond)),
            );
        }
    }
    if chosen(&["replica"]) {
        replica_lost(rounds).await;
    }
    if chosen(&["away"]) {
        all_away().await;
    }
    if chosen(&["calm"]) {
        calm().await;
    }
}

/// A primary with one replica that has all of it.
async fn pair() -> (Postgres, Postgres) {
    let start = Postgres::builder()
        .setting("wal_log_hints", "on")
        .setting("full_page_writes", "on")
        .setting("wal_keep_size", "256MB")
        .start();
    let primary = start.unwrap_or_else(|why| panic!("The benchmark needs PostgreSQL: {why}"));
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
    (primary, replica)
}

async fn round(fault: Fault, writer: Writer) -> Outage {
    let (mut primary, replica) = pair().await;
    let hosts = Hosts::of(&[&primary, &replica]);
    let written = Arc::new(Written::new());
    let writing = match writer {
        Writer::Underpin => tokio::spawn(underpin(hosts.clone(), Arc::clone(&written))),
        Writer::Deadpool => tokio::spawn(deadpool(hosts.clone(), Arc::clone(&written))),
        Writer::Sqlx => tokio::spawn(sqlx(hosts.clone(), Arc::clone(&written))),
    };
    while written.first_after(Duration::ZERO).is_none() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Long enough for all members to be known, and at another moment of the probes each time.
    tokio::time::sleep(Duration::from_millis(fastrand::u64(300..1_300))).await;
    let begun = written.begun;
    let fault_at = begun.elapsed();
    match fault {
        Fault::Kill => primary.kill(),
        Fault::Switchover => primary.stop(),
        Fault::Silence => {
            primary.pause();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Fault::Demotion => primary.stop(),
    }
    let bare = tokio::spawn(bare(hosts, begun));
    replica.promote().await;
    if matches!(fault, Fault::Switchover | Fault::Demotion) {
        primary.demote(&replica).await;
    }
    let ready = bare.await.unwrap();
    let mut served = written.first_after(ready);
    while served.is_none() && begun.elapsed() - fault_at < GIVE_UP {
        tokio::time::sleep(Duration::from_millis(5)).await;
        served = written.first_after(ready);
    }
    writing.abort();
    if fault == Fault::Silence {
        primary.resume();
    }
    Outage {
        whole: served.map(|served| served - fault_at),
        beyond: served.map(|served| served - ready),
        failed: written.failed.load(Relaxed),
    }
}

/// When writes succeeded, and how many failed.
struct Written {
    begun: Instant,
    times: Mutex<Vec<Duration>>,
    failed: AtomicU64,
}

impl Written {
    fn new() -> Self {
        Written {
            begun: Instant::now(),
            times: Mutex::default(),
            failed: AtomicU64::new(0),
        }
    }

    fn succeeded(&self) {
        self.times.lock().unwrap().push(self.begun.elapsed());
    }

    fn first_after(&self, time: Duration) -> Option<Duration> {
        let times = self.times.lock().unwrap();
        let index = times.partition_point(|at| *at < time);
        times.get(index).copied()
    }
}

/// Where the servers are.
#[derive(Clone)]
struct Hosts {
    ports: Vec<u16>,
    user: String,
    password: String,
}

impl Hosts {
    fn of(servers: &[&Postgres]) -> Self {
        Hosts {
            ports: servers.iter().map(|server| server.port()).collect(),
            user: servers[0].user().to_owned(),
            password: servers[0].password().to_owned(),
        }
    }

    fn url(&self) -> String {
        let Hosts { user, password, .. } = self;
        let hosts = self.ports.iter().map(|port| format!("127.0.0.1:{port}"));
        let hosts = hosts.collect::<Vec<_>>().join(",");
        format!("postgres://{user}:{password}@{hosts}/postgres?sslmode=disable")
    }
}

/// Writes again and again, and notes what comes of each.
async fn write<W, F>(written: Arc<Written>, mut one: W)
where
    W: FnMut(i64) -> F,
    F: Future<Output = bool>,
{
    for id in 0.. {
        if one(id).await {
            written.succeeded();
        } else {
            written.failed.fetch_add(1, Relaxed);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

async fn underpin(hosts: Hosts, written: Arc<Written>) {
    let db = Database::connect(hosts.url()).await.unwrap();
    write(written, |id| {
        let db = db.clone();
        async move { db.execute(INSERT, (id,)).await.is_ok() }
    })
    .await;
}

async fn deadpool(hosts: Hosts, written: Arc<Written>) {
    let mut config: tokio_postgres::Config = hosts.url().parse().unwrap();
    config
        .target_session_attrs(tokio_postgres::config::TargetSessionAttrs::ReadWrite)
        .connect_timeout(Duration::from_secs(2));
    let manager = deadpool_postgres::Manager::new(config, NoTls);
    let pool = deadpool_postgres::Pool::builder(manager)
        .max_size(20)
        .build()
        .unwrap();
    write(written, |id| {
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

/// Its URL takes one host, which is the primary's.
async fn sqlx(hosts: Hosts, written: Arc<Written>) {
    let first = Hosts {
        ports: hosts.ports[..1].to_vec(),
        ..hosts
    };
    let pool = sqlx::postgres::PgPoolOptions::new()
        .max_connections(20)
        .connect(&first.url())
        .await
        .unwrap();
    write(written, |id| {
        let pool = pool.clone();
        async move { sqlx::query(INSERT).bind(id).execute(&pool).await.is_ok() }
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

/// Reads from all hosts while a replica is killed: how many fail, with and without the word that
/// they may run twice.
async fn replica_lost(rounds: u32) {
    const READERS: usize = 8;
    let (mut plain, mut idempotent) = (0, 0);
    for _ in 0..rounds {
        let (primary, mut replica) = pair().await;
        let db = Database::connect(Hosts::of(&[&primary, &replica]).url())
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
        let ends = Arc::new(AtomicBool::new(false));
        let readers: Vec<_> = (0..2 * READERS)
            .map(|number| {
                let (ends, db) = (Arc::clone(&ends), db.read());
                let db = if number < READERS {
                    db
                } else {
                    db.idempotent()
                };
                tokio::spawn(async move {
                    let mut failed = 0_u64;
                    while !ends.load(Relaxed) {
                        let read = db.query_scalar::<i64>("SELECT count(*) FROM written", ());
                        failed += u64::from(read.await.is_err());
                    }
                    failed
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(300)).await;
        replica.kill();
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        ends.store(true, Relaxed);
        for (number, reader) in readers.into_iter().enumerate() {
            let failed = reader.await.unwrap();
            match number < READERS {
                true => plain += failed,
                false => idempotent += failed,
            }
        }
        db.close(Duration::from_secs(5)).await.unwrap();
    }
    println!(
        "  A replica is killed under {} readers, {rounds} rounds: {plain} reads failed, at most {} were in \
         flight; of as many idempotent ones {idempotent}.",
        READERS,
        READERS as u64 * u64::from(rounds)
    );
}

/// All hosts are away for longer than the pool tries to connect, and come back.
async fn all_away() {
    const AWAY: Duration = Duration::from_secs(30);
    let (mut primary, mut replica) = pair().await;
    let url = format!(
        "{}&acquire_timeout=60s",
        Hosts::of(&[&primary, &replica]).url()
    );
    let db = Database::connect(url).await.unwrap();
    db.execute(INSERT, (0_i64,)).await.unwrap();
    primary.kill();
    replica.kill();
    let begun = Instant::now();
    let waiting: Vec<_> = (0..20_i64)
        .map(|id| {
            let db = db.retries(100).unwrap().deadline(Duration::from_secs(50));
            tokio::spawn(async move {
                let done = db.execute(INSERT, (id,)).await;
                (done.map_err(|error| error.effect()), Instant::now())
            })
        })
        .collect();
    let brief = db
        .deadline(Duration::from_secs(5))
        .execute(INSERT, (1_i64,))
        .await;
    let told = begun.elapsed();
    tokio::time::sleep(AWAY.saturating_sub(begun.elapsed())).await;
    primary.restart();
    replica.restart();
    let back = Instant::now();
    let (mut served, mut unknown, mut failed, mut last) = (0, 0, 0, Duration::ZERO);
    for call in waiting {
        let (done, at) = call.await.unwrap();
        match done {
            Ok(_) => served += 1,
            Err(Effect::Unknown) => unknown += 1,
            Err(_) => failed += 1,
        }
        last = last.max(at.saturating_duration_since(back));
    }
    println!(
        "  All hosts are away for {AWAY:?}: of 20 that waited {served} were served, the last {last:.0?} after \
         the hosts were back; {unknown} had been under way, {failed} were told otherwise; one with a \
         deadline of 5 s was told after {told:.1?}: {}.",
        brief.is_err()
    );
    db.close(Duration::from_secs(5)).await.unwrap();
}

/// The rate of statements through three hosts beside that through one, in turns.
async fn calm() {
    const TASKS: usize = 64;
    const SPAN: Duration = Duration::from_secs(2);
    const TURNS: usize = 8;
    let (primary, replica) = pair().await;
    let other = primary.replica().await.unwrap();
    let one = Database::connect(Hosts::of(&[&primary]).url())
        .await
        .unwrap();
    let three = Database::connect(Hosts::of(&[&primary, &replica, &other]).url())
        .await
        .unwrap();
    let rate = async |db: &Database| {
        let end = Instant::now() + SPAN;
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move {
                    let mut count = 0_u64;
                    while Instant::now() < end {
                        db.query_scalar::<i32>("SELECT 1", ()).await.unwrap();
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await.unwrap();
        }
        sum as f64 / SPAN.as_secs_f64()
    };
    let mut ratios = Vec::new();
    for turn in 0..TURNS {
        let (first, second) = if turn % 2 == 0 {
            (&one, &three)
        } else {
            (&three, &one)
        };
        let (a, b) = (rate(first).await, rate(second).await);
        ratios.push(if turn % 2 == 0 { b / a } else { a / b });
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "  Rate through three hosts to that through one, {TASKS} tasks, {TURNS} turns: median {:.3}, from {:.3} \
         to {:.3}",
        ratios[TURNS / 2],
        ratios[0],
        ratios[TURNS - 1]
    );
}

fn spread(times: impl Iterator<Item = Option<Duration>>) -> String {
    let mut times: Vec<Duration> = times.map(|time| time.unwrap_or(Duration::MAX)).collect();
    times.sort();
    let at = |share: f64| {
        let last = times.len() - 1;
        let time = times[(last as f64 * share).ceil() as usize];
        match time {
            Duration::MAX => "never".to_owned(),
            time => time.as_millis().to_string(),
        }
    };
    format!("{} / {} / {}", at(0.5), at(0.95), at(1.0))
}

impl Fault {
    fn name(self) -> &'static str {
        match self {
            Fault::Kill => "kill",
            Fault::Switchover => "switchover",
            Fault::Silence => "silence",
            Fault::Demotion => "demotion",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Writer::Underpin => "Underpin",
            Writer::Deadpool => "deadpool",
            Writer::Sqlx => "sqlx",
        })
    }
}
