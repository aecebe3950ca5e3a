//! A future dropped at any of its await points leaks nothing: the counts are correct afterwards and
//! no transaction stays open on the server.

use std::future::Future;
use std::task::Poll;
use std::time::Duration;

use underpin::{Class, Database, Stage};
use underpin_testkit::{Postgres, TestDatabase, or_skip};

use crate::place::{eventually, open_transactions, server_connections, small};

/// Polls the future `polls` times and drops it; returns whether it completed before.
async fn drop_after(polls: usize, future: impl Future) -> bool {
    let mut future = std::pin::pin!(future);
    let mut seen = 0;
    let finished = std::future::poll_fn(|context| {
        if future.as_mut().poll(context).is_ready() {
            return Poll::Ready(true);
        }
        seen += 1;
        if seen >= polls {
            Poll::Ready(false)
        } else {
            Poll::Pending
        }
    });
    finished.await
}

async fn settled(db: &Database, database: &TestDatabase) {
    eventually("nobody holds a connection", async || {
        let metrics = db.metrics();
        metrics.active_connections == 0 && metrics.waiting == 0
    })
    .await;
    eventually("no transaction is open on the server", async || {
        open_transactions(database).await == 0
    })
    .await;
    eventually(
        "the pool and the server count the same connections",
        async || server_connections(database).await == db.metrics().pool_size as i64,
    )
    .await;
    let metrics = db.metrics();
    assert!(metrics.pool_size <= 2, "{metrics:?}");
}

/// Drops the futures of `make` after the first poll, the second, and so on until one completes.
async fn sweep<F: Future>(db: &Database, database: &TestDatabase, make: impl Fn(Database) -> F) {
    for polls in 1..200 {
        let finished = drop_after(polls, make(db.clone())).await;
        settled(db, database).await;
        if finished {
            return;
        }
    }
    panic!("the future never finished");
}

async fn scene(server: &'static Postgres, test: &str) -> (TestDatabase, Database) {
    let database = server.database(test);
    let client = database.client().await;
    client
        .batch_execute("CREATE TABLE t (n int)")
        .await
        .unwrap();
    let db = small(&database.url(), 2).await;
    (database, db)
}

#[tokio::test]
async fn dropped_acquire() {
    let server = or_skip!(Postgres::shared());
    let (database, db) = scene(server, "dropped_acquire").await;
    sweep(&db, &database, |db: Database| async move {
        drop(db.acquire().await)
    })
    .await;
    // The same while other callers hold all connections.
    let (a, b) = (db.acquire().await.unwrap(), db.acquire().await.unwrap());
    for _ in 0..10 {
        assert!(!drop_after(1, db.acquire()).await);
    }
    drop((a, b));
    settled(&db, &database).await;
}

#[tokio::test]
async fn dropped_query() {
    let server = or_skip!(Postgres::shared());
    let (database, db) = scene(server, "dropped_query").await;
    sweep(&db, &database, |db: Database| async move {
        let sql = "SELECT n, pg_sleep(0.001) IS NULL FROM generate_series(1, 3) AS n";
        drop(db.query(sql, ()).await);
    })
    .await;
    // A statement that would run for a long time is canceled on the server.
    let sleeping = db.query("SELECT pg_sleep(3600)", ());
    assert!(
        tokio::time::timeout(Duration::from_millis(50), sleeping)
            .await
            .is_err()
    );
    settled(&db, &database).await;
}

#[tokio::test]
async fn dropped_begin() {
    let server = or_skip!(Postgres::shared());
    let (database, db) = scene(server, "dropped_begin").await;
    sweep(&db, &database, |db: Database| async move {
        drop(db.begin().await)
    })
    .await;
}

#[tokio::test]
async fn dropped_transaction() {
    let server = or_skip!(Postgres::shared());
    let (database, db) = scene(server, "dropped_transaction").await;
    sweep(&db, &database, |db: Database| async move {
        db.transaction(async |tx| tx.execute("INSERT INTO t VALUES (1)", ()).await)
            .await
            .unwrap();
    })
    .await;
    // Only the transaction that completed, and those dropped after their COMMIT was sent.
    let rows: i64 = db.query_scalar("SELECT count(*) FROM t", ()).await.unwrap();
    assert!(rows >= 1);
}

