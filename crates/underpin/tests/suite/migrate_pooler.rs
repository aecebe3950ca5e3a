//! Migrations behind a PgBouncer, and those that wait for one another.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use underpin::migrate::{Migrator, Progress, Wait};
use underpin::{Class, Config, Error};
use underpin_testkit::{PgBouncer, Postgres, TestDatabase, or_skip};

use crate::migrate::{chain, migrator};
use crate::place::{InPlace, Place};

const TEXTS: [&str; 3] = [
    "-- up\nCREATE TABLE t (n int);\n-- down\nDROP TABLE t;\n",
    "-- up no-transaction\nINSERT INTO t VALUES (1);\nSELECT pg_sleep(0.2);\nINSERT INTO t VALUES (2);\n-- down\n",
    "-- up\nINSERT INTO t VALUES (3);\n-- down\n",
];

async fn ten_runs(url: &str) -> Vec<Result<usize, Error>> {
    let runs = (0..10).map(|_| {
        let ours = Migrator::new(url).unwrap().revisions(chain(&TEXTS));
        tokio::spawn(async move { ours.up("head").await.map(|report| report.revisions.len()) })
    });
    join_all(runs)
        .await
        .into_iter()
        .map(|run| run.unwrap())
        .collect()
}

async fn advisory_locks(database: &TestDatabase) -> i64 {
    let client = database.client().await;
    let sql = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    client.query_one(sql, &[]).await.unwrap().get(0)
}

async fn tables(database: &TestDatabase) -> i64 {
    let client = database.client().await;
    let sql = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    client.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_session_mode_ten_concurrent_runs_are_one() {
    let server = or_skip!(Postgres::shared());
    let bouncer = PgBouncer::builder().setting("pool_mode", "session");
    let bouncer = or_skip!(bouncer.setting("default_pool_size", 30).start(server));
    let database = server.database("runs_session");
    let applied: usize = ten_runs(&bouncer.url(&database))
        .await
        .into_iter()
        .map(Result::unwrap)
        .sum();
    assert_eq!(applied, 3);
    let client = database.client().await;
    let rows = client
        .query("SELECT n FROM t ORDER BY n", &[])
        .await
        .unwrap();
    let rows: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(rows, [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_transaction_mode_all_are_refused_with_the_same_sentence() {
    let server = or_skip!(Postgres::shared());
    for size in [1, 4, 20] {
        let bouncer = PgBouncer::builder().setting("default_pool_size", size);
        let bouncer = or_skip!(bouncer.start(server));
        let database = server.database("runs_transaction");
        let mut said = Vec::new();
        for run in ten_runs(&bouncer.url(&database)).await {
            let error = run.unwrap_err();
            assert_eq!(error.class(), Class::Config, "{error}");
            said.push(error.to_string());
        }
        said.dedup();
        assert_eq!(said.len(), 1, "{said:#?}");
        assert!(
            said[0].contains("pooler in transaction mode")
                && said[0].contains("MIGRATE_DATABASE_URL"),
            "{said:?}"
        );
        assert_eq!(advisory_locks(&database).await, 0);
        assert_eq!(tables(&database).await, 0);

        // The way out, beside the URL of the service.
        let config = Config::builder()
            .url(bouncer.url(&database))
            .migrate_url(database.url())
            .build()
            .unwrap();
        let ours = Migrator::new(config).unwrap().revisions(chain(&TEXTS));
        assert_eq!(ours.up("head").await.unwrap().revisions.len(), 3);
        assert_eq!(advisory_locks(&database).await, 0);
    }
}

/// Keeps what a run waits for.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Progress for Heard {
    fn waiting(&self, wait: &Wait) {
        self.0.lock().unwrap().push(wait.to_string());
    }
}

#[tokio::test]
async fn another_run_is_waited_for_with_a_limit_and_its_holder_is_named() {
    for place in Place::each("wait_limit") {
        let slow = migrator(&place, &["-- up code\n-- down code\n"]);
        let begun = Arc::new(tokio::sync::Notify::new());
        let end = Arc::new(tokio::sync::Notify::new());
        let (has_begun, may_end) = (Arc::clone(&begun), Arc::clone(&end));
        let slow = slow
            .code(
                "r0",
                move |_| {
                    let (begun, end) = (Arc::clone(&begun), Arc::clone(&end));
                    async move {
                        begun.notify_one();
                        end.notified().await;
                        Ok(())
                    }
                },
                |_| async { Ok(()) },
            )
            .unwrap();
        let run = tokio::spawn(async move { slow.up("head").await });
        has_begun.notified().await;

        let heard = Heard::default();
        let next = migrator(&place, &["-- up\nSELECT 1;\n-- down\n"]);
        let next = next
            .wait(Duration::from_millis(100))
            .progress(heard.clone());
        let error = next.up("head").await.unwrap_err();
        assert!(error.is_timeout(), "{error}");
        let said = error.to_string();
        let holder = match &place {
            Place::Postgres(database) => {
                let client = database.client().await;
                let sql = "SELECT pid, application_name FROM pg_stat_activity
                    WHERE datname = current_database() AND application_name = 'underpin migrate'
                      AND state LIKE 'idle in transaction%'";
                let row = client.query_one(sql, &[]).await.unwrap();
                format!(
                    "process {} of `{}`",
                    row.get::<_, i32>(0),
                    row.get::<_, String>(1)
                )
            }
            Place::Sqlite(_) => format!("process {}", std::process::id()),
        };
        for part in ["waiting for another run", &holder, "--wait"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        let heard = heard.0.lock().unwrap().clone();
        let told = heard.iter().filter(|line| line.contains(&holder));
        assert!(told.count() > 0, "{heard:?}");
        end_of(may_end, run).await;
    }
}

async fn end_of<T>(
    may_end: Arc<tokio::sync::Notify>,
    run: tokio::task::JoinHandle<underpin::Result<T>>,
) {
    may_end.notify_one();
    run.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_revision_that_frees_the_lock_does_not_lose_it() {
    for place in Place::each("lock_freed") {
        let Place::Postgres(database) = &place else {
            continue;
        };
        let texts = [
            "-- up no-transaction\nSELECT pg_advisory_unlock_all();\n-- down\n",
            "-- up code\n-- down code\n",
        ];
        let url = database.url();
        let ours = migrator(&place, &texts)
            .code(
                "r1",
                move |_| {
                    let url = url.clone();
                    async move {
                        let other = underpin::Connection::connect(url).await?;
                        let taken: bool = other
                            .query_scalar(
                                "SELECT pg_try_advisory_lock($1)",
                                (i64::from_be_bytes(*b"underpin"),),
                            )
                            .await?;
                        assert!(!taken, "another run would begin");
                        Ok(())
                    }
                },
                |_| async { Ok(()) },
            )
            .unwrap();
        assert_eq!(ours.up("head").await.unwrap().revisions.len(), 2);
        assert_eq!(advisory_locks(database).await, 0);
        let _ = place.open().await;
    }
}
