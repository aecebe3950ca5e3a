use std::sync::atomic::{AtomicU32, Ordering};

use underpin::{Class, Database, Effect, Engine, Error, Isolation, Result, Value};
use underpin_testkit::{Postgres, or_skip};

use crate::place::{InPlace, Place, small};

async fn table(db: &Database) {
    db.batch("CREATE TABLE t (n INTEGER PRIMARY KEY, v INTEGER)")
        .await
        .unwrap();
}

async fn rows(db: &Database) -> Vec<i32> {
    db.query_as("SELECT n FROM t ORDER BY n", ()).await.unwrap()
}

#[tokio::test]
async fn committed_on_ok_rolled_back_on_err_and_on_panic() {
    for place in Place::each("ok_err_panic") {
        let db = place.open().await;
        table(&db).await;
        let n = db.transaction(async |tx| tx.execute("INSERT INTO t VALUES (1, 1)", ()).await);
        assert_eq!(n.await.unwrap(), 1);
        let failed: Result<(), String> = db
            .transaction(async |tx| {
                tx.execute("INSERT INTO t VALUES (2, 1)", ())
                    .await
                    .map_err(|e| e.to_string())?;
                Err(Own("enough".into()))?
            })
            .await
            .map_err(|own: Own| own.0);
        assert_eq!(failed.unwrap_err(), "enough");
        let panicking = db.clone();
        let task = tokio::spawn(async move {
            let _: Result<()> = panicking
                .transaction(async |tx| {
                    tx.execute("INSERT INTO t VALUES (3, 1)", ()).await?;
                    panic!("on purpose")
                })
                .await;
        });
        assert!(task.await.unwrap_err().is_panic());
        db.execute("INSERT INTO t VALUES (4, 1)", ()).await.unwrap();
        assert_eq!(rows(&db).await, [1, 4]);
    }
}

/// An error of the caller's own type.
struct Own(String);

impl From<Error> for Own {
    fn from(error: Error) -> Self {
        Own(error.to_string())
    }
}

impl From<String> for Own {
    fn from(text: String) -> Self {
        Own(text)
    }
}

#[tokio::test]
async fn savepoints_undo_only_their_part() {
    for place in Place::each("savepoints") {
        let db = place.open().await;
        table(&db).await;
        let tx = db.begin().await.unwrap();
        tx.execute("INSERT INTO t VALUES (1, 1)", ()).await.unwrap();
        let undone: Result<()> = tx
            .transaction(|inner| async move {
                inner.execute("INSERT INTO t VALUES (2, 1)", ()).await?;
                inner.execute("INSERT INTO t VALUES (2, 2)", ()).await?;
                Ok(())
            })
            .await;
        assert_eq!(undone.unwrap_err().class(), Class::Constraint);
        let kept = tx.savepoint().await.unwrap();
        kept.execute("INSERT INTO t VALUES (3, 1)", ())
            .await
            .unwrap();
        let deeper = kept.savepoint().await.unwrap();
        deeper
            .execute("INSERT INTO t VALUES (4, 1)", ())
            .await
            .unwrap();
        deeper.rollback().await.unwrap();
        kept.commit().await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(rows(&db).await, [1, 3]);
    }
}

