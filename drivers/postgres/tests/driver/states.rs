use std::time::Duration;

use futures_util::FutureExt;
use underpin_core::driver::{Connection as _, ConnectionExt as _, Pooled as _, SessionState};
use underpin_core::{TransactionOptions, Value};
use underpin_postgres::Connection;
use underpin_testkit::{Postgres, or_skip};

use crate::place::{call, connect, eventually, soon, within};

async fn one(connection: &Connection, sql: &str) -> String {
    connection
        .query::<Option<String>>(call(sql, &[]), 1)
        .await
        .unwrap()[0]
        .clone()
        .unwrap_or_default()
}

/// Polls a future this many times, then drops it.
async fn drop_after<F: Future>(turns: usize, future: F) -> bool {
    let mut future = Box::pin(future);
    for _ in 0..turns {
        if (&mut future).now_or_never().is_some() {
            return true;
        }
        tokio::time::sleep(Duration::from_micros(300)).await;
    }
    false
}

#[tokio::test]
async fn a_dropped_statement_keeps_the_connection_busy_until_it_is_answered() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("dropped");
    let connection = connect(server, &database).await;
    assert_eq!(connection.state(), SessionState::Clean);
    assert!(
        connection
            .execute(call("SELECT pg_sleep(0.2)", &[]))
            .now_or_never()
            .is_none()
    );
    assert_eq!(connection.state(), SessionState::Busy);
    assert_eq!(connection.in_flight(), 1);
    eventually("the answer", || connection.state() == SessionState::Clean).await;
    assert_eq!(connection.in_flight(), 0);
}

#[tokio::test]
async fn dropped_at_any_point_nothing_stays_open() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("dropped_anywhere");
    let connection = connect(server, &database).await;
    connection
        .batch("CREATE TABLE item (id int)", soon())
        .await
        .unwrap();
    for turns in 1..12 {
        for step in 0..5 {
            let finished = match step {
                0 => {
                    drop_after(
                        turns,
                        connection.begin(TransactionOptions::default(), soon()),
                    )
                    .await
                }
                1 => {
                    let text = format!("SELECT {turns} + $1::int");
                    drop_after(
                        turns,
                        connection.query::<i32>(call(&text, &[Value::I32(1)]), 1),
                    )
                    .await
                }
                2 => {
                    connection
                        .begin(TransactionOptions::default(), soon())
                        .await
                        .unwrap();
                    connection
                        .execute(call("INSERT INTO item VALUES (1)", &[]))
                        .await
                        .unwrap();
                    drop_after(turns, connection.commit()).await
                }
                3 => {
                    let target = underpin_core::driver::BulkTarget {
                        table: "item",
                        columns: &["id"],
                    };
                    let rows = (0..50_000).map(|id| (id,));
                    drop_after(turns, connection.bulk_insert(target, rows, soon())).await
                }
                _ => {
                    drop_after(
                        turns,
                        connection.stream::<i32>(call("SELECT generate_series(1, 100000)", &[])),
                    )
                    .await
                }
            };
            if !finished {
                assert_ne!(connection.state(), SessionState::Broken);
            }
            connection
                .reset(soon())
                .await
                .unwrap_or_else(|error| panic!("{turns} {step}: {error}"));
            assert_eq!(connection.state(), SessionState::Clean, "{turns} {step}");
            assert_eq!(connection.in_flight(), 0);
            assert_eq!(one(&connection, "SELECT 'fit'").await, "fit");
            // Nothing is left open on the server either.
            let open = "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() \
                        AND state LIKE 'idle in%'";
            assert_eq!(one(&connection, open).await, "0");
        }
    }
}

#[tokio::test]
async fn a_long_statement_that_was_dropped_is_canceled_by_the_reset() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("cancelled_by_reset");
    let connection = connect(server, &database).await;
    assert!(!drop_after(20, connection.execute(call("SELECT pg_sleep(60)", &[]))).await);
    connection.reset(soon()).await.unwrap();
    assert_eq!(connection.state(), SessionState::Clean);
    assert_eq!(one(&connection, "SELECT 'fit'").await, "fit");
}

#[tokio::test]
async fn a_dropped_future_does_not_harm_its_neighbors() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("neighbors");
    let connection = connect(server, &database).await;
    let calls = (0..200).map(|n| {
        let connection = &connection;
        async move {
            let params = [Value::I32(n)];
            let query =
                connection.query::<i32>(call("SELECT $1::int FROM pg_sleep(0.001)", &params), 1);
            if n % 3 == 0 {
                drop_after(1 + n as usize % 4, query).await;
            } else {
                assert_eq!(query.await.unwrap(), [n]);
            }
        }
    });
    futures_util::future::join_all(calls).await;
    eventually("the last answer", || {
        connection.state() == SessionState::Clean
    })
    .await;
}

