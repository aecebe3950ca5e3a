use std::convert::Infallible;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use underpin_core::driver::{
    BulkTarget, Connection as _, ConnectionExt as _, Pooled as _, SessionState,
};
use underpin_core::{Class, Effect, IntoParams, TransactionOptions, Value};
use underpin_postgres::Options;
use underpin_testkit::{Postgres, or_skip};

use crate::place::{call, connect, connect_with, endpoint, options, soon};

const TARGET: BulkTarget<'_> = BulkTarget {
    table: "item",
    columns: &["id", "name"],
};

#[tokio::test]
async fn rows_go_in_all_or_none() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("bulk");
    let connection = connect(server, &database).await;
    let table = "CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL, made timestamptz DEFAULT now())";
    connection.batch(table, soon()).await.unwrap();
    let row = |id: i32| (id, format!("item {id}"));
    let count = connection
        .bulk_insert(TARGET, (0..50_000).map(row), soon())
        .await
        .unwrap();
    assert_eq!(count, 50_000);
    assert_eq!(connection.state(), SessionState::Clean);
    assert_eq!(
        connection
            .bulk_insert(TARGET, [(1, "a"); 0].into_iter(), soon())
            .await
            .unwrap(),
        0
    );

    let misfit = (50_000..90_000i64).map(|id| {
        if id == 80_000 {
            (i64::MAX, "b")
        } else {
            (id, "a")
        }
    });
    let error = connection
        .bulk_insert(TARGET, misfit, soon())
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Data, Effect::RolledBack),
        "{error}"
    );
    assert!(
        error.to_string().contains("Row 30001") && error.to_string().contains("\"id\""),
        "{error}"
    );
    assert_eq!(connection.state(), SessionState::Clean);

    let again = (50_000..90_000).chain([7]).map(row);
    let error = connection
        .bulk_insert(TARGET, again, soon())
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Constraint, Effect::RolledBack),
        "{error}"
    );
    assert_eq!(error.constraint(), Some("item_pkey"));
    assert_eq!(connection.state(), SessionState::Clean);

    let nulls = [(100_000, Some("a")), (100_001, None)];
    let error = connection
        .bulk_insert(TARGET, nulls.into_iter(), soon())
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Constraint, "{error}");
    let count: Vec<i64> = connection
        .query(call("SELECT count(*) FROM item", &[]), 1)
        .await
        .unwrap();
    assert_eq!(count, [50_000]);
}

#[tokio::test]
async fn a_table_that_is_not_there_leaves_the_connection_whole() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("bulk_nowhere");
    let connection = connect(server, &database).await;
    let error = connection
        .bulk_insert(TARGET, [(1, "a")].into_iter(), soon())
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Missing, Effect::RolledBack),
        "{error}"
    );
    let data = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"1\n"))]);
    let error = connection
        .copy_in("COPY nowhere FROM STDIN", data, soon())
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Missing, Effect::RolledBack),
        "{error}"
    );
    let one: Vec<i32> = connection.query(call("SELECT 1", &[]), 1).await.unwrap();
    assert_eq!(one, [1]);
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(connection.state(), SessionState::Clean);
}

#[tokio::test]
async fn a_commit_that_fails_after_the_rows_is_an_error() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("bulk_deferred");
    let connection = connect(server, &database).await;
    let tables = "CREATE TABLE parent (id int PRIMARY KEY);
        CREATE TABLE item (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED, name text)";
    connection.batch(tables, soon()).await.unwrap();
    let error = connection
        .bulk_insert(TARGET, [(1, "a")].into_iter(), soon())
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Constraint, Effect::RolledBack),
        "{error}"
    );
    let count: Vec<i64> = connection
        .query(call("SELECT count(*) FROM item", &[]), 1)
        .await
        .unwrap();
    assert_eq!(count, [0]);
}

#[tokio::test]
async fn within_a_transaction_rows_go_with_it() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("bulk_transaction");
    for size in [256, 0] {
        let options = Options {
            statement_cache_size: size,
            ..options(server, &database)
        };
        let connection = connect_with(endpoint(server), options).await;
        let table = "DROP TABLE IF EXISTS item; CREATE TABLE item (id int, name text)";
        connection.batch(table, soon()).await.unwrap();
        connection
            .begin(TransactionOptions::default(), soon())
            .await
            .unwrap();
        assert_eq!(
            connection
                .bulk_insert(TARGET, [(1, "a")].into_iter(), soon())
                .await
                .unwrap(),
            1
        );
        assert_eq!(connection.state(), SessionState::InTransaction);
        connection.rollback(soon()).await.unwrap();
        assert_eq!(
            connection
                .bulk_insert(TARGET, [(2, "b")].into_iter(), soon())
                .await
                .unwrap(),
            1
        );
        let ids: Vec<i32> = connection
            .query(call("SELECT id FROM item", &[]), 9)
            .await
            .unwrap();
        assert_eq!(ids, [2]);
        let error = connection
            .bulk_insert(TARGET, [(3, "x"), (4, "a\0")].into_iter(), soon())
            .await;
        assert_eq!(error.unwrap_err().class(), Class::Data);
        assert_eq!(connection.state(), SessionState::Clean);
        let ids: Vec<i32> = connection
            .query(call("SELECT id FROM item", &[]), 9)
            .await
            .unwrap();
        assert_eq!(ids, [2]);
    }
}

