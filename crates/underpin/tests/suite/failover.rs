//! Writers with unique keys while servers are killed, stopped, cut off, promoted and demoted. No
//! acknowledged write is lost, and every other report is true.
//!
//! `UNDERPIN_TEST_FAULTS` sets the number of faults; `UNDERPIN_TEST_SEED` repeats a run.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use underpin::{Config, Database, Effect, Event};
use underpin_testkit::{Postgres, Proxy, or_skip};

use crate::place::eventually;

/// Each kind once.
const FEW: usize = 5;
const WRITERS: usize = 8;

/// A fault of the primary.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// All its processes are killed.
    Kill,
    /// It is shut down.
    Stop,
    /// It receives and sends nothing, and its connections stay open.
    Partition,
    /// Another one is promoted while it runs, and takes calls.
    Promote,
    /// It is shut down and comes back as a replica of the promoted server, before its callers have
    /// looked elsewhere.
    Demote,
}

const FAULTS: [Fault; FEW] = [
    Fault::Kill,
    Fault::Stop,
    Fault::Partition,
    Fault::Promote,
    Fault::Demote,
];

/// Three servers, each behind a network that can fail.
struct Cluster {
    servers: Vec<Postgres>,
    networks: Vec<Proxy>,
    primary: usize,
}

impl Cluster {
    async fn start(synchronous: &str) -> Result<Self, underpin_testkit::Unavailable> {
        let primary = Postgres::builder()
            .setting("wal_log_hints", "on")
            .setting("full_page_writes", "on")
            .setting("wal_keep_size", "512MB")
            .setting("wal_retrieve_retry_interval", "100ms")
            .start()?;
        let mut servers = vec![primary];
        for _ in 0..2 {
            let replica = servers[0].replica().await?;
            servers.push(replica);
        }
        let networks = servers.iter().map(Proxy::before).collect();
        let cluster = Cluster {
            servers,
            networks,
            primary: 0,
        };
        cluster.await_replicas(2).await;
        for server in &cluster.servers {
            let alter = format!("ALTER SYSTEM SET synchronous_standby_names = '{synchronous}'");
            let admin = server.admin().await;
            admin.batch_execute(&alter).await.unwrap();
            admin
                .batch_execute("SELECT pg_reload_conf()")
                .await
                .unwrap();
        }
        Ok(cluster)
    }

    fn config(&self) -> Config {
        let hosts: Vec<String> = self
            .networks
            .iter()
            .map(|network| network.address().to_string())
            .collect();
        let server = &self.servers[0];
        let url = format!(
            "postgres://{}:{}@{}/postgres?sslmode=disable&acquire_timeout=30s&connection_timeout=2s",
            server.user(),
            server.password(),
            hosts.join(",")
        );
        Config::from_url(&url).unwrap()
    }

    async fn await_replicas(&self, count: i64) {
        let admin = self.servers[self.primary].admin().await;
        eventually("the replicas stream", async || {
            let streaming = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
            let row = admin.query_one(streaming, &[]).await.unwrap();
            row.get::<_, i64>(0) == count
        })
        .await;
    }

    /// Fences the primary like an operator: the replicas stop receiving from it, so that no further
    /// commit can be confirmed. Then the most advanced replica is promoted, and the other one
    /// follows it.
    async fn take_over(&mut self) -> usize {
        let old = self.primary;
        let mut replicas: Vec<usize> = (0..3).filter(|index| *index != old).collect();
        for index in &replicas {
            self.servers[*index].detach().await;
        }
        let mut received = BTreeMap::new();
        for index in &replicas {
            received.insert(*index, self.servers[*index].received().await);
        }
        replicas.sort_by_key(|index| std::cmp::Reverse(received[index]));
        let (new, other) = (replicas[0], replicas[1]);
        self.servers[new].promote().await;
        self.follow(other, new).await;
        self.primary = new;
        new
    }

    async fn follow(&mut self, index: usize, primary: usize) {
        let [server, primary] = self.servers.get_disjoint_mut([index, primary]).unwrap();
        server.follow(primary).await;
    }

    async fn demote(&mut self, index: usize, primary: usize) {
        let [server, primary] = self.servers.get_disjoint_mut([index, primary]).unwrap();
        server.demote(primary).await;
    }

    async fn suffer(&mut self, fault: Fault) {
        let old = self.primary;
        match fault {
            Fault::Kill => self.servers[old].kill(),
            Fault::Stop | Fault::Demote => self.servers[old].stop(),
            Fault::Partition => self.networks[old].black_hole(),
            Fault::Promote => {}
        }
        let new = self.take_over().await;
        if !matches!(fault, Fault::Demote) {
            tokio::time::sleep(Duration::from_millis(fastrand::u64(0..500))).await;
        }
        self.demote(old, new).await;
        if matches!(fault, Fault::Partition) {
            self.networks[old].cut();
            self.networks[old].resume();
        }
        self.await_replicas(2).await;
    }
}

/// The results that callers got for each key.
#[derive(Default)]
struct Told {
    acknowledged: Vec<i64>,
    undone: Vec<i64>,
    unknown: Vec<i64>,
    causes: BTreeMap<String, usize>,
}

