//! The server hangs: its processes are stopped, and its system still accepts connections.

use std::time::Duration;

use tokio::task::{JoinSet, block_in_place};
use tokio::time::timeout;
use underpin::config::HealthCheck;
use underpin::{Class, Database, Effect, Error, Stage};
use underpin_testkit::{Postgres, TestDatabase, or_skip};

use super::{at_rest, fill, open};
use crate::place::eventually;

/// Longer than an attempt to connect may take, so that one has failed by then.
const PATIENCE: Duration = Duration::from_secs(3);
const ATTEMPT: Duration = Duration::from_secs(1);

/// Errors of this many simultaneous callers that each want a connection.
async fn crowd(db: &Database, callers: usize) -> Vec<Error> {
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let db = db.clone();
        tasks.spawn(async move { db.acquire().await.map(drop) });
    }
    let mut errors = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        errors.push(ended.unwrap().unwrap_err());
    }
    errors
}

fn assert_says(error: &Error, stage: Stage, parts: &[&str]) {
    assert_eq!(error.class(), Class::Timeout { stage }, "{error}");
    assert_eq!(error.effect(), Effect::NotSent, "{error}");
    let said = error.to_string();
    for part in parts {
        assert!(said.contains(part), "{part:?} is missing in: {said}");
    }
}

async fn impatient(database: &TestDatabase, connections: u32) -> Database {
    open(&database.url(), connections, |config| {
        config
            .acquire_timeout(PATIENCE)
            .connection_timeout(ATTEMPT)
            .health_check(HealthCheck::Always)
            .max_retries(100)
    })
    .await
}

/// Waits for the next attempt to connect, since the pauses have grown while the server hung.
async fn recovered(db: &Database) {
    eventually("connections are available again", async || {
        db.acquire().await.is_ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_makes_acquires_time_out_with_an_explanation() {
    let mut server = or_skip!(Postgres::start());
    let databases = ["validating", "connecting", "queueing"].map(|name| server.database(name));
    let [validating, connecting, queueing] = [
        impatient(&databases[0], 2).await,
        impatient(&databases[1], 3).await,
        impatient(&databases[2], 1).await,
    ];
    fill(&validating).await;
    let pools = [&validating, &connecting, &queueing];
    let mut held = Vec::new();
    for db in pools {
        held.push(db.acquire().await.unwrap());
    }
    let holder = format!("Held longest: {}:{} for ", file!(), line!() - 2);

    // A caller that only waits in the queue has had no trouble connecting.
    block_in_place(|| server.pause());
    let (validates, connects, queues) = tokio::join!(
        crowd(&validating, 1),
        crowd(&connecting, 5),
        crowd(&queueing, 5)
    );
    for error in &validates {
        let parts = [
            "0 µs connecting, ",
            "ms validating. The pool has 2 of at most 2",
        ];
        assert_says(error, Stage::Validate, &parts);
    }
    for error in &connects {
        let parts = [
            "ms connecting, 0 µs validating. The pool has",
            "The last connection error, ",
        ];
        assert_says(error, Stage::Connect, &parts);
        // Both the driver and the pool limit an attempt; either may report it.
        let said = error.to_string();
        let bounded = [
            "did not complete a connection within 1",
            "timed out after 1s",
        ];
        assert!(bounded.iter().any(|part| said.contains(part)), "{said}");
    }
    for error in &queues {
        let parts = [
            "ms in the queue, 0 µs connecting, 0 µs validating. \
             The pool has 1 of at most 1 connections: 0 idle, 1 in use, 0 being opened; ",
            " waiting. ",
        ];
        assert_says(error, Stage::Queue, &parts);
    }
    for error in [validates, connects, queues].iter().flatten() {
        let error = error.to_string();
        assert!(error.contains("Timed out after "), "{error}");
        assert!(error.contains(&holder), "{holder:?} is missing in: {error}");
    }
    for (db, timeouts) in pools.into_iter().zip([1, 5, 5]) {
        let metrics = db.metrics();
        assert_eq!(
            (metrics.acquire_timeouts, metrics.waiting),
            (timeouts, 0),
            "{metrics:?}"
        );
    }

    block_in_place(|| server.resume());
    drop(held);
    for (db, database) in pools.into_iter().zip(&databases) {
        at_rest(db, database).await;
        recovered(db).await;
        fill(db).await;
        db.query("SELECT 1", ()).await.unwrap();
        at_rest(db, database).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_under_way_when_the_server_hangs_leak_nothing() {
    let mut server = or_skip!(Postgres::start());
    let database = server.database("hangs_under_way");
    let observer = database.client().await;
    observer
        .batch_execute("CREATE TABLE t (n int)")
        .await
        .unwrap();
    let db = impatient(&database, 4).await;
    fill(&db).await;
    let transaction = db.begin().await.unwrap();
    transaction
        .execute("INSERT INTO t VALUES (1)", ())
        .await
        .unwrap();
    block_in_place(|| server.pause());

    let brief = db.deadline(Duration::from_millis(300));
    let mut tasks = JoinSet::new();
    for n in 2..12 {
        let brief = brief.clone();
        tasks.spawn(async move { brief.execute("INSERT INTO t VALUES ($1)", (n,)).await });
    }
    while let Some(ended) = tasks.join_next().await {
        let error = ended.unwrap().unwrap_err();
        assert!(error.is_timeout(), "{error}");
    }
    // A dropped future and a dropped transaction leave nothing behind either.
    let dropped = db.execute("INSERT INTO t VALUES (12)", ());
    assert!(timeout(Duration::from_millis(100), dropped).await.is_err());
    drop(transaction);

    block_in_place(|| server.resume());
    at_rest(&db, &database).await;
    recovered(&db).await;
    fill(&db).await;
    let ones: i64 = db
        .query_scalar("SELECT count(*) FROM t WHERE n = 1", ())
        .await
        .unwrap();
    assert_eq!(ones, 0, "the transaction was dropped");
    at_rest(&db, &database).await;
}
