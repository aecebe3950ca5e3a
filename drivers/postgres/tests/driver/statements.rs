use std::sync::atomic::Ordering;

use underpin_core::driver::Connector as _;
use underpin_core::driver::{Connection as _, ConnectionExt as _, Pooled as _, SessionState};
use underpin_core::{Class, Effect, TransactionOptions, Value, ValueRow};
use underpin_postgres::{Connection, Connector, Options};
use underpin_testkit::{Postgres, or_skip};

use crate::counts::Counts;
use crate::place::{call, connect, connect_with, endpoint, options, soon};

async fn prepared(connection: &Connection) -> i64 {
    // In the simple protocol, so that the query itself changes nothing.
    let messages = connection
        .client()
        .simple_query("SELECT count(*) FROM pg_prepared_statements")
        .await
        .unwrap();
    let count = messages.iter().find_map(|message| match message {
        underpin_postgres::SimpleMessage::Row(row) => row.get(0)?.parse().ok(),
        _ => None,
    });
    count.unwrap()
}

#[tokio::test]
async fn the_cache_is_bounded_and_keeps_what_is_used() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("cache");
    let options = Options {
        statement_cache_size: 10,
        ..options(server, &database)
    };
    let connection = connect_with(endpoint(server), options).await;
    for n in 0..50 {
        let sql = format!("SELECT {n}");
        assert_eq!(
            connection.query::<i32>(call(&sql, &[]), 1).await.unwrap(),
            [n]
        );
        assert_eq!(
            connection
                .query::<i32>(call("SELECT -1", &[]), 1)
                .await
                .unwrap(),
            [-1]
        );
    }
    assert_eq!(connection.cached_statements(), 10);
    assert_eq!(prepared(&connection).await, 10);
}

#[tokio::test]
async fn a_statement_that_the_server_has_outgrown_is_prepared_again() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("outgrown");
    let connection = connect(server, &database).await;
    connection
        .batch(
            "CREATE TABLE item (id int); INSERT INTO item VALUES (1)",
            soon(),
        )
        .await
        .unwrap();
    let select = || connection.query::<ValueRow>(call("SELECT * FROM item", &[]), 9);
    assert_eq!(select().await.unwrap()[0].values(), [Value::I32(1)]);
    connection
        .batch("ALTER TABLE item ADD COLUMN name text", soon())
        .await
        .unwrap();
    assert_eq!(
        select().await.unwrap()[0].values(),
        [Value::I32(1), Value::Null]
    );
    connection
        .batch("ALTER TABLE item ALTER COLUMN id TYPE bigint", soon())
        .await
        .unwrap();
    assert_eq!(
        select().await.unwrap()[0].values(),
        [Value::I64(1), Value::Null]
    );

    // Within a transaction the failure remains, and the next one succeeds.
    connection
        .batch("ALTER TABLE item DROP COLUMN name", soon())
        .await
        .unwrap();
    connection
        .begin(TransactionOptions::default(), soon())
        .await
        .unwrap();
    let error = select().await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Conflict, Effect::RolledBack),
        "{error}"
    );
    connection.rollback(soon()).await.unwrap();
    assert_eq!(select().await.unwrap()[0].values(), [Value::I64(1)]);

    // Completely gone.
    connection.batch("DEALLOCATE ALL", soon()).await.unwrap();
    assert_eq!(select().await.unwrap()[0].values(), [Value::I64(1)]);

    // A parameter's type has changed.
    let insert = "INSERT INTO item VALUES ($1)";
    connection
        .execute(call(insert, &[Value::I32(2)]))
        .await
        .unwrap();
    connection
        .batch("DROP TABLE item; CREATE TABLE item (id date)", soon())
        .await
        .unwrap();
    let error = connection
        .execute(call(insert, &[Value::I32(2)]))
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Data, "{error}");
    assert!(error.to_string().contains("expects date"), "{error}");
    connection
        .execute(call(insert, &[Value::Text("2024-01-31".into())]))
        .await
        .unwrap();
}

