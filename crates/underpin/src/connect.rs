//! From a configuration to pools.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use underpin_config::Config;
use underpin_core::driver::Connector;
use underpin_core::retry::{Decision, Operation, RetryPolicy};
use underpin_core::{Class, Deadline, Engine, Error, Result};
#[cfg(feature = "postgres")]
use underpin_pool::Hooks;
use underpin_pool::{Pool, PoolOptions, Shedding};

use crate::backend::Backend;
use crate::counters::Counters;
use crate::database::Database;
use crate::service::Service;
use crate::session::{AnyHeld, Held, Session};

/// Opens the pools; connects in the background, or not before the first call.
pub(crate) fn open(config: Config, lazy: bool) -> Result<Database> {
    let backend = match config.engine() {
        #[cfg(feature = "postgres")]
        Engine::POSTGRES => {
            let connector = postgres_connector(&config)?;
            postgres(&config, connector, Hooks::new(), lazy)?
        }
        #[cfg(feature = "sqlite")]
        Engine::SQLITE => sqlite(&config, lazy)?,
        engine => return Err(not_compiled_in(engine)),
    };
    Ok(Database::new(config, backend))
}

/// Opens one connection outside any pool.
pub(crate) async fn single(config: &Config) -> Result<Session> {
    let held = match config.engine() {
        #[cfg(feature = "postgres")]
        Engine::POSTGRES => {
            let connector = postgres_connector(config)?;
            AnyHeld::Postgres(Held::Owned(attempts(&connector, config).await?))
        }
        #[cfg(feature = "sqlite")]
        Engine::SQLITE => {
            let connector = sqlite_connector(config, underpin_sqlite::Access::Writer);
            AnyHeld::Sqlite(Held::Owned(attempts(&connector, config).await?))
        }
        engine => return Err(not_compiled_in(engine)),
    };
    Ok(Session::new(held, Arc::new(Counters::default())))
}

/// Connects, and again after the configured waits where that may help.
async fn attempts<C: Connector>(connector: &C, config: &Config) -> Result<C::Connection> {
    let policy = retry_policy(config);
    let mut attempt = 0;
    loop {
        let deadline = Deadline::after(Instant::now().into_std(), config.connection_timeout());
        let error = match connector.connect(deadline).await {
            Ok(connection) => return Ok(connection),
            Err(error) => error,
        };
        match policy.decide(attempt, &error, Operation::Connect, None, fastrand::f64()) {
            Decision::Retry { after } => {
                let wait_ms = after.as_millis() as u64;
                tracing::warn!(%error, attempt, wait_ms, "connecting is tried again");
                tokio::time::sleep(after).await;
                attempt += 1;
            }
            Decision::GiveUp(_) => {
                tracing::error!(%error, "connecting failed");
                return Err(error);
            }
        }
    }
}

/// Where the database is, for people: endpoints and database, no secret.
pub(crate) fn whereabouts(config: &Config) -> String {
    let endpoints: Vec<String> = config.endpoints().iter().map(ToString::to_string).collect();
    match config.engine() {
        Engine::POSTGRES => format!("{}/{}", endpoints.join(","), config.database()),
        _ => endpoints.join(","),
    }
}

pub(crate) fn pool_options(config: &Config, name: String, lazy: bool) -> PoolOptions {
    PoolOptions {
        name,
        min: config.pool_min_size(),
        max: config.pool_max_size(),
        max_overflow: config.max_overflow(),
        acquire_timeout: config.acquire_timeout(),
        connection_timeout: config.connection_timeout(),
        idle_timeout: config.idle_timeout().unwrap_or(Duration::MAX),
        max_lifetime: config.max_lifetime().unwrap_or(Duration::MAX),
        health_check: config.health_check(),
        health_check_interval: config.health_check_interval().unwrap_or(Duration::MAX),
        retry: retry_policy(config),
        leak_threshold: config.leak_threshold(),
        max_waiting: config.pool_max_waiting(),
        shedding: config.shed_target().map(|target| Shedding {
            target,
            interval: config.shed_interval(),
        }),
        lazy,
        ..PoolOptions::default()
    }
}

fn retry_policy(config: &Config) -> RetryPolicy {
    RetryPolicy {
        max_retries: config.max_retries(),
        ..RetryPolicy::default()
    }
}