#[tokio::test]
async fn texts_for_other_types_go_in_too() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("bulk_texts");
    let connection = connect(server, &database).await;
    let table = "CREATE TABLE item (id int, name date, n numeric)";
    connection.batch(table, soon()).await.unwrap();
    let target = BulkTarget {
        table: "public.item",
        columns: &["id", "name", "n"],
    };
    let text = |text: &str| Value::Text(text.into());
    // The first row chooses: in one case the server parses the texts, in the other the client.
    for rows in [
        [
            (1, text("2024-01-31"), text("1.50")).into_params(),
            (2, Value::Null, Value::F64(2.5)).into_params(),
        ],
        [
            (3, Value::Null, Value::Null).into_params(),
            (4, text("2024-01-31"), Value::F64(2.5)).into_params(),
        ],
    ] {
        connection
            .bulk_insert(target, rows.into_iter(), soon())
            .await
            .unwrap();
    }
    let read: Vec<(i32, Option<String>, Option<String>)> = connection
        .query(
            call("SELECT id, name::text, n::text FROM item ORDER BY id", &[]),
            9,
        )
        .await
        .unwrap();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        read,
        [
            (1, some("2024-01-31"), some("1.50")),
            (2, None, some("2.5")),
            (3, None, None),
            (4, some("2024-01-31"), some("2.5")),
        ]
    );
}

#[tokio::test]
async fn copy_in_and_out() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("copy");
    let connection = connect(server, &database).await;
    connection
        .batch("CREATE TABLE item (id int PRIMARY KEY, name text)", soon())
        .await
        .unwrap();
    let lines =
        (0..100_000).map(|id| Ok::<_, std::io::Error>(Bytes::from(format!("{id}\titem {id}\n"))));
    let count = connection
        .copy_in("COPY item FROM STDIN", stream::iter(lines), soon())
        .await
        .unwrap();
    assert_eq!(count, 100_000);
    assert_eq!(connection.state(), SessionState::Clean);

    let broken = [
        Ok(Bytes::from("200000\ta\n")),
        Err(std::io::Error::other("the file ended")),
    ];
    let error = connection
        .copy_in("COPY item FROM STDIN", stream::iter(broken), soon())
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Data, Effect::RolledBack),
        "{error}"
    );
    assert!(error.to_string().contains("the file ended"), "{error}");
    assert_eq!(connection.state(), SessionState::Clean);

    let twice = stream::iter([Ok::<_, Infallible>(Bytes::from("7\tagain\n"))]);
    let error = connection
        .copy_in("COPY item FROM STDIN", twice, soon())
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Constraint, Effect::RolledBack),
        "{error}"
    );

    let mut out = connection
        .copy_out("COPY item TO STDOUT", soon())
        .await
        .unwrap();
    assert_eq!(connection.state(), SessionState::Busy);
    let error = connection.execute(call("SELECT 1", &[])).await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Unsupported, Effect::NotSent),
        "{error}"
    );
    let mut bytes = 0;
    while let Some(chunk) = out.try_next().await.unwrap() {
        bytes += chunk.len();
    }
    let expected: usize = (0..100_000)
        .map(|id| format!("{id}\titem {id}\n").len())
        .sum();
    assert_eq!(bytes, expected);
    assert_eq!(connection.state(), SessionState::Clean);

    let failing = "COPY (SELECT 1 / (id - 50000) FROM item ORDER BY id) TO STDOUT";
    let ended: Vec<_> = connection
        .copy_out(failing, soon())
        .await
        .unwrap()
        .collect()
        .await;
    let error = ended.into_iter().last().unwrap().unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Data, Effect::RolledBack),
        "{error}"
    );
    assert_eq!(connection.state(), SessionState::Clean);
}

#[tokio::test]
async fn a_copy_by_other_calls_is_refused() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("copy_refused");
    let connection = connect(server, &database).await;
    connection
        .batch("CREATE TABLE item (id int)", soon())
        .await
        .unwrap();
    for sql in ["COPY item FROM STDIN", "COPY item TO STDOUT"] {
        for error in [
            connection.execute(call(sql, &[])).await.unwrap_err(),
            connection
                .query::<underpin_core::ValueRow>(call(sql, &[]), 9)
                .await
                .unwrap_err(),
            connection.batch(sql, soon()).await.unwrap_err(),
        ] {
            assert_eq!(
                (error.class(), error.effect()),
                (Class::Unsupported, Effect::NotSent),
                "{error}"
            );
        }
    }
    assert_eq!(connection.state(), SessionState::Clean);
}

#[tokio::test]
async fn a_copy_dropped_before_it_is_granted_leaves_the_order_of_answers() {
    use futures_util::FutureExt;
    let server = or_skip!(Postgres::shared());
    let database = server.database("copy_dropped");
    let connection = connect(server, &database).await;
    for (sql, turns) in [
        ("COPY nowhere FROM STDIN", 1),
        ("COPY nowhere FROM STDIN", 3),
        ("COPY item FROM STDIN", 3),
    ] {
        connection
            .batch(
                "DROP TABLE IF EXISTS item; CREATE TABLE item (id int)",
                soon(),
            )
            .await
            .unwrap();
        let never = stream::pending::<Result<Bytes, Infallible>>();
        let mut copy = Box::pin(connection.copy_in(sql, never, soon()));
        for _ in 0..turns {
            let _ = (&mut copy).now_or_never();
            tokio::task::yield_now().await;
        }
        drop(copy);
        // Whatever answers arrive, each goes to its own statement.
        for n in 0..20 {
            let params = [Value::I32(n)];
            let rows = connection
                .query::<i32>(call("SELECT $1::int", &params), 1)
                .await
                .unwrap();
            assert_eq!(rows, [n]);
        }
        assert_eq!(connection.state(), SessionState::Clean);
    }
}
