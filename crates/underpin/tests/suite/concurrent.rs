//! Many tasks at once: reads, writes and failures; and the counts at the end.

use std::time::Duration;

use underpin::{Class, Database, Error};

use crate::place::{InPlace, Place, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_tasks_read_write_and_fail() {
    for place in Place::each("two_hundred") {
        let db = place.open().await;
        db.execute(
            "CREATE TABLE t (n INTEGER PRIMARY KEY, by_task INTEGER NOT NULL)",
            (),
        )
        .await
        .unwrap();
        let tasks: Vec<_> = (0..200)
            .map(|task| tokio::spawn(work(db.clone(), task)))
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        // 10 rows of each task; failures have left no rows.
        let rows: i64 = db.query_scalar("SELECT count(*) FROM t", ()).await.unwrap();
        assert_eq!(rows, 2000);
        eventually("nobody holds a connection", async || {
            let metrics = db.metrics();
            metrics.active_connections == 0 && metrics.waiting == 0
        })
        .await;
        if place.connections().await.is_some() {
            eventually(
                "the pool and the server count the same connections",
                async || place.connections().await == Some(db.metrics().pool_size as i64),
            )
            .await;
        }
        let metrics = db.metrics();
        assert!(metrics.failed_queries >= 400, "{metrics:?}");
        assert!(metrics.pool_size <= 20);
        db.close(Duration::from_secs(10)).await.unwrap();
        assert_eq!(db.metrics().pool_size, 0);
        if place.connections().await.is_some() {
            eventually("the server has no connection left", async || {
                place.connections().await == Some(0)
            })
            .await;
        }
    }
}

async fn work(db: Database, task: i32) -> Result<(), Error> {
    for n in 0..10 {
        let id = task * 10 + n;
        db.execute("INSERT INTO t VALUES ($1, $2)", (id, task))
            .await?;
        let own: i64 = db
            .query_scalar("SELECT count(*) FROM t WHERE by_task = $1", (task,))
            .await?;
        assert_eq!(own, i64::from(n) + 1);
        if n % 5 == 0 {
            let twice = db
                .execute("INSERT INTO t VALUES ($1, $2)", (id, task))
                .await
                .unwrap_err();
            assert_eq!(twice.class(), Class::Constraint);
            db.execute("SELECT nothing FROM nowhere", ())
                .await
                .unwrap_err();
        }
        if n % 3 == 0 {
            let failed: Result<(), Error> = db
                .transaction(async |tx| {
                    tx.execute("DELETE FROM t WHERE by_task = $1", (task,))
                        .await?;
                    tx.execute("INSERT INTO t VALUES ($1, NULL)", (-1 - id,))
                        .await?;
                    Ok(())
                })
                .await;
            assert_eq!(failed.unwrap_err().class(), Class::Constraint);
        }
        if n % 4 == 0 {
            // One task loses patience; a dropped statement must not disturb the others.
            let sql = "SELECT count(*) FROM t a, t b WHERE a.n < b.n";
            let _ = tokio::time::timeout(Duration::from_micros(200), db.query(sql, ())).await;
        }
    }
    Ok(())
}
