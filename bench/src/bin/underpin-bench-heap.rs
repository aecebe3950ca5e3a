//! The heap that an idle pooled connection to PostgreSQL takes, counted by an allocator: ours
//! against the driver alone and other pools, in one process.
//!
//! For each, a pool is opened with fifty connections, each runs one statement and goes back
//! to the pool; what is then alive, less what is alive with a pool without connections, is
//! divided by fifty. The server's side is not in it. `underpin-bench pool-heap` runs it.
//!
//! An idle connection keeps three buffers of 2 KiB at the most: for reading, for writing, and for
//! what is asked next. TLS makes the task that runs the
//! connection larger by the state of the session (3 KiB), and adds rustls's read buffer (4 KiB) and
//! its keys.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use sqlx::postgres::PgPoolOptions;
use tokio_postgres::NoTls;
use underpin::{Config, Database};
use underpin_testkit::{Postgres, TestDatabase};

#[global_allocator]
static COUNTING: dhat::Alloc = dhat::Alloc;

const CONNECTIONS: usize = 50;
const SELECT: &str = "SELECT $1::int8";
const WANTED_KIB: f64 = 12.0;
const WANTED_TLS_KIB: f64 = 24.0;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let server = Postgres::builder().setting("max_connections", 200).start();
    let server = server.unwrap_or_else(|none| panic!("The benchmark needs a PostgreSQL: {none}"));
    let database = server.database("heap");
    let tls = database.url_tls("verify-full");
    let tls = tls.unwrap_or_else(|none| panic!("The benchmark needs TLS: {none}"));
    let plain = database.url();
    let ours = Count::take(async |count| open_ours(&plain, count).await).await;
    let ours_tls = Count::take(async |count| open_ours(&tls, count).await).await;
    let driver = Count::take(async |count| open_driver(&database, count).await).await;
    let deadpool = Count::take(async |count| open_deadpool(&plain, count).await).await;
    let sqlx = Count::take(async |count| open_sqlx(&plain, count).await).await;

    println!("| heap of an idle pooled connection | KiB | blocks | wanted | met |");
    println!("|-----------------------------------|----:|-------:|-------:|-----|");
    for (name, count, wanted) in [
        ("underpin", &ours, Some(WANTED_KIB)),
        (
            "underpin, TLS (verify-full)",
            &ours_tls,
            Some(WANTED_TLS_KIB),
        ),
        ("tokio-postgres alone", &driver, None),
        ("deadpool-postgres", &deadpool, None),
        ("sqlx", &sqlx, None),
    ] {
        let kib = count.bytes / 1024.0;
        let met = wanted.map_or("-", |wanted| if kib < wanted { "yes" } else { "no" });
        let wanted = wanted.map_or_else(|| "-".into(), |wanted| format!("< {wanted}"));
        let blocks = count.blocks;
        println!("| {name:<33} | {kib:>4.1} | {blocks:>6.1} | {wanted:>6} | {met:<3} |");
    }
    for (name, count) in [
        ("underpin", &ours),
        ("underpin, TLS", &ours_tls),
        ("tokio-postgres alone", &driver),
    ] {
        println!("\nWhat that of {name} consists of, by where it is allocated, in bytes:");
        for (place, bytes) in count.places.iter().take(12) {
            println!("{bytes:>8.0}  {}", shortened(place));
        }
    }
}

/// What is alive for each connection.
struct Count {
    bytes: f64,
    blocks: f64,
    /// The bytes by the code that allocates them, the most first.
    places: Vec<(String, f64)>,
}

impl Count {
    async fn take<K>(open: impl AsyncFn(usize) -> K) -> Self {
        // What is made once for the whole process is there before anything is counted.
        drop(open(1).await);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("heap.json");
        let none = Alive::with(&path, open(0)).await;
        let all = Alive::with(&path, open(CONNECTIONS)).await;
        let each = |all: u64, none: u64| (all as f64 - none as f64) / CONNECTIONS as f64;
        let mut places: Vec<_> = all
            .places
            .iter()
            .map(|(place, bytes)| {
                let before = none.places.get(place).copied().unwrap_or(0);
                (place.clone(), each(*bytes, before))
            })
            .collect();
        places.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        Count {
            bytes: each(all.bytes, none.bytes),
            blocks: each(all.blocks, none.blocks),
            places,
        }
    }
}

struct Alive {
    bytes: u64,
    blocks: u64,
    places: HashMap<String, u64>,
}

