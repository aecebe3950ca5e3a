#![allow(dead_code, reason = "each test file uses a part")]

use std::time::{Duration, Instant};

use underpin_core::driver::{
    Call, Connection as _, ConnectionExt as _, Connector as _, Pooled as _, SessionState,
};
use underpin_core::{Deadline, Endpoint, FromRow, Result, Value};
use underpin_sqlite::{Connection, Connector, Options};
use underpin_testkit::SqliteFile;

pub(crate) async fn open(file: &SqliteFile, options: Options) -> Result<Connection> {
    Connector::new(Endpoint::file(file.path()), options)
        .connect(Deadline::NONE)
        .await
}

pub(crate) async fn writer(file: &SqliteFile) -> Connection {
    open(file, Options::writer()).await.unwrap()
}

pub(crate) async fn memory() -> Connection {
    let connector = Connector::new(Endpoint::memory(), Options::writer());
    connector.connect(Deadline::NONE).await.unwrap()
}

pub(crate) fn call<'a>(sql: &'a str, params: &'a [Value]) -> Call<'a> {
    Call {
        sql,
        params,
        deadline: Deadline::NONE,
        shared: false,
    }
}

pub(crate) fn within(milliseconds: u64) -> Deadline {
    Deadline::after(Instant::now(), Duration::from_millis(milliseconds))
}

pub(crate) async fn execute(connection: &Connection, sql: &str) -> Result<u64> {
    connection.execute(call(sql, &[])).await
}

pub(crate) async fn rows<T: FromRow + Send + 'static>(
    connection: &Connection,
    sql: &str,
) -> Vec<T> {
    connection.query(call(sql, &[]), usize::MAX).await.unwrap()
}

pub(crate) async fn one<T: FromRow + Send + 'static>(connection: &Connection, sql: &str) -> T {
    rows(connection, sql).await.pop().expect("a row")
}

/// Waits until the thread has finished the dropped statements.
pub(crate) async fn settled(connection: &Connection) -> SessionState {
    let until = Instant::now() + Duration::from_secs(5);
    while connection.state() == SessionState::Busy {
        assert!(Instant::now() < until, "the thread does not come free");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    connection.state()
}

/// A statement that runs for minutes.
pub(crate) const FOREVER: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000000000) SELECT max(i) FROM n";
