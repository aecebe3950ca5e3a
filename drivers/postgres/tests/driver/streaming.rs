use futures_util::{StreamExt, TryStreamExt};
use underpin_core::driver::{Connection as _, Pooled as _, SessionState};
use underpin_core::{Class, Effect, Value, ValueRow};
use underpin_postgres::Options;
use underpin_testkit::{Postgres, or_skip};

use crate::place::{call, connect, connect_with, endpoint, options};

/// The memory that this process holds, in kilobytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_large_result_streams_in_bounded_memory() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("streaming");
    for size in [256, 0] {
        let options = Options {
            statement_cache_size: size,
            ..options(server, &database)
        };
        let connection = connect_with(endpoint(server), options).await;
        // A quarter of a gigabyte.
        let sql = "SELECT n, repeat('x', 1000) FROM generate_series(1, $1::int) n";
        let params = [Value::I32(250_000)];
        let before = resident();
        let (columns, mut rows) = connection
            .stream::<(i32, String)>(call(sql, &params))
            .await
            .unwrap();
        assert_eq!(columns.len(), 2);
        assert_eq!(connection.state(), SessionState::Busy);
        let mut count = 0;
        let mut most = 0;
        while let Some((n, text)) = rows.try_next().await.unwrap() {
            count += 1;
            assert_eq!((n, text.len()), (count, 1000));
            if count % 10_000 == 0 {
                most = most.max(resident());
            }
        }
        assert_eq!(count, 250_000);
        assert!(most < before + 50_000, "from {before} to {most} kB");
        assert_eq!(connection.state(), SessionState::Clean);
    }
}

#[tokio::test]
async fn a_stream_that_is_not_read_does_not_fill_up() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("stalled");
    let connection = connect(server, &database).await;
    let before = resident();
    let sql = "SELECT repeat('x', 1000) FROM generate_series(1, 250000)";
    let (_, mut rows) = connection.stream::<String>(call(sql, &[])).await.unwrap();
    rows.next().await.unwrap().unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert!(resident() < before + 50_000);
    assert_eq!(rows.count().await, 249_999);
}

#[tokio::test]
async fn failures_come_from_the_stream() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("stream_failures");
    let connection = connect(server, &database).await;
    let sql = "SELECT 1 / (n - 5000) FROM generate_series(1, 10000) n";
    let (_, rows) = connection.stream::<i32>(call(sql, &[])).await.unwrap();
    let rows: Vec<_> = rows.collect().await;
    assert!(rows.len() > 1 && rows[..rows.len() - 1].iter().all(Result::is_ok));
    let error = rows.last().unwrap().as_ref().unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Data, Effect::RolledBack),
        "{error}"
    );
    assert_eq!(connection.state(), SessionState::Clean);

    let Err(error) = connection
        .stream::<i32>(call("SELECT * FROM nowhere", &[]))
        .await
    else {
        panic!("there is no such table");
    };
    assert_eq!(error.class(), Class::NotFound, "{error}");
    let (columns, rows) = connection
        .stream::<ValueRow>(call("SELECT 1 AS a WHERE false", &[]))
        .await
        .unwrap();
    assert_eq!(columns.0[0].name, "a");
    assert_eq!(rows.count().await, 0);
    assert_eq!(connection.state(), SessionState::Clean);
}
