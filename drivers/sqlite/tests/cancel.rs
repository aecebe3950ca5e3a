//! Deadlines, dropped futures, and interrupts that only affect their own statement.

mod common;

use std::time::{Duration, Instant};

use common::{FOREVER, call, execute, memory, one, open, rows, settled, within, writer};
use futures_util::{FutureExt, StreamExt};
use underpin_core::driver::{
    BulkTarget, Call, Connection as _, ConnectionExt as _, Pooled as _, SessionState,
};
use underpin_core::{Class, Deadline, Effect, Stage, TransactionOptions};
use underpin_sqlite::Options;
use underpin_testkit::SqliteFile;

const STATEMENT: Class = Class::Timeout {
    stage: Stage::Statement,
};

#[tokio::test]
async fn a_deadline_interrupts_the_statement() {
    let db = memory().await;
    let began = Instant::now();
    let query = Call {
        sql: FOREVER,
        params: &[],
        deadline: within(30),
        shared: false,
    };
    let error = db.query::<i64>(query, 1).await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (STATEMENT, Effect::RolledBack),
        "{error}"
    );
    assert_eq!(db.state(), SessionState::Clean);
    assert_eq!(one::<i64>(&db, "SELECT 7").await, 7);
    let error = db
        .batch(&format!("SELECT 1; {FOREVER}"), within(30))
        .await
        .unwrap_err();
    assert_eq!(error.class(), STATEMENT);
    let past = Call {
        sql: "SELECT 1",
        params: &[],
        deadline: Deadline::at(began),
        shared: false,
    };
    // The answer may have arrived just in time.
    if let Err(error) = db.execute(past).await {
        assert_eq!(error.class(), STATEMENT);
    }
}

#[tokio::test]
async fn the_statement_timeout_counts_where_it_is_earlier() {
    let file = SqliteFile::new();
    let options = Options {
        statement_timeout: Some(Duration::from_micros(300)),
        ..Options::writer()
    };
    let db = open(&file, options).await.unwrap();
    let error = db.execute(call(FOREVER, &[])).await.unwrap_err();
    assert_eq!(error.class(), STATEMENT);
}

#[tokio::test]
async fn waiting_for_a_lock_ends_at_the_deadline() {
    let file = SqliteFile::new();
    let (db, other) = (writer(&file).await, writer(&file).await);
    execute(&db, "CREATE TABLE t (a)").await.unwrap();
    db.begin(TransactionOptions::default(), Deadline::NONE)
        .await
        .unwrap();
    let insert = Call {
        sql: "INSERT INTO t VALUES (1)",
        params: &[],
        deadline: within(50),
        shared: false,
    };
    let error = other.execute(insert).await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (STATEMENT, Effect::RolledBack),
        "{error}"
    );
    assert_eq!(other.state(), SessionState::Clean);
}

#[tokio::test]
async fn an_interrupted_write_in_a_transaction_fails_the_transaction() {
    let db = memory().await;
    execute(&db, "CREATE TABLE t (a)").await.unwrap();
    db.begin(TransactionOptions::default(), Deadline::NONE)
        .await
        .unwrap();
    let sql = format!("INSERT INTO t {FOREVER}");
    let error = db
        .execute(Call {
            sql: &sql,
            params: &[],
            deadline: within(30),
            shared: false,
        })
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (STATEMENT, Effect::RolledBack)
    );
    assert_eq!(db.state(), SessionState::Failed);
    db.rollback(Deadline::NONE).await.unwrap();
    assert_eq!(db.state(), SessionState::Clean);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_dropped_futures_leave_a_connection_that_works() {
    let db = memory().await;
    execute(&db, "CREATE TABLE t (a)").await.unwrap();
    for round in 0..100_u64 {
        let wait = Duration::from_micros(round * 37 % 900);
        match round % 5 {
            0 => drop(tokio::time::timeout(wait, db.query::<i64>(call(FOREVER, &[]), 1)).await),
            1 => {
                let sql = format!("INSERT INTO t {FOREVER}");
                drop(tokio::time::timeout(wait, execute(&db, &sql)).await);
            }
            2 => {
                let begin = db.begin(TransactionOptions::default(), Deadline::NONE);
                drop(tokio::time::timeout(wait, begin).await);
            }
            3 => {
                let stream = db.stream::<i64>(call(FOREVER, &[]));
                drop(tokio::time::timeout(wait, stream).await);
            }
            _ => {
                let target = BulkTarget {
                    table: "t",
                    columns: &["a"],
                };
                let endless = (0_i64..).map(|n| (n,));
                let insert = db.bulk_insert(target, endless, Deadline::NONE);
                drop(tokio::time::timeout(wait, insert).await);
            }
        }
        if round % 2 == 0 {
            // No interrupt of a dropped statement affects the next one.
            assert_eq!(one::<i64>(&db, "SELECT 7").await, 7, "round {round}");
        }
        settled(&db).await;
        assert_eq!(db.in_flight(), 0);
        db.reset(Deadline::NONE).await.unwrap();
        assert_eq!(db.state(), SessionState::Clean, "round {round}");
    }
    assert_eq!(one::<i64>(&db, "SELECT count(*) FROM t").await, 0);
}

