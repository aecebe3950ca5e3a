//! Three servers under Patroni, which promotes and demotes them by itself.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio_postgres::NoTls;
use underpin::{Database, Effect, Event};
use underpin_testkit::{Patroni, PgBouncer};

const INSERT: &str = "INSERT INTO written VALUES ($1)";

/// The acknowledged keys, and the longest time without any.
#[derive(Default)]
struct Written {
    keys: BTreeSet<i64>,
    unknown: usize,
    latest: Option<Instant>,
    gap: Duration,
}

impl Written {
    fn acknowledged(&mut self, key: i64) {
        let now = Instant::now();
        if let Some(latest) = self.latest.replace(now) {
            self.gap = self.gap.max(now - latest);
        }
        self.keys.insert(key);
    }
}

/// Writes through the database, one key after another.
async fn write(
    db: Database,
    keys: Arc<AtomicI64>,
    written: Arc<Mutex<Written>>,
    ends: Arc<AtomicBool>,
) {
    while !ends.load(Ordering::Relaxed) {
        let key = keys.fetch_add(1, Ordering::Relaxed);
        let inserted = db.execute(INSERT, (key,)).await;
        let mut written = written.lock().unwrap();
        match inserted {
            Ok(_) => written.acknowledged(key),
            Err(error) if error.effect() == Effect::Unknown => written.unknown += 1,
            Err(_) => {}
        }
    }
}