#[tokio::test]
async fn transactions_and_their_failure_show() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("transaction_states");
    let connection = connect(server, &database).await;
    connection
        .begin(TransactionOptions::default(), soon())
        .await
        .unwrap();
    assert_eq!(connection.state(), SessionState::InTransaction);
    connection
        .execute(call("SELECT 1/0", &[]))
        .await
        .unwrap_err();
    assert_eq!(connection.state(), SessionState::Failed);
    connection.reset(soon()).await.unwrap();
    assert_eq!(connection.state(), SessionState::Clean);
    // Also for a transaction that was begun manually.
    connection.batch("BEGIN", soon()).await.unwrap();
    assert_eq!(connection.state(), SessionState::InTransaction);
    connection.reset(soon()).await.unwrap();
    assert_eq!(connection.state(), SessionState::Clean);
}

#[tokio::test]
async fn a_changed_session_is_cleaned() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("cleaned");
    let connection = connect(server, &database).await;
    let path = one(&connection, "SHOW search_path").await;
    let count = "SELECT count(*)::text FROM ";
    for (change, look, clean) in [
        (
            "SET search_path TO elsewhere",
            "SHOW search_path".to_owned(),
            path.as_str(),
        ),
        (
            "SELECT set_config('search_path', 'elsewhere', false)",
            "SHOW search_path".to_owned(),
            &path,
        ),
        (
            "CREATE TEMP TABLE t (id int)",
            format!("{count} pg_class WHERE relname = 't'"),
            "0",
        ),
        (
            "LISTEN news",
            format!("{count} pg_listening_channels()"),
            "0",
        ),
        (
            "SELECT pg_advisory_lock(7)",
            format!("{count} pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"),
            "0",
        ),
        (
            "PREPARE \"by \"\"hand\" AS SELECT 1",
            format!("{count} pg_prepared_statements WHERE from_sql"),
            "0",
        ),
        (
            "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
            format!("{count} pg_cursors WHERE name = 'c'"),
            "0",
        ),
        (
            "SET ROLE pg_monitor",
            "SELECT current_user = session_user"
                .to_owned()
                .replace("SELECT ", "SELECT (")
                + ")::text",
            "true",
        ),
    ] {
        connection.batch(change, soon()).await.unwrap();
        assert_eq!(connection.state(), SessionState::Changed, "{change}");
        connection
            .reset(soon())
            .await
            .unwrap_or_else(|error| panic!("{change}: {error}"));
        assert_eq!(connection.state(), SessionState::Clean, "{change}");
        assert_eq!(one(&connection, &look).await, clean, "{change}");
    }
    connection
        .client()
        .batch_execute("SET search_path TO elsewhere; BEGIN")
        .await
        .unwrap();
    assert_eq!(connection.state(), SessionState::InTransaction);
    connection.reset(soon()).await.unwrap();
    assert_eq!(connection.state(), SessionState::Clean);
    assert_eq!(one(&connection, "SHOW search_path").await, path);
    // Earlier prepared statements are still there.
    assert!(connection.cached_statements() > 5);
}

#[tokio::test]
async fn startup_settings_outlive_a_reset() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("startup_settings");
    let options = underpin_postgres::Options {
        application_name: Some("the shop".into()),
        statement_timeout: Some(Duration::from_micros(1_234_001)),
        options: Some("-c search_path=a,\\ b".into()),
        ..crate::place::options(server, &database)
    };
    let connection = crate::place::connect_with(crate::place::endpoint(server), options).await;
    let settings = "SELECT concat_ws('|', current_setting('statement_timeout'), \
        current_setting('application_name'), current_setting('search_path'))";
    assert_eq!(one(&connection, settings).await, "1235ms|the shop|a, b");
    connection
        .batch(
            "SET statement_timeout = 0; SET application_name = 'x'",
            soon(),
        )
        .await
        .unwrap();
    connection.reset(soon()).await.unwrap();
    assert_eq!(one(&connection, settings).await, "1235ms|the shop|a, b");
}

#[tokio::test]
async fn a_session_without_its_prepared_statements_is_given_up() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("deallocated");
    let connection = connect(server, &database).await;
    one(&connection, "SELECT 'before'").await;
    connection.batch("DISCARD ALL", soon()).await.unwrap();
    // The cached statement is prepared again.
    assert_eq!(one(&connection, "SELECT 'before'").await, "before");
    let error = connection.reset(soon()).await.unwrap_err();
    assert_eq!(error.class(), underpin_core::Class::Closed, "{error}");
}

#[tokio::test]
async fn an_open_stream_cannot_be_reset() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("open_stream");
    let connection = connect(server, &database).await;
    let sql = "SELECT repeat('x', 1000) FROM generate_series(1, 100000)";
    let (_, rows) = connection.stream::<String>(call(sql, &[])).await.unwrap();
    assert_eq!(connection.state(), SessionState::Busy);
    assert!(connection.reset(within(300)).await.is_err());
    drop(rows);
    connection.reset(soon()).await.unwrap();
    assert_eq!(connection.state(), SessionState::Clean);
}

#[tokio::test]
async fn a_server_that_is_silent_is_not_waited_for() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("silent");
    let proxy = underpin_testkit::Proxy::before(server);
    let connection = crate::place::connect_through(&proxy, server, &database).await;
    connection.ping(soon()).await.unwrap();
    proxy.black_hole();
    let error = connection.ping(within(200)).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!(connection.state(), SessionState::Busy);
    assert!(connection.reset(within(200)).await.is_err());
    Box::new(connection).close(within(200)).await;
}
