use std::future::Future;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use underpin_cluster::{Member, NewMember};
use underpin_config::Config;
use underpin_core::driver::AnyConnector;
use underpin_core::{Class, Error, Result};
use underpin_pool::{Pool, PoolOptions};

use crate::config::IntoConfig;
use crate::database::Database;
use crate::engines::Opened;

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
        let cluster = self.cluster()?;
        let moves = match self.shared.driver.open(&config)? {
            Opened::Members(members) => moves(cluster.members(), members)?,
            Opened::Own(_) => return Err(not_of_this_number()),
        };
        let deadline = self.options.deadline_from(Instant::now());
        for to in &moves {
            to.pool.try_connector(&to.connector, deadline).await?;
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

/// Where a member's pool is to lead from now on.
struct Move<'a> {
    pool: &'a Pool<AnyConnector>,
    connector: AnyConnector,
    options: PoolOptions,
}

fn moves<'a>(members: &'a [Member], new: Vec<NewMember>) -> Result<Vec<Move<'a>>> {
    if members.len() != new.len() {
        return Err(not_of_this_number());
    }
    let mut new: Vec<_> = new.into_iter().map(Some).collect();
    let of_role = |member: &'a Member| {
        let at = |new: &Option<NewMember>| new.as_ref().is_some_and(|new| new.role == member.role);
        let place = new.iter().position(at).ok_or_else(not_of_this_number)?;
        let new = new[place].take().expect("it was found");
        check_options(member.pool.options(), &new.options)?;
        Ok(Move {
            pool: &member.pool,
            connector: new.connector,
            options: new.options,
        })
    };
    members.iter().map(of_role).collect()
}

#[cold]
fn not_of_this_number() -> Error {
    Error::new(
        Class::Unsupported,
        "The database would have other members than it was opened with.",
    )
    .with_hint("Open another database.")
}

impl Move<'_> {
    fn make(self) -> Result<()> {
        self.pool.resize(self.options.bounds())?;
        self.pool.rename(&self.options.name);
        self.pool.replace(self.connector);
        Ok(())
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