#[tokio::test]
async fn dropped_commit() {
    let server = or_skip!(Postgres::shared());
    let (database, db) = scene(server, "dropped_commit").await;
    for polls in 1..200 {
        let tx = db.begin().await.unwrap();
        tx.execute("INSERT INTO t VALUES (2)", ()).await.unwrap();
        let finished = drop_after(polls, tx.commit()).await;
        settled(&db, &database).await;
        if finished {
            return;
        }
    }
    panic!("the commit never finished");
}

#[tokio::test]
async fn a_dropped_savepoint_is_rolled_back_before_the_next_statement() {
    let server = or_skip!(Postgres::shared());
    let (_database, db) = scene(server, "dropped_savepoint").await;
    let tx = db.begin().await.unwrap();
    tx.execute("INSERT INTO t VALUES (1)", ()).await.unwrap();
    let inner = tx.savepoint().await.unwrap();
    inner.execute("INSERT INTO t VALUES (2)", ()).await.unwrap();
    drop(inner);
    tx.execute("INSERT INTO t VALUES (3)", ()).await.unwrap();
    tx.commit().await.unwrap();
    let kept: Vec<i32> = db.query_as("SELECT n FROM t ORDER BY n", ()).await.unwrap();
    assert_eq!(kept, [1, 3]);
}

#[tokio::test]
async fn a_dropped_stream_gives_its_connection_back() {
    let server = or_skip!(Postgres::shared());
    let (database, db) = scene(server, "dropped_stream").await;
    for rows in [0, 1, 100] {
        let sql = "SELECT n FROM generate_series(1, 10000000) AS n";
        let mut stream = db.query_stream::<i32>(sql, ()).await.unwrap();
        for _ in 0..rows {
            stream.next().await.unwrap().unwrap();
        }
        drop(stream);
        settled(&db, &database).await;
    }
}

#[tokio::test]
async fn a_sleep_ends_by_the_statement_timeout() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("statement_timeout");
    // A limit of less than a millisecond is rounded up: 0 would mean no limit.
    let settings = [("50ms", "50ms"), ("100us", "1ms")];
    for (limit, expected) in settings {
        let url = format!("{}&statement_timeout={limit}&max_retries=0", database.url());
        let db = Database::connect(url).await.unwrap();
        // Hardly any query is certain to complete within the smallest limit: a slow machine may not
        // even prepare a statement in time. The query is therefore repeated until it completes.
        let mut tries = 0;
        let own = loop {
            match db
                .query_scalar::<String>("SHOW statement_timeout", ())
                .await
            {
                Ok(own) => break own,
                Err(error) => assert_eq!(error.sqlstate(), Some("57014"), "{error}"),
            }
            tries += 1;
            assert!(tries < 1000, "the limit is never told");
        };
        assert_eq!(own, expected);
        let error = db.execute("SELECT pg_sleep(3600)", ()).await.unwrap_err();
        assert_eq!(
            error.class(),
            Class::Timeout {
                stage: Stage::Statement
            },
            "{error}"
        );
        assert_eq!(error.sqlstate(), Some("57014"));
    }
}

#[tokio::test]
async fn a_deadline_cancels_on_the_server_and_keeps_the_connection() {
    let server = or_skip!(Postgres::shared());
    let (database, db) = scene(server, "deadline").await;
    let soon = db.deadline(Duration::from_millis(100));
    let error = soon.execute("SELECT pg_sleep(3600)", ()).await.unwrap_err();
    assert_eq!(
        error.class(),
        Class::Timeout {
            stage: Stage::Statement
        },
        "{error}"
    );
    settled(&db, &database).await;
    assert_eq!(db.metrics().total_connections, 1);
}

#[tokio::test]
async fn a_deadline_interrupts_sqlite() {
    let db = Database::connect("sqlite::memory:").await.unwrap();
    let endless =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let error = db
        .deadline(Duration::from_millis(50))
        .query(endless, ())
        .await
        .unwrap_err();
    assert_eq!(
        error.class(),
        Class::Timeout {
            stage: Stage::Statement
        },
        "{error}"
    );
    // If it is dropped instead of timing out, it ends as well: the only connection is free again.
    let dropped = db.query(endless, ());
    assert!(
        tokio::time::timeout(Duration::from_millis(50), dropped)
            .await
            .is_err()
    );
    assert_eq!(db.query_scalar::<i64>("SELECT 1", ()).await.unwrap(), 1);
}