impl Alive {
    /// What is alive of all that was allocated since this was called, with a pool open.
    async fn with<K>(path: &Path, open: impl Future<Output = K>) -> Self {
        let profiler = dhat::Profiler::builder()
            .file_name(path)
            .trim_backtraces(Some(64))
            .build();
        let kept = open.await;
        // What ends by itself after the last statement has ended.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let stats = dhat::HeapStats::get();
        drop(profiler);
        drop(kept);
        // Nor is what ends with the pool part of the next count.
        tokio::time::sleep(Duration::from_millis(300)).await;
        Alive {
            bytes: stats.curr_bytes as u64,
            blocks: stats.curr_blocks as u64,
            places: places(&std::fs::read_to_string(path).unwrap()),
        }
    }
}

/// The bytes alive at the end, by the innermost function in the profile that does not just belong to
/// a container.
fn places(profile: &str) -> HashMap<String, u64> {
    let profile: Value = serde_json::from_str(profile).expect("a profile is JSON");
    let frames = profile["ftbl"].as_array().expect("it has frames");
    let mut places = HashMap::new();
    for point in profile["pps"].as_array().expect("it has points") {
        let alive = point["eb"].as_u64().unwrap_or(0);
        let of_point = point["fs"].as_array().into_iter().flatten();
        let mut names = of_point.filter_map(|at| function(frames[at.as_u64()? as usize].as_str()?));
        let place = names.find(|name| !is_container(name));
        *places
            .entry(place.unwrap_or("unknown").to_owned())
            .or_default() += alive;
    }
    places
}

/// The function without its type parameters, and the file.
fn shortened(place: &str) -> String {
    let (name, file) = place.rsplit_once(" (").unwrap_or((place, ""));
    let name = name.split_once('<').map_or(name, |(name, _)| name);
    format!("{name} ({file}")
}

/// The function and the line within a frame such as `0x55d0: spawn (src/task.rs:1:2)`.
fn function(frame: &str) -> Option<&str> {
    Some(frame.split_once(": ")?.1)
}

/// Whether the function is the allocator's or one of the standard library, `bytes` or
/// `hashbrown`, by the end of its file's path, which is all that a profile keeps.
fn is_container(function: &str) -> bool {
    const FILES: &str = "dhat- bytes- hashbrown- alloc/src/ core/src/ std/src/ /raw_vec/ \
        src/vec/ collections/ btree/ src/raw/ src/string.rs src/slice.rs src/map.rs src/boxed.rs \
        src/sync.rs iter/ src/convert/ sys/ src/intrinsics/ src/alloc/ fmt/rt.rs";
    let file = function.rsplit_once(" (").map_or("", |(_, file)| file);
    let mut containers = FILES.split_whitespace();
    function.starts_with("__rust") || containers.any(|container| file.contains(container))
}

async fn open_ours(url: &str, count: usize) -> Database {
    let config = Config::builder()
        .url(url)
        .pool_max_size(CONNECTIONS as u32)
        .build()
        .expect("the configuration is good");
    let database = Database::connect_lazy(config).expect("the configuration is good");
    let leases = join_all((0..count).map(|_| database.acquire())).await;
    let leases: Vec<_> = leases.into_iter().map(Result::unwrap).collect();
    for lease in &leases {
        lease.query_scalar::<i64>(SELECT, (1_i64,)).await.unwrap();
    }
    drop(leases);
    database
}

async fn open_driver(database: &TestDatabase, count: usize) -> Vec<impl Sized + use<>> {
    let mut clients = Vec::new();
    for _ in 0..count {
        let client = database.client().await;
        let statement = client.prepare(SELECT).await.unwrap();
        client.query_one(&statement, &[&1_i64]).await.unwrap();
        clients.push((client, statement));
    }
    clients
}

async fn open_deadpool(url: &str, count: usize) -> deadpool_postgres::Pool {
    let manager = deadpool_postgres::Manager::new(url.parse().unwrap(), NoTls);
    let pool = deadpool_postgres::Pool::builder(manager).max_size(CONNECTIONS);
    let pool = pool.build().expect("the options are good");
    let clients = join_all((0..count).map(|_| pool.get())).await;
    for client in clients {
        let client = client.unwrap();
        let statement = client.prepare_cached(SELECT).await.unwrap();
        client.query_one(&statement, &[&1_i64]).await.unwrap();
    }
    pool
}

async fn open_sqlx(url: &str, count: usize) -> sqlx::PgPool {
    let options = PgPoolOptions::new().max_connections(CONNECTIONS as u32);
    let pool = options.connect_lazy(url).expect("sqlx reads the URL");
    let connections = join_all((0..count).map(|_| pool.acquire())).await;
    let connections: Vec<_> = connections.into_iter().map(Result::unwrap).collect();
    for mut connection in connections {
        let query = sqlx::query_scalar::<_, i64>(SELECT).bind(1_i64);
        query.fetch_one(&mut *connection).await.unwrap();
    }
    pool
}
