//! A program of its own, whose allocator counts.

use std::sync::Arc;

use underpin_core::driver::{Call, ConnectionExt as _, Connector as _};
use underpin_core::{Deadline, Endpoint, Secret, TlsMode, TlsOptions, Value};
use underpin_postgres::{Connection, Connector, Options};
use underpin_testkit::{Postgres, or_skip};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const TASKS: u64 = 8;
const EACH: u64 = 500;
/// The future behind the driver trait, the caller's rows and the future that fills them.
const WANTED: u64 = 3;

/// Many tasks run a prepared statement in a lane, over and over.
async fn run(connection: &Arc<Connection>, count: u64) {
    let tasks = (0..TASKS).map(|task| {
        let connection = Arc::clone(connection);
        tokio::spawn(async move {
            for n in 0..count {
                let params = [Value::I64((task * count + n) as i64)];
                let call = Call {
                    sql: "SELECT $1::int8",
                    params: &params,
                    deadline: Deadline::NONE,
                    shared: true,
                };
                let rows = connection.query::<i64>(call, 2).await.unwrap();
                assert_eq!(rows, [(task * count + n) as i64]);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

/// The size of a connection without the pool's part of it.
const IDLE: u64 = 12 * 1024;
const CONNECTIONS: usize = 20;

/// Counted on one thread, so that nothing else allocates.
#[tokio::test]
async fn a_statement_in_a_lane_and_an_idle_connection_take_little() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("allocations");
    let options = Options {
        database: Some(database.name().to_owned()),
        user: server.user().to_owned(),
        password: Secret::new(server.password()),
        tls: TlsOptions::new(TlsMode::Disable),
        ..Options::default()
    };
    let endpoint = Endpoint::tcp(server.host(), server.port());
    let connector = Connector::new([endpoint], options).unwrap();
    let open = async || Arc::new(connector.connect(Deadline::NONE).await.unwrap());
    let connection = open().await;
    run(&connection, EACH).await;
    let profiler = dhat::Profiler::builder().testing().build();
    let before = dhat::HeapStats::get().total_blocks;
    run(&connection, EACH).await;
    let blocks = dhat::HeapStats::get().total_blocks - before;
    let before = dhat::HeapStats::get().curr_bytes;
    let mut idle = Vec::new();
    for _ in 0..CONNECTIONS {
        let connection = open().await;
        run(&connection, 1).await;
        idle.push(connection);
    }
    // The last answer is released when the connection's task runs again.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    let held = (dhat::HeapStats::get().curr_bytes - before) / CONNECTIONS;
    drop(profiler);
    let statements = TASKS * EACH;
    println!("{blocks} blocks for {statements} statements");
    println!("{held} bytes for an idle connection");
    assert!(held as u64 <= IDLE, "{held} bytes for an idle connection");
    // A tenth more is for the tasks, and for buffers that many statements share.
    assert!(
        blocks <= statements * WANTED + statements / 10,
        "{blocks} blocks for {statements} statements"
    );
}