/// Writes one key after another, in all ways of writing, and records the result of each.
async fn write(db: Database, keys: Arc<AtomicI64>, told: Arc<Mutex<Told>>, ends: Arc<AtomicBool>) {
    const INSERT: &str = "INSERT INTO written VALUES ($1)";
    while !ends.load(Ordering::Relaxed) {
        let key = keys.fetch_add(1, Ordering::Relaxed);
        let result = match key % 3 {
            0 => db.execute(INSERT, (key,)).await.map(drop),
            1 => {
                let inserted = db.transaction(async |tx| tx.execute(INSERT, (key,)).await);
                inserted.await.map(drop)
            }
            _ => {
                let again = db.retry();
                let inserted = again.transaction(async |tx| tx.execute(INSERT, (key,)).await);
                inserted.await.map(drop)
            }
        };
        let mut told = told.lock().unwrap();
        match result {
            Ok(()) => told.acknowledged.push(key),
            Err(error) => {
                match error.effect() {
                    Effect::NotSent | Effect::RolledBack => told.undone.push(key),
                    _ => told.unknown.push(key),
                }
                let cause = format!("{:?} {:?}", error.class(), error.effect());
                *told.causes.entry(cause).or_default() += 1;
            }
        }
    }
}

fn number(variable: &str, usual: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given.map_or(usual, |given| given.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_through_faults() {
    let mut cluster = or_skip!(Cluster::start("ANY 1 (*)").await);
    let db = Database::connect(cluster.config()).await.unwrap();
    db.batch("CREATE TABLE written (key bigint)").await.unwrap();
    let faults = number("UNDERPIN_TEST_FAULTS", FEW as u64) as usize;
    let seed = number("UNDERPIN_TEST_SEED", fastrand::u64(..));
    println!("{faults} faults, seed {seed}");
    fastrand::seed(seed);
    let keys = Arc::new(AtomicI64::new(0));
    let told = Arc::new(Mutex::new(Told::default()));
    let ends = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (keys, told, ends) = (keys.clone(), told.clone(), ends.clone());
            tokio::spawn(write(db.clone(), keys, told, ends))
        })
        .collect();
    let mut kinds = FAULTS;
    fastrand::shuffle(&mut kinds);
    for number in 0..faults {
        let fault = match kinds.get(number) {
            Some(fault) => *fault,
            None => FAULTS[fastrand::usize(..FAULTS.len())],
        };
        println!("fault {number}: {fault:?} of server {}", cluster.primary);
        let before = told.lock().unwrap().acknowledged.len();
        cluster.suffer(fault).await;
        eventually("writes succeed again", async || {
            told.lock().unwrap().acknowledged.len() > before + WRITERS
        })
        .await;
    }
    ends.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    let told = std::mem::take(&mut *told.lock().unwrap());
    println!(
        "{} acknowledged, {} undone, {} unknown: {:?}",
        told.acknowledged.len(),
        told.undone.len(),
        told.unknown.len(),
        told.causes
    );
    // The servers' own view.
    let admin = cluster.servers[cluster.primary].admin().await;
    let rows = admin
        .query("SELECT key, count(*) FROM written GROUP BY key", &[])
        .await
        .unwrap();
    let found: BTreeMap<i64, i64> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let lost: Vec<_> = told
        .acknowledged
        .iter()
        .filter(|key| found.get(*key) != Some(&1))
        .collect();
    assert!(
        lost.is_empty(),
        "acknowledged, and not there exactly once: {lost:?}"
    );
    let kept: Vec<_> = told
        .undone
        .iter()
        .filter(|key| found.contains_key(*key))
        .collect();
    assert!(kept.is_empty(), "told to be undone, and there: {kept:?}");
    let twice: Vec<_> = found.iter().filter(|(_, count)| **count != 1).collect();
    assert!(twice.is_empty(), "there more than once: {twice:?}");
    db.close(Duration::from_secs(10)).await.unwrap();
}

/// The old primary is not fenced, and continues to take writes. Rows that it acknowledged before
/// the other one was promoted may be lost, for which the operator is responsible; the client stops
/// using it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_nobody_fenced_is_left() {
    let mut cluster = or_skip!(Cluster::start("").await);
    let db = Database::connect(cluster.config()).await.unwrap();
    db.batch("CREATE TABLE written (key bigint)").await.unwrap();
    let mut events = db.events().unwrap();
    eventually("the replica has the table", async || {
        let found = "SELECT count(*) FROM pg_class WHERE relname = 'written'";
        let row = cluster.servers[1]
            .admin()
            .await
            .query_one(found, &[])
            .await
            .unwrap();
        row.get::<_, i64>(0) == 1
    })
    .await;
    let held = db.begin().await.unwrap();
    held.execute("INSERT INTO written VALUES (-1)", ())
        .await
        .unwrap();
    cluster.servers[1].promote().await;
    let to = cluster.networks[1].address().to_string();
    loop {
        match events.next().await.expect("the database is open") {
            Event::FailoverDone { to: endpoint, .. } => {
                assert!(endpoint.to_string().contains(&to), "{endpoint}");
                break;
            }
            _ => continue,
        }
    }
    // From then on nothing goes to the old primary, although it answers and takes writes.
    let old = cluster.servers[0].admin().await;
    old.batch_execute("CREATE TABLE left_behind ()")
        .await
        .unwrap();
    for key in 0..50 {
        db.execute("INSERT INTO written VALUES ($1)", (key,))
            .await
            .unwrap();
    }
    let count = "SELECT count(*) FROM written";
    let on_old: i64 = old.query_one(count, &[]).await.unwrap().get(0);
    let new = cluster.servers[1].admin().await;
    let on_new: i64 = new.query_one(count, &[]).await.unwrap().get(0);
    assert_eq!((on_old, on_new), (0, 50));
    let lost = held.commit().await.unwrap_err();
    assert_ne!(lost.effect(), Effect::Applied, "{lost}");
    cluster.primary = 1;
    db.close(Duration::from_secs(5)).await.unwrap();
}
