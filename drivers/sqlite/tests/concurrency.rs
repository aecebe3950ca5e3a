//! One connection writes while many read.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{execute, one, open, writer};
use underpin_core::driver::{Connection as _, Pooled as _, SessionState};
use underpin_core::{Deadline, TransactionOptions};
use underpin_sqlite::Options;
use underpin_testkit::SqliteFile;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_read_while_one_writes() {
    let file = SqliteFile::new();
    let db = writer(&file).await;
    execute(
        &db,
        "CREATE TABLE account (id INTEGER PRIMARY KEY, money INTEGER)",
    )
    .await
    .unwrap();
    execute(&db, "INSERT INTO account VALUES (1, 500), (2, 500)")
        .await
        .unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let mut readers = Vec::new();
    for _ in 0..8 {
        let reader = open(&file, Options::reader()).await.unwrap();
        let done = Arc::clone(&done);
        readers.push(tokio::spawn(async move {
            let mut times = 0;
            while !done.load(Ordering::Relaxed) || times == 0 {
                assert_eq!(
                    one::<i64>(&reader, "SELECT sum(money) FROM account").await,
                    1000
                );
                times += 1;
            }
            assert_eq!(reader.state(), SessionState::Clean);
        }));
    }
    for round in 0..200 {
        db.begin(TransactionOptions::default(), Deadline::NONE)
            .await
            .unwrap();
        execute(&db, "UPDATE account SET money = money - 1 WHERE id = 1")
            .await
            .unwrap();
        tokio::task::yield_now().await;
        execute(&db, "UPDATE account SET money = money + 1 WHERE id = 2")
            .await
            .unwrap();
        if round % 3 == 0 {
            db.rollback(Deadline::NONE).await.unwrap();
        } else {
            db.commit().await.unwrap();
        }
    }
    done.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }
    assert_eq!(
        one::<i64>(&db, "SELECT money FROM account WHERE id = 2").await,
        633
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_on_one_connection_wait_for_each_other() {
    let file = SqliteFile::new();
    let db = Arc::new(writer(&file).await);
    execute(&db, "CREATE TABLE t (a)").await.unwrap();
    let tasks: Vec<_> = (0..200)
        .map(|n| {
            let db = Arc::clone(&db);
            tokio::spawn(async move {
                execute(&db, &format!("INSERT INTO t VALUES ({n})"))
                    .await
                    .unwrap();
                assert!(one::<i64>(&db, "SELECT count(*) FROM t").await >= 1);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(
        one::<i64>(&db, "SELECT count(DISTINCT a) FROM t").await,
        200
    );
    assert_eq!(db.in_flight(), 0);
}
