//! A transaction begins with its first statement.

use futures_util::FutureExt;
use underpin_core::driver::{
    Connection as _, ConnectionExt as _, Connector as _, Pooled as _, SessionState,
};
use underpin_core::{Class, Effect, Isolation, TransactionOptions, Value};
use underpin_postgres::{Connection, Connector};
use underpin_testkit::{Postgres, TestDatabase, or_skip};

use crate::place::{call, connect, endpoint, eventually, options, soon};
use crate::spoiled::Spoiled;

const INSERT: &str = "INSERT INTO item VALUES ($1)";
const READ: &str = "SELECT count(*) FROM item";

async fn scene(server: &Postgres, test: &str) -> (TestDatabase, Connection, Spoiled) {
    let database = server.database(test);
    let spoiled = Spoiled::default();
    let connector = Connector::new([endpoint(server)], options(server, &database))
        .unwrap()
        .with_dialer(spoiled.clone());
    let connection = connector.connect(soon()).await.unwrap();
    let setup = "CREATE TABLE item (id int)";
    connection.batch(setup, soon()).await.unwrap();
    // Both are prepared.
    connection.execute(call(INSERT, &one(0))).await.unwrap();
    assert_eq!(count(&connection).await, 1);
    (database, connection, spoiled)
}

fn one(n: i32) -> [Value; 1] {
    [Value::I32(n)]
}

async fn count(connection: &Connection) -> i64 {
    let count = connection.query::<i64>(call(READ, &[]), 1).await;
    count.unwrap()[0]
}

async fn begin(connection: &Connection) {
    let options = TransactionOptions::default();
    connection.begin(options, soon()).await.unwrap();
    assert_eq!(connection.state(), SessionState::InTransaction);
}

#[tokio::test]
async fn if_begin_is_refused_nothing_takes_effect() {
    let server = or_skip!(Postgres::shared());
    let (_database, connection, spoiled) = scene(server, "begin_refused").await;
    let fresh = "SELECT count(*) + 1 FROM item";
    for (what, sql, params) in [
        ("the first time", READ, &[][..]),
        ("a read", READ, &[]),
        ("a write", INSERT, &one(1)),
        ("what is not prepared", fresh, &[]),
    ] {
        if what == "a write" {
            // The server has prepared BEGIN by now.
            begin(&connection).await;
            assert_eq!(count(&connection).await, 1);
            connection.commit().await.unwrap();
        }
        begin(&connection).await;
        spoiled.spoil_next_begin();
        let error = connection.execute(call(sql, params)).await.unwrap_err();
        assert_eq!(error.effect(), Effect::RolledBack, "{what}: {error}");
        assert!(error.to_string().contains("BEGAN"), "{what}: {error}");
        assert_eq!(connection.state(), SessionState::Failed, "{what}");

        let error = connection.execute(call(INSERT, &one(2))).await.unwrap_err();
        let seen = (error.class(), error.effect());
        assert_eq!(seen, (Class::Closed, Effect::NotSent), "{what}: {error}");
        let error = connection.commit().await.unwrap_err();
        let seen = (error.class(), error.effect());
        assert_eq!(seen, (Class::Closed, Effect::RolledBack), "{what}: {error}");
        assert_eq!(connection.state(), SessionState::Clean, "{what}");
        assert_eq!(count(&connection).await, 1, "{what}");
    }
    for end in ["rollback", "reset"] {
        begin(&connection).await;
        spoiled.spoil_next_begin();
        connection.batch("SELECT 1", soon()).await.unwrap_err();
        match end {
            "rollback" => connection.rollback(soon()).await.unwrap(),
            _ => connection.reset(soon()).await.unwrap(),
        }
        assert_eq!(connection.state(), SessionState::Clean, "{end}");
        assert_eq!(count(&connection).await, 1, "{end}");
    }
}

