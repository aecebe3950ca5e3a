//! Migrations that meet each other, or a service in use.

use std::time::Duration;

use futures_util::future::join_all;
use underpin::migrate::Mode;
use underpin::{Class, Engine};

use crate::migrate::migrator;
use crate::place::{InPlace, Place, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_runs_do_not_race() {
    for place in Place::each("race") {
        for mode in [Mode::OneTransaction, Mode::PerRevision] {
            let name = match mode {
                Mode::OneTransaction => "one",
                Mode::PerRevision => "each",
            };
            let table = |n: usize| {
                format!(
                    "-- up\nCREATE TABLE {name}{n} (a integer);\nINSERT INTO {name}{n} VALUES (1);\n-- down\nDROP TABLE {name}{n};\n"
                )
            };
            let texts: Vec<String> = (0..8).map(table).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let ours = migrator(&place, &texts).mode(mode);
            let runs = (0..10).map(|_| {
                let ours = ours.clone();
                tokio::spawn(async move { ours.up("head").await })
            });
            let mut applied = 0;
            for run in join_all(runs).await {
                applied += run.unwrap().unwrap().revisions.len();
            }
            assert_eq!(applied, 8);
            let db = place.open().await;
            let rows: i64 = db
                .query_scalar(&format!("SELECT count(*) FROM {name}7"), ())
                .await
                .unwrap();
            assert_eq!(rows, 1);
            ours.down("base").await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_lock_does_not_deadlock_create_index_concurrently() {
    for place in Place::each("concurrently") {
        if place.engine() != Engine::POSTGRES {
            continue;
        }
        let texts = [
            "-- up\nCREATE TABLE t (a integer);\nINSERT INTO t SELECT generate_series(1, 1000);\n-- down\n",
            "-- up no-transaction\nSELECT pg_sleep(0.5);\nCREATE INDEX CONCURRENTLY t_a ON t (a);\n-- down\n",
        ];
        let ours = migrator(&place, &texts);
        let runs = (0..6).map(|_| {
            let ours = ours.clone();
            tokio::spawn(async move { ours.up("head").await })
        });
        let applied: usize = join_all(runs)
            .await
            .into_iter()
            .map(|run| run.unwrap().unwrap().revisions.len())
            .sum();
        assert_eq!(applied, 2);
        let db = place.open().await;
        let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a'::regclass";
        assert!(db.query_scalar::<bool>(valid, ()).await.unwrap());
    }
}

#[tokio::test]
async fn a_table_that_is_in_use_is_waited_for_and_not_for_ever() {
    for place in Place::each("lock_timeout") {
        let texts = [
            "-- up\nCREATE TABLE t (a integer);\n-- down\n",
            "-- up\nALTER TABLE t ADD COLUMN b integer;\n-- down\n",
        ];
        let ours = migrator(&place, &texts)
            .lock_timeout(Duration::from_millis(50))
            .lock_retries(2, Duration::from_millis(10));
        ours.up("r0").await.unwrap();
        let db = place.open().await;
        let holder = db.begin().await.unwrap();
        holder
            .execute("INSERT INTO t VALUES (1)", ())
            .await
            .unwrap();
        let error = ours.up("head").await.unwrap_err();
        let waited = matches!(error.class(), Class::Busy | Class::Timeout { .. });
        assert!(waited, "{error}");
        assert_eq!(ours.history().await.unwrap().len(), 1);

        let patient = ours.lock_retries(200, Duration::from_millis(10));
        let run = tokio::spawn(async move { patient.up("head").await });
        tokio::time::sleep(Duration::from_millis(200)).await;
        holder.commit().await.unwrap();
        assert_eq!(run.await.unwrap().unwrap().revisions.len(), 1);
    }
}

#[tokio::test]
async fn a_run_has_no_statement_timeout_and_no_search_path_of_its_revisions() {
    for place in Place::each("timeouts") {
        if place.engine() != Engine::POSTGRES {
            continue;
        }
        let texts = [
            "-- up\nSELECT pg_sleep(0.3);\nCREATE SCHEMA other;\nSET search_path = other;\n-- down\nSELECT 1;\n",
            "-- up\nCREATE TABLE other.t (a integer);\n-- down\nDROP TABLE other.t;\n",
        ];
        let config = underpin::Config::from_url(&place.url())
            .unwrap()
            .to_builder();
        let config = config
            .statement_timeout(Duration::from_millis(100))
            .build()
            .unwrap();
        let ours = underpin::migrate::Migrator::new(config)
            .unwrap()
            .revisions(crate::migrate::chain(&texts));
        ours.up("head").await.unwrap();
        assert_eq!(ours.history().await.unwrap().len(), 2);
        ours.down("-1").await.unwrap();
    }
}

#[tokio::test]
async fn a_dropped_run_leaves_nothing_and_no_lock() {
    for place in Place::each("dropped") {
        if place.engine() != Engine::POSTGRES {
            continue;
        }
        let slow = "-- up\nCREATE TABLE t (a integer);\nSELECT pg_sleep(60);\n-- down\n";
        let ours = migrator(&place, &[slow]);
        let run = tokio::spawn(async move { ours.up("head").await });
        let db = place.open().await;
        let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%' AND state = 'active'";
        eventually("the run sleeps", async || {
            db.query_scalar::<i64>(sleeping, ()).await.unwrap() == 1
        })
        .await;
        run.abort();
        let next = migrator(&place, &["-- up\nCREATE TABLE t (a integer);\n-- down\n"]);
        next.up("head").await.unwrap();
        assert_eq!(next.history().await.unwrap().len(), 1);
    }
}