fn service<C>(primary: Pool<C>, readers: Option<Pool<C>>, config: &Config) -> Service<C>
where
    C: Connector,
    C::Connection: underpin_core::driver::Connection,
{
    Service::new(
        primary,
        readers,
        config.pipelining(),
        retry_policy(config),
        Arc::new(Counters::default()),
    )
}

#[cfg(feature = "postgres")]
pub(crate) fn postgres_connector(config: &Config) -> Result<underpin_postgres::Connector> {
    // One way of encrypting for all endpoints: the strictest that any of them asks for.
    let tls = config
        .endpoints()
        .iter()
        .map(|endpoint| config.tls(endpoint));
    let tls = tls
        .max_by_key(|tls| tls.mode)
        .expect("a configuration has an endpoint");
    let options = underpin_postgres::Options {
        database: Some(config.database().to_owned()),
        user: config.user().unwrap_or_default().to_owned(),
        password: config.password().clone(),
        tls,
        application_name: config.application_name().map(str::to_owned),
        statement_timeout: config.statement_timeout(),
        statement_cache_size: config.statement_cache_size() as usize,
        options: config.options().map(str::to_owned),
    };
    underpin_postgres::Connector::new(config.endpoints().iter().cloned(), options)
}

#[cfg(feature = "postgres")]
pub(crate) fn postgres(
    config: &Config,
    connector: underpin_postgres::Connector,
    hooks: Hooks<underpin_postgres::Connection>,
    lazy: bool,
) -> Result<Backend> {
    let options = pool_options(config, whereabouts(config), lazy);
    let pool = Pool::open_with(connector, options, hooks)?;
    Ok(Backend::Postgres(service(pool, None, config)))
}

#[cfg(feature = "sqlite")]
pub(crate) fn sqlite_connector(
    config: &Config,
    access: underpin_sqlite::Access,
) -> underpin_sqlite::Connector {
    let options = underpin_sqlite::Options {
        access,
        busy_timeout: config.busy_timeout().unwrap_or(Duration::ZERO),
        statement_timeout: config.statement_timeout(),
        statement_cache_size: config.statement_cache_size() as usize,
        read_only: config.read_only(),
        ..underpin_sqlite::Options::default()
    };
    underpin_sqlite::Connector::new(config.endpoints()[0].clone(), options)
}

/// One writer and many readers, as one primary and its replicas; a database in memory has
/// one connection, which nothing may close.
#[cfg(feature = "sqlite")]
fn sqlite(config: &Config, lazy: bool) -> Result<Backend> {
    use underpin_sqlite::Access;

    let place = whereabouts(config);
    let usual = pool_options(config, place.clone(), lazy);
    let one = PoolOptions {
        min: 1,
        max: 1,
        max_overflow: 0,
        ..usual.clone()
    };
    let writer = sqlite_connector(config, Access::Writer);
    if config.is_memory() {
        let forever = PoolOptions {
            idle_timeout: Duration::MAX,
            max_lifetime: Duration::MAX,
            ..one
        };
        return Ok(Backend::Sqlite(service(
            Pool::open(writer, forever)?,
            None,
            config,
        )));
    }
    let readers = PoolOptions {
        name: readers_of(&place),
        lazy: true,
        ..usual
    };
    let readers = Pool::open(sqlite_connector(config, Access::Reader), readers)?;
    Ok(Backend::Sqlite(service(
        Pool::open(writer, one)?,
        Some(readers),
        config,
    )))
}

/// What the pool of the readers of a SQLite database is called.
#[cfg(feature = "sqlite")]
pub(crate) fn readers_of(place: &str) -> String {
    format!("{place} (readers)")
}

#[cfg(not(all(feature = "postgres", feature = "sqlite")))]
#[cold]
fn not_compiled_in(engine: Engine) -> Error {
    Error::new(
        Class::Unsupported,
        format!("This program was built without the engine {engine}."),
    )
    .with_hint(format!(
        "Build it with the feature `{engine}` of the crate underpin."
    ))
}

#[cfg(all(feature = "postgres", feature = "sqlite"))]
fn not_compiled_in(engine: Engine) -> Error {
    Error::new(
        Class::Unsupported,
        format!("This build cannot connect to {engine}."),
    )
}
