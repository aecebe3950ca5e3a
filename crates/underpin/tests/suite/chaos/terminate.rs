//! An administrator ends sessions of the pool.

use underpin::{Class, Database, Effect, Error};
use underpin_testkit::{Postgres, TestDatabase, or_skip};

use super::{at_rest, fill, open};
use crate::place::eventually;

/// Ends all idle sessions while the test's own runtime does not run: this side has not seen the end
/// of any connection when the next statement comes.
fn terminate_unseen(database: &TestDatabase) -> usize {
    std::thread::scope(|scope| {
        let administrator = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let idle = database.sessions("state = 'idle'").await;
                database.terminate(&idle).await;
                idle.len()
            })
        });
        administrator.join().unwrap()
    })
}

async fn scene(server: &'static Postgres, test: &str) -> (TestDatabase, Database) {
    let database = server.database(test);
    let table = "CREATE TABLE t (n int PRIMARY KEY); INSERT INTO t VALUES (0), (-1), (-2)";
    database.client().await.batch_execute(table).await.unwrap();
    let db = open(&database.url(), 4, |config| config).await;
    (database, db)
}

#[tokio::test]
async fn ended_idle_sessions_cost_no_statement_an_error() {
    let server = or_skip!(Postgres::shared());
    let (database, db) = scene(server, "ended_idle").await;
    const INSERT: &str = "INSERT INTO t VALUES ($1)";
    for round in 1..=6 {
        fill(&db).await;
        // Prepared on some of them, so that the statement itself is sent.
        for _ in 0..8 {
            db.query("SELECT n FROM t", ()).await.unwrap();
        }
        assert_eq!(terminate_unseen(&database), 4);
        // The first use of a dead connection is a different call each time.
        match round {
            1 => drop(db.query("SELECT n FROM t", ()).await.unwrap()),
            2 => drop(db.execute(INSERT, (round,)).await.unwrap()),
            3 => drop(
                db.transaction(async |tx| tx.execute(INSERT, (round,)).await)
                    .await
                    .unwrap(),
            ),
            4 => {
                let lease = db.acquire().await.unwrap();
                lease.execute(INSERT, (round,)).await.unwrap();
            }
            5 => {
                let mut rows = db.query_stream::<i32>("SELECT n FROM t", ()).await.unwrap();
                while let Some(row) = rows.next().await {
                    row.unwrap();
                }
            }
            _ => {
                let many = (0..8).map(|n| {
                    let db = db.clone();
                    tokio::spawn(async move { db.execute(INSERT, (100 + n,)).await })
                });
                for one in many.collect::<Vec<_>>() {
                    one.await.unwrap().unwrap();
                }
            }
        }
        at_rest(&db, &database).await;
    }
    let rows: i64 = db.query_scalar("SELECT count(*) FROM t", ()).await.unwrap();
    assert_eq!(rows, 3 + 3 + 8, "each insert ran once");
    assert_eq!(db.metrics().failed_queries, 0);
    at_rest(&db, &database).await;
}

/// The session that runs this statement, once it does.
async fn session_of(database: &TestDatabase, text: &str) -> i32 {
    let condition = format!("state = 'active' AND query LIKE '%{text}%'");
    let mut found = Vec::new();
    eventually("the statement is under way", async || {
        found = database.sessions(&condition).await;
        found.len() == 1
    })
    .await;
    found[0]
}

#[tokio::test]
async fn ended_busy_sessions_cost_exactly_their_own_statements() {
    let server = or_skip!(Postgres::shared());
    let (database, db) = scene(server, "ended_busy").await;
    let spawn = |sql: &'static str| {
        let db = db.clone();
        tokio::spawn(async move { db.execute(sql, ()).await })
    };
    // One at a time, so that no two of them share a connection.
    let write = spawn("UPDATE t SET n = 10 WHERE n = 0 AND pg_sleep(60) IS NOT NULL");
    let mut ended = vec![session_of(&database, "n = 10").await];
    let read = spawn("SELECT 11, pg_sleep(60)");
    ended.push(session_of(&database, "SELECT 11").await);
    let within = db.begin().await.unwrap();
    within
        .execute("UPDATE t SET n = 12 WHERE n = -1", ())
        .await
        .unwrap();
    let within = tokio::spawn(async move {
        let failed = within.execute("SELECT 13, pg_sleep(60)", ()).await;
        (failed, within.commit().await)
    });
    ended.push(session_of(&database, "SELECT 13").await);
    let bystander = db.begin().await.unwrap();
    bystander
        .execute("UPDATE t SET n = 14 WHERE n = -2", ())
        .await
        .unwrap();

    database.terminate(&ended).await;
    let (failed, commit) = within.await.unwrap();
    for error in [write.await.unwrap(), read.await.unwrap(), failed].map(Result::unwrap_err) {
        assert_terminated(&error);
    }
    let commit = commit.unwrap_err();
    assert_eq!(commit.effect(), Effect::NotSent, "{commit}");
    assert_eq!(commit.class(), Class::Connect, "{commit}");
    bystander.execute("SELECT 15", ()).await.unwrap();
    bystander.commit().await.unwrap();
    assert_eq!(db.metrics().failed_queries, 3);

    let rows: Vec<i32> = db.query_as("SELECT n FROM t ORDER BY n", ()).await.unwrap();
    assert_eq!(rows, [-1, 0, 14]);
    at_rest(&db, &database).await;
}

fn assert_terminated(error: &Error) {
    assert_eq!(error.class(), Class::Connect, "{error}");
    assert_eq!(error.sqlstate(), Some("57P01"), "{error}");
    assert_eq!(error.effect(), Effect::RolledBack, "{error}");
    let said = "terminating connection due to administrator command";
    assert!(error.to_string().contains(said), "{error}");
}
