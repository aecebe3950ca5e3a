use std::future::Future;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use underpin_config::Config;
use underpin_core::driver::Connector;
use underpin_core::{Class, Deadline, Error, Result};
use underpin_pool::{Bounds, Pool, PoolOptions};

use crate::backend::Backend;
use crate::config::IntoConfig;
use crate::connect;
use crate::database::Database;
use crate::service::deadline_of;

impl Database {
    /// Goes on with another configuration: other hosts, another database, user or password,
    /// other bounds. It is tried first, by opening one connection. From then on connections
    /// are opened by it; those of the old one are closed as soon as nobody uses them, and
    /// transactions that are under way end where they began. Callbacks that were given in
    /// code stay. It holds for all handles of the database.
    ///
    /// # Errors
    /// `Class::Config` for a mistake in the configuration, `Class::Unsupported` where it
    /// changes what an open database cannot, such as the engine or a timeout of the pool,
    /// else what connecting failed with, without retries. Nothing has changed then.
    ///
    /// # Cancel safety
    /// Dropped half-way, nothing has changed.
    pub fn reconfigure(&self, config: impl IntoConfig) -> impl Future<Output = Result<()>> + Send {
        let config = config.into_config();
        async move {
            let change = async { self.change_to(config?).await };
            let said = "The new configuration was not taken, and the old one holds.";
            change.await.map_err(|error| error.with_context(said))
        }
    }

    async fn change_to(&self, config: Config) -> Result<()> {
        check_place(&self.config(), &config)?;
        let place = connect::whereabouts(&config);
        let options = connect::pool_options(&config, place, false);
        match &self.shared.backend {
            #[cfg(feature = "postgres")]
            Backend::Postgres(service) => {
                let pool = &service.primary;
                let connector = connect::postgres_connector(&config)?;
                let connector = connector.with_callbacks_of(&pool.connector());
                self.go(vec![Move::new(pool, connector, options)?], config)
                    .await
            }
            #[cfg(feature = "sqlite")]
            Backend::Sqlite(service) => {
                use underpin_sqlite::Access;

                let connector = |access| connect::sqlite_connector(&config, access);
                let bounds = service.primary.statistics().bounds;
                let writer = Move::new(
                    &service.primary,
                    connector(Access::Writer),
                    with_bounds(options.clone(), bounds),
                )?;
                let mut moves = vec![writer];
                if let Some(readers) = &service.readers {
                    let options = PoolOptions {
                        name: connect::readers_of(&options.name),
                        ..options
                    };
                    moves.push(Move::new(readers, connector(Access::Reader), options)?);
                }
                self.go(moves, config).await
            }
        }
    }

    /// Makes all moves, once each has been tried.
    async fn go<C: Connector>(&self, moves: Vec<Move<'_, C>>, config: Config) -> Result<()> {
        let deadline = deadline_of(self.options, Instant::now());
        for to in &moves {
            to.try_out(deadline).await?;
        }
        let known = self.shared.config.write();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        for to in moves {
            to.make()?;
        }
        *known = Arc::new(config);
        Ok(())
    }
}

/// Where a pool is to lead from now on.
struct Move<'a, C: Connector> {
    pool: &'a Pool<C>,
    connector: C,
    name: String,
    bounds: Bounds,
}

impl<'a, C: Connector> Move<'a, C> {
    fn new(pool: &'a Pool<C>, connector: C, options: PoolOptions) -> Result<Self> {
        check_options(pool.options(), &options)?;
        Ok(Move {
            pool,
            connector,
            bounds: options.bounds(),
            name: options.name,
        })
    }

    async fn try_out(&self, deadline: Deadline) -> Result<()> {
        self.pool.try_connector(&self.connector, deadline).await
    }

    fn make(self) -> Result<()> {
        self.pool.resize(self.bounds)?;
        self.pool.rename(&self.name);
        self.pool.replace(self.connector);
        Ok(())
    }
}

#[cfg(feature = "sqlite")]
fn with_bounds(options: PoolOptions, bounds: Bounds) -> PoolOptions {
    let Bounds {
        min,
        max,
        max_overflow,
    } = bounds;
    PoolOptions {
        min,
        max,
        max_overflow,
        ..options
    }
}

fn check_place(old: &Config, new: &Config) -> Result<()> {
    let problem = if old.engine() != new.engine() {
        format!("The engine is {}, and not {}.", old.engine(), new.engine())
    } else if old.is_memory() || new.is_memory() {
        "A database in memory is nowhere else, and its data would be lost.".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::new(Class::Unsupported, problem).with_hint("Open another database."))
}

/// Whether a pool that was opened with `old` can become one of `new`.
fn check_options(old: &PoolOptions, new: &PoolOptions) -> Result<()> {
    let fixed = [
        (
            "acquire_timeout",
            old.acquire_timeout != new.acquire_timeout,
        ),
        (
            "connection_timeout",
            old.connection_timeout != new.connection_timeout,
        ),
        ("idle_timeout", old.idle_timeout != new.idle_timeout),
        ("max_lifetime", old.max_lifetime != new.max_lifetime),
        ("health_check", old.health_check != new.health_check),
        (
            "health_check_interval",
            old.health_check_interval != new.health_check_interval,
        ),
        ("max_retries", old.retry != new.retry),
        ("leak_threshold", old.leak_threshold != new.leak_threshold),
        ("pool_max_waiting", old.max_waiting != new.max_waiting),
        (
            "shed_target` or `shed_interval",
            old.shedding != new.shedding,
        ),
    ];
    match fixed.iter().find(|(_, differs)| *differs) {
        None => Ok(()),
        Some((key, _)) => Err(Error::new(
            Class::Unsupported,
            format!("`{key}` differs, which holds for as long as the database is open."),
        )
        .with_hint("Leave it as it was, or open another database.")),
    }
}