#[tokio::test]
async fn statements_after_a_dropped_first_one_are_in_the_transaction_or_not_sent() {
    let server = or_skip!(Postgres::shared());
    let (_database, connection, spoiled) = scene(server, "begin_dropped").await;
    for refused in [false, true] {
        begin(&connection).await;
        if refused {
            spoiled.spoil_next_begin();
        }
        let first = connection.query::<i64>(call(READ, &[]), 1);
        assert!(first.now_or_never().is_none(), "it is on its way");
        let second = connection.execute(call(INSERT, &one(1))).await;
        assert_eq!(second.is_err(), refused, "{second:?}");
        let expected = match refused {
            false => SessionState::InTransaction,
            true => SessionState::Failed,
        };
        eventually("the state", || connection.state() == expected).await;
        connection.rollback(soon()).await.unwrap();
        assert_eq!(connection.state(), SessionState::Clean);
        assert_eq!(count(&connection).await, 1);
    }
}

#[tokio::test]
async fn an_error_of_the_first_statement_fails_the_transaction() {
    let server = or_skip!(Postgres::shared());
    let (_database, connection, _) = scene(server, "first_fails").await;
    for sql in ["SELECT 1/0", "SELECT 1/0", "SELEKT 1"] {
        begin(&connection).await;
        connection.execute(call(sql, &[])).await.unwrap_err();
        assert_eq!(connection.state(), SessionState::Failed, "{sql}");
        let error = connection.execute(call(INSERT, &one(1))).await.unwrap_err();
        assert_eq!(error.sqlstate(), Some("25P02"), "{sql}: {error}");
        let error = connection.commit().await.unwrap_err();
        assert_eq!(error.effect(), Effect::RolledBack, "{sql}: {error}");
    }
    // A message that cannot be sent has no effect on the transaction.
    begin(&connection).await;
    let misfit = [Value::Bool(true)];
    connection.execute(call(INSERT, &misfit)).await.unwrap_err();
    connection.execute(call(INSERT, &one(1))).await.unwrap();
    connection.rollback(soon()).await.unwrap();
    assert_eq!(count(&connection).await, 1);
}

#[tokio::test]
async fn several_first_statements_at_once_are_in_one_transaction() {
    let server = or_skip!(Postgres::shared());
    let (_database, connection, _) = scene(server, "first_at_once").await;
    for _ in 0..20 {
        begin(&connection).await;
        let (a, b) = (one(1), one(2));
        let (first, read, second) = tokio::join!(
            connection.execute(call(INSERT, &a)),
            connection.query::<i64>(call(READ, &[]), 1),
            connection.execute(call(INSERT, &b)),
        );
        assert_eq!((first.unwrap(), second.unwrap()), (1, 1));
        assert!((1..=3).contains(&read.unwrap()[0]));
        assert_eq!(connection.state(), SessionState::InTransaction);
        connection.rollback(soon()).await.unwrap();
        assert_eq!(count(&connection).await, 1);
    }
}

#[tokio::test]
async fn the_native_client_finds_the_transaction_open() {
    let server = or_skip!(Postgres::shared());
    let (_database, connection, spoiled) = scene(server, "begin_native").await;
    let insert = "INSERT INTO item VALUES (7)";

    begin(&connection).await;
    connection.client().batch_execute(insert).await.unwrap();
    assert_eq!(connection.state(), SessionState::InTransaction);
    assert_eq!(count(&connection).await, 2);
    connection.rollback(soon()).await.unwrap();
    assert_eq!(count(&connection).await, 1);

    // Handed out and not used: the rollback must not overtake a statement in progress.
    connection.reset(soon()).await.unwrap();
    begin(&connection).await;
    connection.client();
    connection.rollback(soon()).await.unwrap();
    assert_eq!(count(&connection).await, 1);
    connection.reset(soon()).await.unwrap();
    begin(&connection).await;
    connection.client();
    connection.reset(soon()).await.unwrap();
    assert_eq!(connection.state(), SessionState::Clean);

    // A client from before the transaction.
    let client = connection.client();
    begin(&connection).await;
    client.batch_execute(insert).await.unwrap();
    connection.rollback(soon()).await.unwrap();
    assert_eq!(count(&connection).await, 1);
    spoiled.spoil_next_begin();
    let options = TransactionOptions::default();
    connection.begin(options, soon()).await.unwrap_err();
    assert_eq!(connection.state(), SessionState::Changed);

    begin(&connection).await;
    connection.client().batch_execute(insert).await.unwrap();
    connection.commit().await.unwrap();
    assert_eq!(count(&connection).await, 2);
}