#[tokio::test]
async fn for_a_pooler_nothing_is_named() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("unnamed");
    let unnamed = Options {
        statement_cache_size: 0,
        application_name: Some("said".into()),
        ..options(server, &database)
    };
    let connection = connect_with(endpoint(server), unnamed).await;
    let setup = "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE item (id int, mood mood, at timestamptz)";
    connection.batch(setup, soon()).await.unwrap();
    let insert = "INSERT INTO item VALUES ($1, $2, $3)";
    let params = [Value::I32(7), Value::Text("ok".into()), Value::Null];
    assert_eq!(connection.execute(call(insert, &params)).await.unwrap(), 1);
    let target = underpin_core::driver::BulkTarget {
        table: "item",
        columns: &["id", "mood"],
    };
    assert_eq!(
        connection
            .bulk_insert(target, [(8, "sad")].into_iter(), soon())
            .await
            .unwrap(),
        1
    );
    let rows: Vec<(i32, String)> = connection
        .query(
            call(
                "SELECT id, mood FROM item WHERE id >= $1 ORDER BY id",
                &[Value::I64(7)],
            ),
            9,
        )
        .await
        .unwrap();
    assert_eq!(rows, [(7, "ok".to_owned()), (8, "sad".to_owned())]);

    // Many rows with a type that the client would look up in the middle of them.
    let sql = "SELECT 'sad'::mood FROM generate_series(1, 100000)";
    let rows: Vec<String> = connection.query(call(sql, &[]), usize::MAX).await.unwrap();
    assert_eq!(rows.len(), 100_000);
    assert_eq!(prepared(&connection).await, 0);
    let name = connection
        .query::<String>(call("SHOW application_name", &[]), 1)
        .await
        .unwrap();
    assert_eq!(name, ["said"]);

    let error = connection
        .execute(call("SELECT $1::int", &[Value::Text("x".into())]))
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Data, Effect::RolledBack),
        "{error}"
    );
    let none: Vec<ValueRow> = connection
        .query(call("SELECT 1 WHERE false", &[]), 9)
        .await
        .unwrap();
    assert!(none.is_empty());
    let error = connection
        .copy_in(
            "COPY item FROM STDIN",
            futures_util::stream::empty::<Result<_, std::io::Error>>(),
            soon(),
        )
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Unsupported, "{error}");
}

#[tokio::test]
async fn each_call_takes_no_more_round_trips_than_it_must() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("round_trips");
    let counts = Counts::default();
    for size in [256, 0] {
        let options = Options {
            statement_cache_size: size,
            ..options(server, &database)
        };
        let connector = Connector::new([endpoint(server)], options)
            .unwrap()
            .with_dialer(counts.clone());
        let connection = connector.connect(soon()).await.unwrap();
        let count = |what: &'static str, expected: usize| {
            assert_eq!(
                counts.turns.swap(0, Ordering::SeqCst),
                expected,
                "{what}, cache {size}"
            );
        };
        counts.turns.store(0, Ordering::SeqCst);
        let params = [Value::I32(1)];
        for first in [true, false] {
            connection
                .query::<i32>(call("SELECT $1::int", &params), 9)
                .await
                .unwrap();
            // Prepared, or queried for the types of its columns.
            count("a query", if first { 2 } else { 1 });
            connection
                .execute(call("SELECT $1::int8", &params))
                .await
                .unwrap();
            count("an execute", if first && size > 0 { 2 } else { 1 });
        }
        connection
            .begin(TransactionOptions::default(), soon())
            .await
            .unwrap();
        count("begin", 0);
        // Without prepared statements, BEGIN is awaited.
        let first = if size > 0 { 1 } else { 2 };
        connection
            .execute(call("SELECT $1::int8", &params))
            .await
            .unwrap();
        count("the first statement of a transaction", first);
        connection
            .execute(call("SELECT $1::int8", &params))
            .await
            .unwrap();
        count("the second", 1);
        connection.commit().await.unwrap();
        count("commit", 1);
        connection.reset(soon()).await.unwrap();
        count("a reset of what is clean", 0);
        for end in ["commit", "rollback", "reset"] {
            connection
                .begin(TransactionOptions::default(), soon())
                .await
                .unwrap();
            match end {
                "commit" => connection.commit().await.unwrap(),
                "rollback" => connection.rollback(soon()).await.unwrap(),
                _ => connection.reset(soon()).await.unwrap(),
            }
            assert_eq!(connection.state(), SessionState::Clean);
            count("a transaction without statements", 0);
        }
        connection
            .begin(TransactionOptions::default(), soon())
            .await
            .unwrap();
        connection.ping(soon()).await.unwrap();
        count("BEGIN by itself, and a ping", 2);
        connection.reset(soon()).await.unwrap();
        count("a transaction rolled back by a reset", 1);
        connection.ping(soon()).await.unwrap();
        count("a ping", 1);
    }
}

