//! Statements that share connections: what they gain, and what must not get lost.

use std::time::Duration;

use tokio::time::timeout;
use underpin::{Class, Database, Effect};
use underpin_testkit::{Postgres, TestDatabase, or_skip};

use crate::chaos::{at_rest, fill, open};
use crate::place::{InPlace, Place, eventually};

const NUMBER: &str = "SELECT $1::int8";
const ROWS: &str = "SELECT n FROM numbers ORDER BY n";

/// A database whose statements are known to be quick.
async fn warm(server: &Postgres, test: &str, connections: u32) -> (TestDatabase, Database) {
    let database = server.database(test);
    let tables = "CREATE TABLE numbers (n int8 PRIMARY KEY); INSERT INTO numbers VALUES (1), (2);
        CREATE TABLE other (n int8 PRIMARY KEY)";
    database.client().await.batch_execute(tables).await.unwrap();
    let db = open(&database.url(), connections, |config| config).await;
    fill(&db).await;
    for n in 0..20 {
        assert_eq!(db.query_scalar::<i64>(NUMBER, (n,)).await.unwrap(), n);
        db.query(ROWS, ()).await.unwrap();
    }
    (database, db)
}

fn lanes(db: &Database) -> usize {
    db.statistics()[0].lanes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_share_a_few_connections_and_each_gets_its_own_answer() {
    let server = or_skip!(Postgres::shared());
    let (database, db) = warm(server, "lanes_many", 8).await;
    let acquired = db.statistics()[0].acquired_total;
    let tasks: Vec<_> = (0..64)
        .map(|task: i64| {
            let db = db.clone();
            tokio::spawn(async move {
                for n in 0..50 {
                    let asked = task * 1000 + n;
                    let sql = if n % 7 == 0 {
                        "SELECT 1 / ($1::int8 - $1)"
                    } else {
                        NUMBER
                    };
                    match db.query_scalar::<i64>(sql, (asked,)).await {
                        Ok(answer) => assert_eq!(answer, asked),
                        Err(error) => {
                            assert_eq!(n % 7, 0, "{error}");
                            assert_eq!(error.class(), Class::Data);
                            assert_eq!(error.effect(), Effect::RolledBack);
                        }
                    }
                }
                lanes(&db)
            })
        })
        .collect();
    let mut most = 0;
    for task in tasks {
        most = most.max(task.await.unwrap());
    }
    assert!((1..=4).contains(&most), "{most} lanes");
    let leased = db.statistics()[0].acquired_total - acquired;
    assert!(
        leased < 64 * 50 / 2,
        "{leased} of 3200 statements had a lease of their own"
    );
    at_rest(&db, &database).await;
}

#[tokio::test]
async fn a_dropped_statement_does_not_harm_its_neighbors() {
    let server = or_skip!(Postgres::shared());
    let (database, db) = warm(server, "lanes_dropped", 4).await;
    let owner = db.begin().await.unwrap();
    owner
        .batch("LOCK TABLE numbers IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let waits = timeout(Duration::from_millis(30), db.query(ROWS, ()));
    let neighbors = async {
        for n in 0..50 {
            assert_eq!(db.query_scalar::<i64>(NUMBER, (n,)).await.unwrap(), n);
        }
    };
    let (waited, ()) = tokio::join!(waits, neighbors);
    assert!(waited.is_err(), "the lock is held");
    owner.rollback().await.unwrap();
    assert_eq!(db.query(ROWS, ()).await.unwrap().len(), 2);
    at_rest(&db, &database).await;
}

#[tokio::test]
async fn a_statement_behind_one_that_waits_for_a_lock_is_sent_on_another_connection() {
    let server = or_skip!(Postgres::shared());
    let (database, db) = warm(server, "lanes_behind", 4).await;
    let owner = db.begin().await.unwrap();
    owner
        .batch("ALTER TABLE numbers ADD COLUMN note text")
        .await
        .unwrap();
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let db = db.clone();
        waiting.push(tokio::spawn(async move { db.query(ROWS, ()).await }));
    }
    tokio::task::yield_now().await;
    // The owner's own task queries outside its transaction, possibly behind statements that wait
    // for it.
    for n in 0..20 {
        let asked = timeout(
            Duration::from_secs(10),
            db.query_scalar::<i64>(NUMBER, (n,)),
        );
        assert_eq!(asked.await.expect("it is answered").unwrap(), n);
    }
    assert!(waiting.iter().all(|task| !task.is_finished()));
    owner.commit().await.unwrap();
    for task in waiting {
        assert_eq!(task.await.unwrap().unwrap().len(), 2);
    }
    at_rest(&db, &database).await;
}

#[tokio::test]
async fn a_statement_past_its_deadline_does_not_harm_its_neighbors() {
    let server = or_skip!(Postgres::shared());
    let (database, db) = warm(server, "lanes_deadline", 4).await;
    let owner = db.begin().await.unwrap();
    owner
        .batch("LOCK TABLE numbers IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let hurried = db.deadline(Duration::from_millis(50));
    for round in 0..5 {
        let (late, answers) = tokio::join!(hurried.query(ROWS, ()), async {
            let mut answers = 0;
            for n in 0..20 {
                answers += i64::from(db.query_scalar::<i64>(NUMBER, (n,)).await.unwrap() == n);
            }
            answers
        });
        let late = late.unwrap_err();
        assert!(
            matches!(late.class(), Class::Timeout { .. }),
            "{round}: {late}"
        );
        assert_eq!(answers, 20);
    }
    owner.rollback().await.unwrap();
    assert_eq!(db.query(ROWS, ()).await.unwrap().len(), 2);
    at_rest(&db, &database).await;
}

#[tokio::test]
async fn session_changes_do_not_reach_other_callers() {
    let server = or_skip!(Postgres::shared());
    let (database, db) = warm(server, "lanes_session", 4).await;
    let before: String = db.query_scalar("SHOW work_mem", ()).await.unwrap();
    for sql in [
        "SET work_mem = '77MB'",
        "SELECT set_config('work_mem', '78MB', false)",
        "CREATE TEMPORARY TABLE numbers (n int8)",
        "LISTEN news",
    ] {
        db.execute(sql, ()).await.unwrap();
        for n in 0..8 {
            assert_eq!(db.query_scalar::<i64>(NUMBER, (n,)).await.unwrap(), n);
            assert_eq!(db.query(ROWS, ()).await.unwrap().len(), 2, "after {sql}");
            let now: String = db.query_scalar("SHOW work_mem", ()).await.unwrap();
            assert_eq!(now, before, "after {sql}");
        }
    }
    at_rest(&db, &database).await;
}

#[tokio::test]
async fn a_transaction_begun_by_a_statement_alone_is_refused() {
    for place in Place::each("lanes_begin") {
        let db = place.open().await;
        db.execute("CREATE TABLE t (n int)", ()).await.unwrap();
        let error = db.execute("BEGIN", ()).await.unwrap_err();
        assert_eq!(error.class(), Class::Unsupported);
        assert_eq!(error.effect(), Effect::RolledBack);
        assert!(error.to_string().contains("transaction()"), "{error}");
        // A transaction may begin and end within one call.
        db.batch("BEGIN; INSERT INTO t VALUES (1); COMMIT")
            .await
            .unwrap();
        let error = db
            .batch("BEGIN; INSERT INTO t VALUES (2)")
            .await
            .unwrap_err();
        assert_eq!(
            (error.class(), error.effect()),
            (Class::Unsupported, Effect::Unknown)
        );
        eventually("the session is clean again", async || {
            db.metrics().active_connections == 0
        })
        .await;
        let rows: i64 = db.query_scalar("SELECT count(*) FROM t", ()).await.unwrap();
        assert_eq!(rows, 1);
    }
}

#[tokio::test]
async fn each_exclusive_statement_has_its_own_connection() {
    let server = or_skip!(Postgres::shared());
    let (database, shared) = warm(server, "lanes_off", 4).await;
    let off = open(&database.url(), 4, |config| config.pipelining(false)).await;
    for db in [off, shared.exclusive()] {
        eventually("no lane is left", async || lanes(&db) == 0).await;
        let asked = (0..40).map(|n: i64| {
            let db = db.clone();
            tokio::spawn(async move {
                assert_eq!(db.query_scalar::<i64>(NUMBER, (n,)).await.unwrap(), n);
                lanes(&db)
            })
        });
        for task in asked.collect::<Vec<_>>() {
            assert_eq!(task.await.unwrap(), 0);
        }
        db.close(Duration::from_secs(10)).await.unwrap();
    }
}

#[tokio::test]
async fn the_future_of_a_call_is_small() {
    let db = Database::connect_lazy("postgres://app@localhost/shop").unwrap();
    let sizes = [
        size_of_val(&db.query_scalar::<i64>(NUMBER, (1_i64,))),
        size_of_val(&db.query(ROWS, ())),
        size_of_val(&db.execute("DELETE FROM numbers", ())),
    ];
    // Each future is moved a few times on its way into a task.
    assert!(sizes.iter().all(|size| *size < 4096), "{sizes:?}");
}