#[tokio::test]
async fn a_call_after_the_end_is_refused_and_not_sent() {
    for place in Place::each("after_the_end") {
        let db = place.open().await;
        table(&db).await;
        let kept = std::sync::Mutex::new(None);
        db.transaction(async |tx| {
            tx.execute("INSERT INTO t VALUES (1, 1)", ()).await?;
            *kept.lock().unwrap() = Some(tx);
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
        let tx = kept.lock().unwrap().take().unwrap();
        let error = tx
            .execute("INSERT INTO t VALUES (2, 1)", ())
            .await
            .unwrap_err();
        assert_eq!(
            (error.class(), error.effect()),
            (Class::Closed, Effect::NotSent)
        );
        drop(tx);
        assert_eq!(rows(&db).await, [1]);
    }
}

#[tokio::test]
async fn a_read_only_transaction_refuses_to_write() {
    for place in Place::each("read_only_tx") {
        let db = place.open().await;
        table(&db).await;
        let written: Result<u64> = db
            .read()
            .transaction(async |tx| {
                let _: i64 = tx.query_scalar("SELECT count(*) FROM t", ()).await?;
                tx.execute("INSERT INTO t VALUES (1, 1)", ()).await
            })
            .await;
        assert_eq!(
            written.unwrap_err().class(),
            Class::ReadOnly,
            "{:?}",
            place.engine()
        );
        assert!(rows(&db).await.is_empty());
    }
}

#[tokio::test]
async fn a_conflict_is_retried_only_if_requested() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("conflict");
    let db = Database::connect(database.url()).await.unwrap();
    table(&db).await;
    db.execute("INSERT INTO t VALUES (1, 0)", ()).await.unwrap();
    let serializable = db.isolation(Isolation::Serializable);

    let runs = AtomicU32::new(0);
    // Another transaction changes the row between this one's read and write.
    let increment = async |tx: underpin::Transaction| -> Result<()> {
        let v: i32 = tx.query_scalar("SELECT v FROM t WHERE n = 1", ()).await?;
        if runs.fetch_add(1, Ordering::Relaxed) == 0 {
            db.execute("UPDATE t SET v = v + 10 WHERE n = 1", ())
                .await?;
        }
        tx.execute("UPDATE t SET v = $1 WHERE n = 1", (v + 1,))
            .await?;
        Ok(())
    };
    let error = serializable.transaction(&increment).await.unwrap_err();
    assert_eq!(error.class(), Class::Conflict, "{error}");
    assert_eq!(runs.load(Ordering::Relaxed), 1);

    runs.store(0, Ordering::Relaxed);
    serializable.retry().transaction(&increment).await.unwrap();
    assert_eq!(runs.load(Ordering::Relaxed), 2);
    let v: i32 = db
        .query_scalar("SELECT v FROM t WHERE n = 1", ())
        .await
        .unwrap();
    assert_eq!(v, 21);
    assert_eq!(db.metrics().retry_attempts, 1);
}

#[tokio::test]
async fn isolation_and_access_are_as_asked() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("isolation");
    let db = Database::connect(database.url()).await.unwrap();
    let tx = db
        .read()
        .isolation(Isolation::RepeatableRead)
        .begin()
        .await
        .unwrap();
    let level: String = tx
        .query_scalar("SHOW transaction_isolation", ())
        .await
        .unwrap();
    assert_eq!(level, "repeatable read");
    let read_only: String = tx
        .query_scalar("SHOW transaction_read_only", ())
        .await
        .unwrap();
    assert_eq!(read_only, "on");
    tx.rollback().await.unwrap();
    let tx = db.begin().await.unwrap();
    let level: String = tx
        .query_scalar("SHOW transaction_isolation", ())
        .await
        .unwrap();
    assert_eq!(level, "read committed");
}