#[tokio::test]
async fn any_first_statement_is_in_the_transaction() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("begin_first");
    let connection = connect(server, &database).await;
    let setup = "CREATE TABLE item (id int)";
    connection.batch(setup, soon()).await.unwrap();
    for first in [
        "batch", "stream", "bulk", "copy in", "copy out", "ping", "describe",
    ] {
        begin(&connection).await;
        match first {
            "batch" => connection.batch("SAVEPOINT a", soon()).await.unwrap(),
            "stream" => drop(
                connection
                    .stream::<i32>(call("SELECT 1", &[]))
                    .await
                    .unwrap(),
            ),
            "bulk" => {
                let target = underpin_core::driver::BulkTarget {
                    table: "item",
                    columns: &["id"],
                };
                let rows = (0..3).map(|id| (id,));
                connection.bulk_insert(target, rows, soon()).await.unwrap();
            }
            "copy in" => {
                let rows = [Ok::<_, std::io::Error>(bytes::Bytes::from("1\n"))];
                let rows = futures_util::stream::iter(rows);
                let sql = "COPY item FROM STDIN";
                connection.copy_in(sql, rows, soon()).await.unwrap();
            }
            "copy out" => {
                let sql = "COPY item TO STDOUT";
                drop(connection.copy_out(sql, soon()).await.unwrap());
            }
            "ping" => connection.ping(soon()).await.unwrap(),
            _ => drop(connection.describe(READ, soon()).await.unwrap()),
        }
        eventually(first, || connection.state() != SessionState::Busy).await;
        assert_eq!(connection.state(), SessionState::InTransaction, "{first}");
        let open = "SELECT count(*) FROM pg_stat_activity WHERE pid = pg_backend_pid() \
            AND xact_start < query_start";
        let open = connection.query::<i64>(call(open, &[]), 1).await.unwrap();
        assert_eq!(open, [1], "{first}");
        connection.rollback(soon()).await.unwrap();
        // In any case, the next transaction can begin with its first statement.
        begin(&connection).await;
        assert_eq!(count(&connection).await, 0, "{first}");
        connection.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_transaction_begins_behind_a_copy_that_was_refused_or_dropped() {
    let server = or_skip!(Postgres::shared());
    let (_database, connection, _) = scene(server, "begin_copy").await;
    let copy = || {
        let rows = futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>();
        connection.copy_in("COPY item FROM STDIN", rows, soon())
    };
    for turns in [0, 1, 3, 10] {
        let options = TransactionOptions {
            read_only: turns == 0,
            ..TransactionOptions::default()
        };
        connection.begin(options, soon()).await.unwrap();
        if turns == 0 {
            let error = copy().await.unwrap_err();
            assert_eq!(error.class(), Class::ReadOnly, "{error}");
        } else {
            let mut copying = Box::pin(copy());
            for _ in 0..turns {
                assert!((&mut copying).now_or_never().is_none());
                tokio::task::yield_now().await;
            }
        }
        connection.rollback(soon()).await.unwrap();
        begin(&connection).await;
        connection.execute(call(INSERT, &one(1))).await.unwrap();
        connection.rollback(soon()).await.unwrap();
        assert_eq!(count(&connection).await, 1, "{turns}");
    }
}

#[tokio::test]
async fn transactions_begin_also_where_all_that_was_prepared_is_gone() {
    let server = or_skip!(Postgres::shared());
    let (_database, connection, _) = scene(server, "begin_deallocated").await;
    for gone in ["SELECT 1", "DEALLOCATE ALL", "DISCARD ALL", "SELECT 1"] {
        connection.batch(gone, soon()).await.unwrap();
        // Statements are prepared again only if no transaction has failed by that.
        assert_eq!(count(&connection).await, 1);
        for level in [None, Some(Isolation::Serializable), None] {
            let options = TransactionOptions {
                isolation: level,
                ..TransactionOptions::default()
            };
            connection.begin(options, soon()).await.unwrap();
            let now = "SHOW transaction_isolation";
            let now = connection.query::<String>(call(now, &[]), 1).await.unwrap();
            let expected = level.map_or("read committed", |_| "serializable");
            assert_eq!(now, [expected], "{gone}");
            connection.commit().await.unwrap();
        }
    }
}

#[tokio::test]
async fn if_begin_is_refused_behind_a_refused_copy_nothing_takes_effect() {
    let server = or_skip!(Postgres::shared());
    let (_database, connection, spoiled) = scene(server, "begin_copy_refused").await;
    for _ in 0..10 {
        // The end of the COPY is still on its way when the next statement is sent.
        let rows = futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>();
        let copied = connection.copy_in("COPY item (absent) FROM STDIN", rows, soon());
        copied.await.unwrap_err();
        begin(&connection).await;
        spoiled.spoil_next_begin();
        let error = connection.execute(call(INSERT, &one(1))).await.unwrap_err();
        assert!(error.to_string().contains("BEGAN"), "{error}");
        connection.rollback(soon()).await.unwrap();
        assert_eq!(count(&connection).await, 1);
    }
}

#[tokio::test]
async fn after_a_refused_begin_each_caller_gets_the_outcome_of_its_own_statement() {
    let server = or_skip!(Postgres::shared());
    let (_database, connection, spoiled) = scene(server, "begin_two").await;
    begin(&connection).await;
    spoiled.spoil_next_begin();
    let (a, b) = (one(1), one(2));
    let mut first = Box::pin(connection.execute(call(INSERT, &a)));
    assert!((&mut first).now_or_never().is_none(), "it is on its way");
    let second = connection.execute(call(INSERT, &b)).await.unwrap_err();
    assert!(second.to_string().contains("BEGAN"), "{second}");
    let first = first.await.unwrap_err();
    assert_eq!(first.effect(), Effect::RolledBack, "it was sent: {first}");
    connection.rollback(soon()).await.unwrap();
    assert_eq!(count(&connection).await, 1);
}

#[tokio::test]
async fn a_statement_still_being_prepared_when_its_transaction_ends_is_not_sent() {
    let server = or_skip!(Postgres::shared());
    let (_database, connection, _) = scene(server, "begin_ended").await;
    for (number, end) in ["commit", "rollback", "reset", "next"].iter().enumerate() {
        for earlier in [false, true] {
            let fresh = format!(
                "INSERT INTO item VALUES ($1 + {number} + {})",
                earlier as u8
            );
            begin(&connection).await;
            if earlier {
                count(&connection).await;
            }
            let params = one(7);
            let mut late = Box::pin(connection.execute(call(&fresh, &params)));
            assert!((&mut late).now_or_never().is_none(), "it is prepared");
            match *end {
                "commit" => connection.commit().await.unwrap(),
                "reset" => connection.reset(soon()).await.unwrap(),
                _ => connection.rollback(soon()).await.unwrap(),
            }
            if *end == "next" {
                let options = TransactionOptions::default();
                connection.begin(options, soon()).await.unwrap();
            }
            let error = late.await.unwrap_err();
            let seen = (error.class(), error.effect());
            assert_eq!(seen, (Class::Closed, Effect::NotSent), "{end}: {error}");
            connection.rollback(soon()).await.unwrap();
            assert_eq!(count(&connection).await, 1, "{end}");
        }
    }
}

#[tokio::test]
async fn the_first_statement_may_be_as_large_as_it_likes() {
    let server = or_skip!(Postgres::shared());
    let (_database, connection, _) = scene(server, "begin_large").await;
    let length = "SELECT length($1)";
    let text = [Value::Text("x".repeat(20_000_000))];
    for _ in 0..3 {
        begin(&connection).await;
        let found = connection.query::<i32>(call(length, &text), 1).await;
        assert_eq!(found.unwrap(), [20_000_000]);
        assert_eq!(connection.state(), SessionState::InTransaction);
        connection.commit().await.unwrap();
    }
}
