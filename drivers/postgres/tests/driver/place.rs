use std::time::{Duration, Instant};

use underpin_core::driver::{Call, Connector as _};
use underpin_core::{Deadline, Endpoint, Secret, TlsMode, TlsOptions, Value};
use underpin_postgres::{Connection, Connector, Options};
use underpin_testkit::{Postgres, Proxy, TestDatabase};

/// Options for an unencrypted connection to a test's database.
pub(crate) fn options(server: &Postgres, database: &TestDatabase) -> Options {
    Options {
        database: Some(database.name().to_owned()),
        user: server.user().to_owned(),
        password: Secret::new(server.password()),
        tls: TlsOptions::new(TlsMode::Disable),
        ..Options::default()
    }
}

pub(crate) fn endpoint(server: &Postgres) -> Endpoint {
    Endpoint::tcp(server.host(), server.port())
}

/// The major version of the server.
pub(crate) fn major(connection: &Connection) -> u32 {
    let version = connection.client().parameter("server_version").unwrap();
    let digits = version.split(|c: char| !c.is_ascii_digit()).next();
    digits.unwrap().parse().unwrap()
}

pub(crate) fn soon() -> Deadline {
    within(20_000)
}

pub(crate) fn within(milliseconds: u64) -> Deadline {
    Deadline::after(Instant::now(), Duration::from_millis(milliseconds))
}

pub(crate) fn call<'a>(sql: &'a str, params: &'a [Value]) -> Call<'a> {
    Call {
        sql,
        params,
        deadline: soon(),
        shared: false,
    }
}

pub(crate) async fn connect_with(endpoint: Endpoint, options: Options) -> Connection {
    Connector::new([endpoint], options)
        .unwrap()
        .connect(soon())
        .await
        .unwrap()
}

pub(crate) async fn connect(server: &Postgres, database: &TestDatabase) -> Connection {
    connect_with(endpoint(server), options(server, database)).await
}

pub(crate) async fn connect_through(
    proxy: &Proxy,
    server: &Postgres,
    database: &TestDatabase,
) -> Connection {
    connect_with(
        Endpoint::tcp("127.0.0.1", proxy.port()),
        options(server, database),
    )
    .await
}

/// Waits until the condition holds, and checks at most 5,000 times, every 2 ms.
pub(crate) async fn eventually(what: &str, mut this: impl FnMut() -> bool) {
    for _ in 0..5_000 {
        if this() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("this never happened: {what}");
}
