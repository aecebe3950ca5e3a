use std::sync::atomic::Ordering;

use futures_util::{StreamExt, TryStreamExt};
use underpin_core::driver::{ConnectionExt as _, Connector as _, Pooled as _, SessionState};
use underpin_core::{Class, Effect, Value, ValueRow};
use underpin_postgres::{Connector, Options};
use underpin_testkit::{Postgres, or_skip};

use crate::counts::Counts;
use crate::place::{call, connect, endpoint, options, soon};

/// Maximum number of received bytes that are held unread.
const BOUND: usize = 2 << 20;

#[tokio::test]
async fn a_large_result_streams_in_bounded_memory() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("streaming");
    for size in [256, 0] {
        let options = Options {
            statement_cache_size: size,
            ..options(server, &database)
        };
        let counts = Counts::default();
        let connector = Connector::new([endpoint(server)], options).unwrap();
        let connection = connector
            .with_dialer(counts.clone())
            .connect(soon())
            .await
            .unwrap();
        // A quarter of a gigabyte.
        let sql = "SELECT n, repeat('x', 1000) FROM generate_series(1, $1::int) n";
        let params = [Value::I32(250_000)];
        let (columns, mut rows) = connection
            .stream::<(i32, String)>(call(sql, &params))
            .await
            .unwrap();
        assert_eq!(columns.len(), 2);
        assert_eq!(connection.state(), SessionState::Busy);
        let mut count = 0;
        while let Some((n, text)) = rows.try_next().await.unwrap() {
            count += 1;
            assert_eq!((n, text.len()), (count, 1000));
            let ahead = counts.received.load(Ordering::SeqCst) - 1000 * count as usize;
            // Each row has an overhead of about 20 bytes.
            assert!(
                ahead < BOUND + 30 * count as usize,
                "{ahead} bytes ahead at row {count}"
            );
        }
        assert_eq!(count, 250_000);
        assert_eq!(connection.state(), SessionState::Clean);
    }
}

#[tokio::test]
async fn a_stream_that_is_not_read_does_not_fill_up() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("stalled");
    let counts = Counts::default();
    let connector = Connector::new([endpoint(server)], options(server, &database)).unwrap();
    let connection = connector
        .with_dialer(counts.clone())
        .connect(soon())
        .await
        .unwrap();
    let sql = "SELECT repeat('x', 1000) FROM generate_series(1, 250000)";
    let (_, mut rows) = connection.stream::<String>(call(sql, &[])).await.unwrap();
    rows.next().await.unwrap().unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(counts.received.load(Ordering::SeqCst) < BOUND);
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
    assert_eq!(error.class(), Class::Missing, "{error}");
    let (columns, rows) = connection
        .stream::<ValueRow>(call("SELECT 1 AS a WHERE false", &[]))
        .await
        .unwrap();
    assert_eq!(columns.0[0].name, "a");
    assert_eq!(rows.count().await, 0);
    assert_eq!(connection.state(), SessionState::Clean);
}