#[tokio::test]
async fn a_statement_dropped_before_it_began_never_runs() {
    let db = memory().await;
    execute(&db, "CREATE TABLE t (a)").await.unwrap();
    let mut long = Box::pin(db.query::<i64>(call(FOREVER, &[]), 1));
    assert!(long.as_mut().now_or_never().is_none());
    let mut queued = Box::pin(execute(&db, "INSERT INTO t VALUES (1)"));
    assert!(queued.as_mut().now_or_never().is_none());
    assert_eq!(db.in_flight(), 2);
    let late = Call {
        sql: "INSERT INTO t VALUES (2)",
        params: &[],
        deadline: within(20),
        shared: false,
    };
    let error = db.execute(late).await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (STATEMENT, Effect::NotSent)
    );
    drop(queued);
    drop(long);
    assert_eq!(settled(&db).await, SessionState::Clean);
    assert_eq!(one::<i64>(&db, "SELECT count(*) FROM t").await, 0);
}

#[tokio::test]
async fn a_commit_that_is_dropped_is_not_interrupted() {
    let file = SqliteFile::new();
    let db = writer(&file).await;
    execute(&db, "CREATE TABLE t (a)").await.unwrap();
    for _ in 0..20 {
        execute(&db, "DELETE FROM t").await.unwrap();
        db.begin(TransactionOptions::default(), Deadline::NONE)
            .await
            .unwrap();
        execute(&db, "INSERT INTO t VALUES (1)").await.unwrap();
        let mut commit = Box::pin(db.commit());
        let _ = commit.as_mut().now_or_never();
        drop(commit);
        assert_eq!(settled(&db).await, SessionState::Clean);
        assert_eq!(rows::<i64>(&db, "SELECT a FROM t").await, [1]);
    }
}

#[tokio::test]
async fn a_stream_past_its_deadline_ends_with_an_error() {
    let db = memory().await;
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    let stream = db.stream::<i64>(Call {
        sql: endless,
        params: &[],
        deadline: within(50),
        shared: false,
    });
    let (columns, mut rows) = stream.await.unwrap();
    assert_eq!(columns.0[0].name, "i");
    let error = loop {
        if let Err(error) = rows.next().await.expect("it does not end by itself") {
            break error;
        }
    };
    assert_eq!(error.class(), STATEMENT);
    assert!(rows.next().await.is_none());
    assert_eq!(db.state(), SessionState::Clean);
}

#[tokio::test]
async fn closing_is_bounded() {
    let db = memory().await;
    let (end, ended) = std::sync::mpsc::channel::<()>();
    // Ends when the test lets it, and only then.
    let mut long = Box::pin(db.with_client(Deadline::NONE, move |_| ended.recv()));
    assert!(long.as_mut().now_or_never().is_none());
    drop(long);
    Box::new(db).close(within(50)).await;
    drop(end);
}
