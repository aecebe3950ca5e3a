use underpin_core::driver::{Connection as _, ConnectionExt as _, Pooled as _, SessionState};
use underpin_core::{Class, Effect, Value, ValueRow};
use underpin_testkit::{Postgres, or_skip};

use crate::place::{call, connect, soon};

#[tokio::test]
async fn rows_beyond_the_limit_are_discarded() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("limit");
    let connection = connect(server, &database).await;
    let sql = "SELECT generate_series(1, 100000)";
    for limit in [0, 1, 3] {
        let rows = connection
            .query::<i32>(call(sql, &[]), limit)
            .await
            .unwrap();
        assert_eq!(rows, (1..=limit as i32).collect::<Vec<_>>());
        assert_eq!(connection.state(), SessionState::Clean);
    }
    connection
        .batch("CREATE TABLE item (id int)", soon())
        .await
        .unwrap();
    let insert = "INSERT INTO item SELECT generate_series(1, 10) RETURNING id";
    assert_eq!(
        connection.query::<i32>(call(insert, &[]), 1).await.unwrap(),
        [1]
    );
    assert_eq!(
        connection
            .execute(call("DELETE FROM item", &[]))
            .await
            .unwrap(),
        10
    );
}

#[tokio::test]
async fn a_row_type_that_cannot_fit_is_refused_before_the_statement_runs() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("layout");
    let connection = connect(server, &database).await;
    connection
        .batch("CREATE TABLE item (id int)", soon())
        .await
        .unwrap();
    let insert = "INSERT INTO item VALUES (1) RETURNING id, id";
    let error = connection
        .query::<i32>(call(insert, &[]), 9)
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Data, Effect::NotSent),
        "{error}"
    );
    let count = connection
        .query::<i64>(call("SELECT count(*) FROM item", &[]), 9)
        .await
        .unwrap();
    assert_eq!(count, [0]);
}

#[tokio::test]
async fn rows_of_unknown_shape_have_names_and_types() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("shape");
    let connection = connect(server, &database).await;
    let sql = "SELECT 1 AS id, 'a'::text AS name, ARRAY[1.5] AS list, NULL::date AS day";
    let rows = connection
        .query::<ValueRow>(call(sql, &[]), 9)
        .await
        .unwrap();
    use underpin_core::Row as _;
    let columns: Vec<String> = rows[0]
        .columns()
        .iter()
        .map(|column| format!("{} {}", column.name, column.type_name))
        .collect();
    assert_eq!(
        columns,
        ["id int4", "name text", "list numeric[]", "day date"]
    );
    assert_eq!(
        rows[0].values()[2],
        Value::Array(vec![Value::Numeric("1.5".parse().unwrap())])
    );
}

#[tokio::test]
async fn many_statements_are_under_way_at_once() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("lane");
    let connection = connect(server, &database).await;
    let calls = (0..500).map(|n| {
        let connection = &connection;
        async move {
            let params = [Value::I32(n)];
            if n % 10 == 0 {
                let error = connection
                    .execute(call("SELECT 1 / ($1::int - $1)", &params))
                    .await
                    .unwrap_err();
                assert_eq!(
                    (error.class(), error.effect()),
                    (Class::Data, Effect::RolledBack),
                    "{error}"
                );
            } else {
                let rows = connection
                    .query::<i32>(call("SELECT $1::int", &params), 9)
                    .await
                    .unwrap();
                assert_eq!(rows, [n]);
            }
        }
    });
    futures_util::future::join_all(calls).await;
    assert_eq!(
        (connection.state(), connection.in_flight()),
        (SessionState::Clean, 0)
    );
}