/// The futures of the public calls can be spawned.
#[tokio::test]
async fn transactions_run_in_spawned_tasks() {
    for place in Place::each("spawned") {
        let db = place.open().await;
        table(&db).await;
        let tasks: Vec<_> = (0..20)
            .map(|n| {
                let db = db.clone();
                tokio::spawn(async move {
                    db.transaction(move |tx| async move {
                        tx.execute("INSERT INTO t VALUES ($1, 0)", (n,)).await
                    })
                    .await
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert_eq!(rows(&db).await.len(), 20);
    }
}

/// Every statement that begins or ends a transaction, through every call of a transaction, and
/// through the connection below it: nothing is sent, and the transaction continues.
#[tokio::test]
async fn statements_that_begin_or_end_a_transaction_are_refused_within_one() {
    let controls = [
        "COMMIT",
        "commit;",
        "/* done */ END",
        "ROLLBACK",
        "ROLLBACK; SELECT 1",
        "BEGIN",
        "SELECT 1; COMMIT",
        ";COMMIT",
    ];
    let of_postgres = [
        "START TRANSACTION",
        "ABORT",
        "COMMIT AND CHAIN",
        "PREPARE TRANSACTION 'x'",
        "ROLLBACK WORK",
    ];
    for place in Place::each("transaction_control") {
        let db = place.open().await;
        db.batch("CREATE TABLE t (n integer)").await.unwrap();
        let is_postgres = place.engine() == Engine::POSTGRES;
        let own: &[&str] = if is_postgres {
            &of_postgres
        } else {
            &["BEGIN IMMEDIATE"]
        };
        for sql in controls.iter().chain(own) {
            let lease = db.acquire().await.unwrap();
            let tx = lease.begin().await.unwrap();
            tx.execute("INSERT INTO t VALUES (1)", ()).await.unwrap();
            let inner = tx.savepoint().await.unwrap();
            let refused = async |what: &str, answer: Option<Error>| {
                let error = answer.unwrap_or_else(|| panic!("{what} takes {sql}"));
                assert_eq!(error.class(), Class::Unsupported, "{what} {sql}: {error}");
                assert_eq!(error.effect(), Effect::NotSent, "{what} {sql}: {error}");
                assert!(error.hint().is_some(), "{error}");
            };
            refused("execute", inner.execute(sql, ()).await.err()).await;
            refused("execute", tx.execute(sql, ()).await.err()).await;
            refused("query", tx.query(sql, ()).await.err()).await;
            refused("query_as", tx.query_as::<(i32,)>(sql, ()).await.err()).await;
            refused("query_one", tx.query_one::<(i32,)>(sql, ()).await.err()).await;
            refused(
                "query_optional",
                tx.query_optional::<(i32,)>(sql, ()).await.err(),
            )
            .await;
            refused("query_scalar", tx.query_scalar::<i32>(sql, ()).await.err()).await;
            refused(
                "query_stream",
                tx.query_stream::<(i32,)>(sql, ()).await.err(),
            )
            .await;
            refused("batch", tx.batch(sql).await.err()).await;
            refused("the connection", lease.execute(sql, ()).await.err()).await;
            refused("the connection's batch", lease.batch(sql).await.err()).await;
            inner.commit().await.unwrap();
            tx.rollback().await.unwrap();
            drop(lease);
            let count: i64 = db.query_scalar("SELECT count(*) FROM t", ()).await.unwrap();
            assert_eq!(count, 0, "{sql}");
        }
        // A savepoint that the caller sets does not end the transaction; outside a transaction
        // there is nothing to end.
        let lease = db.acquire().await.unwrap();
        let tx = lease.begin().await.unwrap();
        tx.execute("SAVEPOINT mine", ()).await.unwrap();
        tx.execute("INSERT INTO t VALUES (1)", ()).await.unwrap();
        tx.execute("ROLLBACK TO SAVEPOINT mine", ()).await.unwrap();
        tx.commit().await.unwrap();
        lease.execute("BEGIN", ()).await.unwrap();
        lease.execute("INSERT INTO t VALUES (2)", ()).await.unwrap();
        lease.execute("COMMIT", ()).await.unwrap();
        drop(lease);
        // A dropped transaction has ended too.
        let lease = db.acquire().await.unwrap();
        drop(lease.begin().await.unwrap());
        lease.execute("BEGIN", ()).await.unwrap();
        lease.execute("ROLLBACK", ()).await.unwrap();
        drop(lease);
        let all: Vec<(i32,)> = db.query_as("SELECT n FROM t", ()).await.unwrap();
        assert_eq!(all, [(2,)]);
    }
}

/// Parameters that no message can hold are refused before they are sent, and no connection is lost.
#[tokio::test]
async fn more_parameters_than_an_engine_takes_are_refused_before_they_are_sent() {
    for place in Place::each("transaction_parameters") {
        let db = small(&place.url(), 1).await;
        let is_postgres = place.engine() == Engine::POSTGRES;
        let most = if is_postgres { 65_535 } else { 32_766 };
        let list = |count: usize| {
            let each: Vec<String> = (1..=count).map(|n| format!("${n}")).collect();
            match is_postgres {
                true => format!(
                    "SELECT count(*) FROM (VALUES (1), (2)) v (n) WHERE n IN ({}::int)",
                    each.join("::int,")
                ),
                false => format!(
                    "SELECT count(*) FROM (VALUES (1), (2)) WHERE column1 IN ({})",
                    each.join(",")
                ),
            }
        };
        let params = |count: usize| vec![Value::I32(1); count];
        for handle in [db.clone(), db.idempotent()] {
            for count in [most + 1, 2 * most] {
                let error = handle
                    .query_scalar::<i64>(&list(count), params(count))
                    .await
                    .unwrap_err();
                assert_eq!(error.class(), Class::Unsupported, "{error}");
                assert!(error.hint().is_some(), "{error}");
                if is_postgres {
                    assert_eq!(error.effect(), Effect::NotSent, "{error}");
                    let text = error.to_string();
                    assert!(
                        text.contains(&count.to_string()) && text.contains("65535"),
                        "{text}"
                    );
                    assert!(
                        text.contains("= ANY($1)") && text.contains("bulk_insert"),
                        "{text}"
                    );
                }
            }
        }
        let tx = db.begin().await.unwrap();
        let count = most + 1;
        let error = tx.execute(&list(count), params(count)).await.unwrap_err();
        assert_eq!(error.class(), Class::Unsupported, "{error}");
        tx.rollback().await.unwrap();
        let found: i64 = db.query_scalar(&list(most), params(most)).await.unwrap();
        assert_eq!(found, 1);
        // No connection was lost, and nothing was retried.
        assert_eq!(db.metrics().retry_attempts, 0);
        assert!(db.statistics().iter().all(|pool| pool.closed_total == 0));
    }
}