/// Tries each server every 5 ms, each time on a new connection: the best that the servers allow.
async fn probe(urls: Vec<String>, written: Arc<Mutex<Written>>, ends: Arc<AtomicBool>) {
    let mut key = -1;
    while !ends.load(Ordering::Relaxed) {
        for url in &urls {
            let wrote = tokio::time::timeout(Duration::from_millis(500), async {
                let (client, connection) = tokio_postgres::connect(url, NoTls).await.ok()?;
                let connection = tokio::spawn(connection);
                let wrote = client.execute(INSERT, &[&key]).await.ok();
                connection.abort();
                wrote
            });
            if let Ok(Some(_)) = wrote.await {
                written.lock().unwrap().acknowledged(key);
                key -= 1;
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Writes through a PgBouncer, on a new connection after each failure.
async fn write_through(url: String, written: Arc<Mutex<Written>>, ends: Arc<AtomicBool>) {
    let mut key = -1_000_000;
    while !ends.load(Ordering::Relaxed) {
        let Ok((client, connection)) = tokio_postgres::connect(&url, NoTls).await else {
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        let connection = tokio::spawn(connection);
        // Without a statement of a name, which a pooler in transaction mode does not know.
        while client
            .batch_execute(&format!("INSERT INTO written VALUES ({key})"))
            .await
            .is_ok()
            && !ends.load(Ordering::Relaxed)
        {
            written.lock().unwrap().acknowledged(key);
            key -= 1;
        }
        connection.abort();
    }
}

/// Has the PgBouncer lead to the node that leads, as an operator's script does.
async fn point(
    mut bouncer: PgBouncer,
    leader: impl Fn() -> Option<u16> + Send + 'static,
    ends: Arc<AtomicBool>,
) {
    let mut known = None;
    while !ends.load(Ordering::Relaxed) {
        tokio::task::block_in_place(|| {
            let leader = leader();
            if let Some(port) = leader.filter(|_| leader != known) {
                bouncer.lead_to(port);
                known = leader;
            }
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Measures an event while callers write and a prober tries each server.
async fn under_load(
    nodes: &mut Patroni,
    url: String,
    what: &str,
    event: impl FnOnce(&mut Patroni) -> usize,
) {
    let db = Database::connect(url).await.unwrap();
    db.batch("CREATE TABLE IF NOT EXISTS written (key bigint)")
        .await
        .unwrap();
    db.batch("TRUNCATE written").await.unwrap();
    let mut events = db.events().unwrap();
    let (ours, bare) = (
        Arc::<Mutex<Written>>::default(),
        Arc::<Mutex<Written>>::default(),
    );
    let (keys, ends) = (
        Arc::new(AtomicI64::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let through = Arc::<Mutex<Written>>::default();
    let bouncer = PgBouncer::builder().start_before(nodes);
    let urls = (0..nodes.ports().len()).map(|number| nodes.url_of(number, "postgres"));
    let mut tasks = vec![tokio::spawn(probe(
        urls.collect(),
        bare.clone(),
        ends.clone(),
    ))];
    if let Ok(bouncer) = bouncer {
        let url = bouncer.url_of("postgres");
        tasks.push(tokio::spawn(write_through(
            url,
            through.clone(),
            ends.clone(),
        )));
        tasks.push(tokio::spawn(point(
            bouncer,
            nodes.leader_watch(),
            ends.clone(),
        )));
    }
    for _ in 0..4 {
        tasks.push(tokio::spawn(write(
            db.clone(),
            keys.clone(),
            ours.clone(),
            ends.clone(),
        )));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let old = nodes.leader().expect("a node leads");
    let expected = tokio::task::block_in_place(|| event(nodes));
    loop {
        let event = events.next().await.expect("the database is open");
        if let Event::FailoverDone { to, took } = event {
            let port = nodes.ports()[old];
            if !to.to_string().contains(&port.to_string()) {
                println!("{what}: {to} leads, found after {took:.1?}");
                break;
            }
        }
    }
    let served = ours.lock().unwrap().keys.len();
    while ours.lock().unwrap().keys.len() < served + 50 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ends.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    let ours = std::mem::take(&mut *ours.lock().unwrap());
    let bare = std::mem::take(&mut *bare.lock().unwrap());
    let through = std::mem::take(&mut *through.lock().unwrap());
    println!(
        "{what}: {} acknowledged, {} unknown; longest without a write {:.1?}, of a bare prober \
         {:.1?}, through a PgBouncer that is pointed to the leader {:.1?}",
        ours.keys.len(),
        ours.unknown,
        ours.gap,
        bare.gap,
        through.gap
    );
    let on_server: i32 = db
        .query_scalar("SELECT current_setting('port')::int", ())
        .await
        .unwrap();
    let port = u16::try_from(on_server).unwrap();
    assert_ne!(port, nodes.ports()[old], "{what}");
    if expected < nodes.ports().len() {
        assert_eq!(port, nodes.ports()[expected], "{what}");
    }
    let rows: Vec<(i64,)> = db
        .query_as("SELECT key FROM written WHERE key >= 0", ())
        .await
        .unwrap();
    let found: Vec<i64> = rows.into_iter().map(|(key,)| key).collect();
    let unique: BTreeSet<i64> = found.iter().copied().collect();
    assert_eq!(unique.len(), found.len(), "{what}: a row is there twice");
    // Replication is asynchronous here, as is Patroni's default: the loss of rows is for Patroni to
    // limit.
    let lost = ours.keys.difference(&unique).count();
    println!("{what}: {lost} acknowledged rows were lost by the servers");
    db.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_follow_patroni_s_switchover_and_the_loss_of_a_node() {
    let mut nodes = match Patroni::start() {
        Ok(nodes) => nodes,
        Err(reason) => {
            let name = "calls_follow_patroni_s_switchover_and_the_loss_of_a_node";
            underpin_testkit::skip::report_without_more(name, reason);
            return;
        }
    };
    let url = nodes.url("postgres");
    under_load(&mut nodes, url, "switchover", |nodes| {
        let leader = nodes.leader().expect("a node leads");
        let to = (leader + 1) % 3;
        nodes.switch_over(to);
        to
    })
    .await;
    nodes.await_all();
    let url = nodes.url_by_list("postgres");
    under_load(
        &mut nodes,
        url,
        "node lost, members from the list",
        |nodes| {
            let leader = nodes.leader().expect("a node leads");
            nodes.kill(leader);
            usize::MAX
        },
    )
    .await;
}