#[tokio::test]
async fn errors_say_what_and_where() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("errors");
    let connection = connect(server, &database).await;
    let setup = "CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL, n int CONSTRAINT positive CHECK (n > 0));
        INSERT INTO item VALUES (1, 'a', 1);
        CREATE TABLE child (item int CONSTRAINT of_item REFERENCES item)";
    connection.batch(setup, soon()).await.unwrap();
    for (sql, class, constraint) in [
        (
            "INSERT INTO item VALUES (1, 'a', 1)",
            Class::Constraint,
            Some("item_pkey"),
        ),
        (
            "INSERT INTO item VALUES (2, NULL, 1)",
            Class::Constraint,
            Some("item_name_not_null"),
        ),
        (
            "INSERT INTO item VALUES (2, 'a', 0)",
            Class::Constraint,
            Some("positive"),
        ),
        (
            "INSERT INTO child VALUES (9)",
            Class::Constraint,
            Some("of_item"),
        ),
        ("SELEKT 1", Class::Syntax, None),
        ("SELECT nothing FROM item", Class::Syntax, None),
        ("SELECT * FROM nothing", Class::Missing, None),
        ("SELECT 1/0", Class::Data, None),
        ("SELECT 'x'::int", Class::Data, None),
        ("SELECT 1; SELECT 2", Class::Syntax, None),
    ] {
        let error = connection.execute(call(sql, &[])).await.unwrap_err();
        assert_eq!(
            (error.class(), error.effect()),
            (class, Effect::RolledBack),
            "{sql}: {error}"
        );
        assert_eq!(error.constraint(), constraint, "{sql}: {error}");
        assert!(error.to_string().contains("SQLSTATE"), "{error}");
        assert_eq!(connection.state(), SessionState::Clean, "{sql}");
    }
    connection.batch("BEGIN READ ONLY", soon()).await.unwrap();
    let error = connection
        .execute(call("DELETE FROM item", &[]))
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::ReadOnly, "{error}");
    let error = connection.execute(call("SELECT 1", &[])).await.unwrap_err();
    assert_eq!(error.class(), Class::Closed, "{error}");
    connection.rollback(soon()).await.unwrap();
}

#[tokio::test]
async fn a_statement_about_a_recreated_type_is_prepared_again() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("type_again");
    let connection = connect(server, &database).await;
    let create = "CREATE TYPE mood AS ENUM ('well', 'ill'); CREATE TABLE item (mood mood)";
    connection.batch(create, soon()).await.unwrap();
    let statements = [
        "INSERT INTO item VALUES ($1)",
        "SELECT count(*) FROM item WHERE mood = $1",
        "SELECT $1::mood::text",
    ];
    let mood = [Value::Text("well".into())];
    for _ in 0..3 {
        for sql in statements {
            connection
                .query::<ValueRow>(call(sql, &mood), 1)
                .await
                .unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
        let other = connect(server, &database).await;
        let again = "DROP TABLE item; DROP TYPE mood; \
            CREATE TYPE mood AS ENUM ('ill', 'well'); CREATE TABLE item (mood mood)";
        other.batch(again, soon()).await.unwrap();
    }
}

#[tokio::test]
async fn a_transaction_with_an_outdated_statement_can_be_retried() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("outgrown_in_transaction");
    let connection = connect(server, &database).await;
    let create = "CREATE TABLE item (id int); INSERT INTO item VALUES (1)";
    connection.batch(create, soon()).await.unwrap();
    let read = async || {
        connection
            .begin(TransactionOptions::default(), soon())
            .await?;
        let rows = connection.query::<ValueRow>(call("SELECT * FROM item", &[]), 9);
        let rows = rows.await?;
        connection.commit().await?;
        Ok::<_, underpin_core::Error>(rows[0].values().len())
    };
    assert_eq!(read().await.unwrap(), 1);
    let other = connect(server, &database).await;
    let alter = "ALTER TABLE item ADD COLUMN name text";
    other.batch(alter, soon()).await.unwrap();
    let error = read().await.unwrap_err();
    assert_eq!(error.class(), Class::Conflict, "{error}");
    assert_eq!(error.effect(), Effect::RolledBack, "{error}");
    connection.rollback(soon()).await.unwrap();
    assert_eq!(read().await.unwrap(), 2);
}
