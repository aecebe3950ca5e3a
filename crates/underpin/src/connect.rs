//! Opens pools from a configuration.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use underpin_cluster::{Cluster, ClusterOptions, Observer, connect_to_primary};
use underpin_config::Config;
use underpin_core::driver::{AnyConnection, AnyConnector};
use underpin_core::retry::{Decision, Operation, RetryPolicy};
use underpin_core::{Address, Class, Deadline, Endpoint, Error, Result, Role};
use underpin_pool::{PoolOptions, Shedding};

use crate::database::Database;
use crate::engines::{self, EngineDriver, Opened};
use crate::session::{Held, Session};

/// Opens the pools. Connections are established in the background, or with the first call.
pub(crate) fn open(config: Config, lazy: bool) -> Result<Database> {
    let driver = engines::driver(config.engine())?;
    open_with(driver, config, lazy)
}

pub(crate) fn open_with(
    driver: Arc<dyn EngineDriver>,
    config: Config,
    lazy: bool,
) -> Result<Database> {
    let (members, discovery) = match driver.open(&config)? {
        Opened::Own(backend) => return Ok(Database::new(driver, config, backend)),
        Opened::Members(members) => (members, None),
        Opened::Discovered(members, discovery) => (members, Some(discovery)),
    };
    let options = ClusterOptions {
        capabilities: driver.capabilities(),
        shares: driver.shares(),
        pipelining: config.pipelining(),
        retry: retry_policy(&config),
        two_primaries: config.two_primaries(),
        lazy,
    };
    let backend = Box::new(Cluster::open(members, options, discovery)?);
    Ok(Database::new(driver, config, backend))
}

/// Opens one connection outside any pool.
pub(crate) async fn single(config: &Config) -> Result<Session> {
    let driver = engines::driver(config.engine())?;
    let held = Held::Owned(alone(&*driver, config).await?);
    let (counters, observer) = (Arc::default(), Observer::default());
    Ok(Session::new(held, &*driver, counters, observer))
}

/// The same as the driver's connection.
pub(crate) async fn alone(driver: &dyn EngineDriver, config: &Config) -> Result<AnyConnection> {
    let opened = driver.open(config)?;
    let Some((members, _)) = opened.members(config.connection_timeout()).await? else {
        return Err(Error::new(
            Class::Unsupported,
            format!(
                "The engine {} cannot open a single connection.",
                driver.engine()
            ),
        )
        .with_hint("Open a Database instead."));
    };
    let writing = members
        .into_iter()
        .filter(|member| member.role != Some(Role::Replica));
    let connectors: Vec<AnyConnector> = writing.map(|member| member.connector).collect();
    attempts(&connectors, config).await
}

/// Connects, and retries after the configured waits if a retry may help.
async fn attempts(connectors: &[AnyConnector], config: &Config) -> Result<AnyConnection> {
    let policy = retry_policy(config);
    let mut attempt = 0;
    loop {
        let deadline = Deadline::after(Instant::now().into_std(), config.connection_timeout());
        let error = match connect_to_primary(connectors, deadline).await {
            Ok(connection) => return Ok(connection),
            Err(error) => error,
        };
        match policy.decide(attempt, &error, Operation::Connect, None, fastrand::f64()) {
            Decision::Retry { after } => {
                let wait_ms = after.as_millis() as u64;
                tracing::warn!(%error, attempt, wait_ms, "connecting is retried");
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

/// The location of the database for messages: endpoints and database, no secret.
pub(crate) fn whereabouts(config: &Config) -> String {
    whereabouts_of(config.endpoints(), config)
}

/// The location for some of the endpoints.
pub(crate) fn whereabouts_of(endpoints: &[Endpoint], config: &Config) -> String {
    let named: Vec<String> = endpoints.iter().map(ToString::to_string).collect();
    let named = named.join(",");
    match endpoints[0].address {
        // The path of these is the database.
        Address::File(_) | Address::Memory | Address::DataSource(_) => named,
        _ => format!("{named}/{}", config.database()),
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
        recycling: config.recycling().clone(),
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
