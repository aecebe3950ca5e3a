use std::future::Future;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use underpin_config::Config;
use underpin_core::{Class, Error, Result};

use crate::config::IntoConfig;
use crate::database::Database;

impl Database {
    /// Continues with another configuration: other hosts, another database, user or password, other
    /// bounds. It is tried first, by opening one connection. New connections then use it.
    /// Connections of the old configuration are closed as soon as their holders return them, and
    /// transactions in progress end where they began. Callbacks that were set in code remain. It
    /// applies to all handles of the database.
    ///
    /// # Errors
    /// `Class::Config` for a mistake in the configuration; `Class::Unsupported` if it changes
    /// something that an open database cannot change, such as the engine or a timeout of the pool;
    /// otherwise the error of connecting, without retries. Nothing has changed then.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing has changed.
    pub fn reconfigure(&self, config: impl IntoConfig) -> impl Future<Output = Result<()>> + Send {
        let config = config.into_config();
        async move {
            let change = async { self.change_to(config?).await };
            let said = "The new configuration was not applied; the old one remains in use.";
            change.await.map_err(|error| error.with_context(said))
        }
    }

    async fn change_to(&self, config: Config) -> Result<()> {
        check_place(&self.config(), &config)?;
        let cluster = self.cluster()?;
        let opened = self.shared.driver.open(&config)?;
        let found = opened.members(config.connection_timeout()).await?;
        let Some((members, discovery)) = found else {
            return Err(Error::new(
                Class::Unsupported,
                "The engine has a pool of its own, which cannot be reconfigured.",
            )
            .with_hint("Open another database with the new configuration."));
        };
        let deadline = self.options.deadline_from(Instant::now());
        cluster.reconfigure(members, discovery, deadline).await?;
        let known = self.shared.config.write();
        *known.unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
        Ok(())
    }
}

fn check_place(old: &Config, new: &Config) -> Result<()> {
    let problem = if old.engine() != new.engine() {
        format!("The engine is {}, not {}.", old.engine(), new.engine())
    } else if old.is_memory() || new.is_memory() {
        "A database in memory cannot move to another place: its data would be lost.".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::new(Class::Unsupported, problem)
        .with_hint("Open another database with the new configuration."))
}
