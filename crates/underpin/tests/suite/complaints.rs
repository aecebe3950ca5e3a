//! Complaints of users of other pools, and the test that prevents each of them here.
//!
//! | complaint | where it was made | prevented by |
//! |---|---|---|
//! | The pool stays pinned to a demoted primary. | HikariCP#2185 | `a_pool_does_not_stay_pinned_to_a_demoted_primary` here: a refused write (SQLSTATE 25006) replaces every connection; and its rule in `crates/pool/src/state/rules/leasing.rs` |
//! | A connection dropped on a dead socket leaks its permit. | sqlx#4349 | `a_dead_socket_leaks_no_permit` here, and in `crates/pool/src/state/rules/leasing.rs`; `chaos::black_hole` |
//! | A late waiter throws away a fresh connection, since one timeout covers the queue and the connect. | sqlx#3132 | `a_late_waiter_throws_no_fresh_connection_away` in `crates/pool/tests/pool/complaints.rs` |
//! | A timeout does not say whether it was a backlog, a leak, the connects or slow statements. | sqlx#2276, bb8#102, HikariCP#258 | `a_timeout_says_why` and `the_time_spent_connecting_is_told_from_the_queue` in `crates/pool/tests/pool/explaining.rs`; `chaos::hang` |
//! | Newcomers overtake those who wait. | bb8#243 | `newcomers_overtake_no_waiter` in `crates/pool/tests/pool/complaints.rs`; `newcomers_never_overtake_waiters` in `crates/pool/src/state/rules/leasing.rs` |
//! | There is no idle timeout and no lifetime. | deadpool#178 | `connections_are_replaced_and_released_as_they_grow_old` in `crates/pool/tests/pool/connecting.rs` |
//! | Each acquire costs a ping. | sqlx#1743 | `a_hot_connection_costs_no_round_trip` in `crates/pool/tests/pool/validating.rs` |
//! | Lifetimes end in waves. | sqlx#3051 | `connections_opened_together_do_not_end_together` in `crates/pool/tests/pool/complaints.rs`; `lifetimes_do_not_expire_in_waves` in `crates/pool/src/state/rules/ageing.rs` |
//! | A future dropped around BEGIN returns a connection with an open transaction. | diesel_async#198 | `dropped_begin`, `dropped_transaction` and `dropped_commit` in `cancel.rs` |
//! | SQLite has one writer and many readers, and the pool does not know. | sqlx#459 | `writers_of_a_file_never_find_it_locked` and `readers_of_a_file_do_not_wait_for_its_writer` here |
//!
//! The complaints about dead hosts among several (npgsql#6483) and about stale reads on a replica
//! (pgdog#912) concern the choice of an endpoint, not a pool.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;
use underpin::{Class, Effect};
use underpin_testkit::{Postgres, Proxy, SqliteFile, or_skip};

use crate::chaos::{at_rest, open};

/// Long enough to know that it will never end.
const NEVER: Duration = Duration::from_secs(10);

/// <https://github.com/launchbadge/sqlx/issues/4349>
#[tokio::test]
async fn a_dead_socket_leaks_no_permit() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("dead_socket");
    let proxy = Proxy::before(server);
    let db = open(&database.url_through(&proxy), 2, |config| {
        config.acquire_timeout(NEVER).max_retries(0)
    })
    .await;
    for round in 0..10 {
        let idle = db.acquire().await.unwrap();
        let in_transaction = db.begin().await.unwrap();
        in_transaction.execute("SELECT 1", ()).await.unwrap();
        proxy.cut();
        if round % 2 == 0 {
            // The loss is already known, or not, when they are dropped.
            idle.execute("SELECT 1", ()).await.unwrap_err();
            in_transaction.execute("SELECT 1", ()).await.unwrap_err();
        }
        drop((idle, in_transaction));
        // Both permits are available, for two simultaneous holders.
        let (first, second) = tokio::join!(db.acquire(), db.acquire());
        drop((first.unwrap(), second.unwrap()));
    }
    at_rest(&db, &database).await;
}

/// <https://github.com/brettwooldridge/HikariCP/issues/2185>
#[tokio::test]
async fn a_pool_does_not_stay_pinned_to_a_demoted_primary() {
    let server = or_skip!(Postgres::start());
    let database = server.database("demoted");
    let admin = database.client().await;
    admin.batch_execute("CREATE TABLE t (n int)").await.unwrap();
    let db = open(&database.url(), 2, |config| config).await;
    db.execute("INSERT INTO t VALUES (1)", ()).await.unwrap();
    // Like on a standby, every transaction is read-only from here on, even in existing sessions;
    // SELECT 1 still works.
    admin
        .batch_execute("ALTER SYSTEM SET default_transaction_read_only = on")
        .await
        .unwrap();
    admin
        .batch_execute("SELECT pg_reload_conf()")
        .await
        .unwrap();
    crate::place::eventually("the session is read-only", async || {
        let sql = "SELECT current_setting('transaction_read_only')";
        db.query_scalar::<String>(sql, ()).await.unwrap() == "on"
    })
    .await;
    let error = db
        .execute("INSERT INTO t VALUES (2)", ())
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::ReadOnly, "{error}");
    assert_eq!(error.sqlstate(), Some("25006"));
    assert_eq!(error.effect(), Effect::RolledBack, "{error}");
    // Every connection is replaced, so that a new primary would be found.
    let opened = db.metrics().total_connections;
    db.query_scalar::<i32>("SELECT 1", ()).await.unwrap();
    assert!(db.metrics().total_connections > opened);
    at_rest(&db, &database).await;
}

/// <https://github.com/launchbadge/sqlx/issues/459>
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_of_a_file_never_find_it_locked() {
    let file = SqliteFile::new();
    let db = underpin::Database::connect(file.url()).await.unwrap();
    db.execute("CREATE TABLE t (n INTEGER)", ()).await.unwrap();
    let mut tasks = JoinSet::new();
    for task in 0..50 {
        let db = db.clone();
        tasks.spawn(async move {
            for n in 0..4 {
                let row = task * 4 + n;
                if n % 2 == 0 {
                    db.execute("INSERT INTO t VALUES ($1)", (row,)).await?;
                    continue;
                }
                // A transaction that reads before it writes is the usual cause of "database is
                // locked".
                db.transaction(async |tx| {
                    let _: i64 = tx.query_scalar("SELECT count(*) FROM t", ()).await?;
                    tx.execute("INSERT INTO t VALUES ($1)", (row,)).await
                })
                .await?;
            }
            Ok::<_, underpin::Error>(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap().unwrap();
    }
    let rows: Vec<i64> = db.query_as("SELECT n FROM t ORDER BY n", ()).await.unwrap();
    assert_eq!(rows, (0..200).collect::<Vec<_>>());
}

/// <https://github.com/launchbadge/sqlx/issues/459>
#[tokio::test]
async fn readers_of_a_file_do_not_wait_for_its_writer() {
    let file = SqliteFile::new();
    let db = underpin::Database::connect(file.url()).await.unwrap();
    db.execute("CREATE TABLE t (n INTEGER)", ()).await.unwrap();
    let writing = db.begin().await.unwrap();
    writing
        .execute("INSERT INTO t VALUES (1)", ())
        .await
        .unwrap();
    for _ in 0..8 {
        let read = db.query_scalar::<i64>("SELECT count(*) FROM t", ());
        let answer = timeout(NEVER, read).await.expect("the reader waits");
        assert_eq!(answer.unwrap(), 0, "what is not committed is not seen");
    }
    writing.commit().await.unwrap();
    let rows: i64 = db.query_scalar("SELECT count(*) FROM t", ()).await.unwrap();
    assert_eq!(rows, 1);
}
