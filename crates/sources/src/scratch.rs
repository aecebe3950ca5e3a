use std::time::{Duration, SystemTime, UNIX_EPOCH};

use underpin_config::Config;
use underpin_core::driver::Lingering;
use underpin_core::{Class, Error, Executor, Result};
use underpin_migrate::{Migrator, OpenConnection, OpenDatabase};
use underpin_schema::{SchemaDialect, ScratchRules, ServerScratch};

/// What the names of scratch databases begin with on a server.
const PREFIX: &str = "underpin_scratch_";

/// Longer than any use of one. What is older, and has no session, was left by a process that was
/// killed.
const LEFT_BEHIND: Duration = Duration::from_secs(60 * 60);

/// Making a database can mean a checkpoint.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

const CLOSE: Duration = Duration::from_secs(5);

/// An empty database for a while, of the engine and, on PostgreSQL, on the server of another
/// one: what is made in it shows what that server makes of it. On SQLite it is in memory.
///
/// On PostgreSQL it is a database of its own, whose name begins with `underpin_scratch_`, with
/// the encoding and locale of the other one and nothing of `template1`. [`remove`](Scratch::remove)
/// drops it, and so does dropping the value, in the background. Where the process is killed, it
/// stays until the next one is made an hour or more later.
#[derive(Debug)]
pub struct Scratch<D: OpenDatabase> {
    database: D,
    /// What it takes to drop it.
    server: Option<Server<D::Connection>>,
}

/// A database that was made on a server; it is dropped with the value, in the background.
#[derive(Debug)]
struct Server<C: OpenConnection> {
    /// `Some` until it is being dropped.
    connection: Option<C>,
    rules: &'static ServerScratch,
    name: String,
}

impl<C: OpenConnection> Drop for Server<C> {
    fn drop(&mut self) {
        let (Some(connection), Ok(runtime)) = (
            self.connection.take(),
            tokio::runtime::Handle::try_current(),
        ) else {
            return;
        };
        let (rules, name, lingering) = (self.rules, self.name.clone(), Lingering::begin());
        runtime.spawn(async move {
            let _ = drop_database(connection, rules, name).await;
            drop(lingering);
        });
    }
}

impl<D: OpenDatabase> Scratch<D> {
    /// Makes one beside the database of this configuration, which need not exist, or beside that of
    /// its [`scratch_url`](Config::scratch_url).
    ///
    /// # Errors
    /// [`Class::Permission`] where the user may not create databases;
    /// [`Class::Unsupported`] on an engine that has none; else what connecting failed with.
    ///
    /// # Cancel safety
    /// Dropped half-way, an empty database may stay until one is made an hour or more later.
    pub async fn beside(config: &Config) -> Result<Scratch<D>> {
        match &SchemaDialect::of(config.engine())?.scratch {
            ScratchRules::Server(rules) => on_server(&config.for_scratch()?, rules).await,
            ScratchRules::Memory { url } => {
                let memory = Config::builder().url(*url).build()?;
                Ok(Scratch {
                    database: D::open(memory).await?,
                    server: None,
                })
            }
            ScratchRules::None => Err(Error::new(
                Class::Unsupported,
                format!(
                    "Scratch databases are not supported on {}.",
                    config.engine()
                ),
            )),
        }
    }

    /// The revisions of a migrator on this database, where they change nothing beyond it unless the
    /// server is named for scratch databases alone.
    pub(crate) fn replay(&self, migrator: &Migrator<D>) -> Migrator<D> {
        migrator.on_scratch(&self.database)
    }

    /// The database: empty, and as any other.
    pub fn database(&self) -> &D {
        &self.database
    }

    /// Closes it, and drops it where it is on a server.
    ///
    /// # Errors
    /// Where the server does not drop it.
    ///
    /// # Cancel safety
    /// Dropped half-way, it goes on in the background.
    pub async fn remove(mut self) -> Result<()> {
        let removal = remove(self.database.clone(), self.server.take());
        let lingering = Lingering::begin();
        let removal = tokio::spawn(async move {
            let removed = removal.await;
            drop(lingering);
            removed
        });
        removal
            .await
            .unwrap_or_else(|error| Err(Error::new(Class::Closed, error.to_string())))
    }
}

impl<D: OpenDatabase> Drop for Scratch<D> {
    fn drop(&mut self) {
        let (Some(server), Ok(runtime)) =
            (self.server.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let removal = remove(self.database.clone(), Some(server));
        let lingering = Lingering::begin();
        runtime.spawn(async move {
            let _ = removal.await;
            drop(lingering);
        });
    }
}

/// Whether a scratch database of this configuration is on a server that others use.
pub(crate) fn is_isolated(config: &Config) -> bool {
    config.scratch_url().is_empty()
}

async fn remove<D: OpenDatabase>(database: D, server: Option<Server<D::Connection>>) -> Result<()> {
    // What is still open is cut off when the database is dropped.
    let _ = database.close(CLOSE).await;
    match server {
        Some(server) => server.remove().await,
        None => Ok(()),
    }
}

impl<C: OpenConnection> Server<C> {
    async fn remove(mut self) -> Result<()> {
        match self.connection.take() {
            Some(connection) => drop_database(connection, self.rules, self.name.clone()).await,
            None => Ok(()),
        }
    }
}

async fn drop_database<C: OpenConnection>(
    connection: C,
    rules: &'static ServerScratch,
    name: String,
) -> Result<()> {
    let sql: String = connection.query_scalar(rules.drop, (name,)).await?;
    connection.batch(&sql).await?;
    connection.close().await;
    Ok(())
}

async fn on_server<D: OpenDatabase>(
    config: &Config,
    rules: &'static ServerScratch,
) -> Result<Scratch<D>> {
    let connection: D::Connection = to_server(config, rules).await?;
    sweep(&connection, rules).await?;
    let name = new_name();
    let not_made = |error| not_made(error, rules);
    let sql: String = connection
        .query_scalar(rules.create, (name.clone(),))
        .await
        .map_err(not_made)?;
    connection.batch(&sql).await.map_err(not_made)?;
    let server = Server {
        connection: Some(connection),
        rules,
        name,
    };
    // Revisions run in this database, whatever the configured one has for them.
    let own = config.to_builder().database(&server.name).migrate_url("");
    let own = own.pool_min_size(0).max_retries(0).build();
    let opened = match own {
        Ok(own) => D::open(own).await,
        Err(error) => Err(error),
    };
    match opened {
        Ok(database) => Ok(Scratch {
            database,
            server: Some(server),
        }),
        Err(error) => {
            server.remove().await?;
            Err(error)
        }
    }
}

/// A connection from which databases are made: to the one configured, or where there is none
/// yet to the one that every server has.
async fn to_server<C: OpenConnection>(config: &Config, rules: &ServerScratch) -> Result<C> {
    let builder = || {
        let builder = config.to_builder().max_retries(0);
        builder.statement_timeout(PATIENCE)
    };
    match C::open(builder().build()?).await {
        Err(error) if error.class() == Class::Missing => {
            C::open(builder().database(rules.maintenance).build()?).await
        }
        result => result,
    }
}

/// Drops what killed processes left behind. What another is dropping at the same time, or
/// still has open, is left to it.
async fn sweep<C: OpenConnection>(connection: &C, rules: &ServerScratch) -> Result<()> {
    let names: Vec<(String,)> = connection.query_as(rules.unused, (PREFIX,)).await?;
    let now = seconds();
    for (name,) in names {
        if made_at(&name).is_some_and(|made| made + LEFT_BEHIND.as_secs() < now) {
            let sql: String = connection.query_scalar(rules.drop_unused, (name,)).await?;
            let _ = connection.batch(&sql).await;
        }
    }
    Ok(())
}

fn new_name() -> String {
    format!("{PREFIX}{:08x}_{:08x}", seconds(), fastrand::u32(..))
}

/// When the database of this name was made, in seconds since 1970.
fn made_at(name: &str) -> Option<u64> {
    let (made, chance) = name.strip_prefix(PREFIX)?.split_once('_')?;
    let plain = made.len() == 8 && chance.len() == 8;
    u64::from_str_radix(made, 16).ok().filter(|_| plain)
}

fn seconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

fn not_made(error: Error, rules: &ServerScratch) -> Error {
    match error.class() {
        Class::Permission => error.with_hint(rules.permission_hint),
        _ => error,
    }
    .with_context("A scratch database cannot be created.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_when_it_was_made() {
        let made = made_at(&new_name()).unwrap();
        assert!(seconds() - made < 60);
        for other in [
            "shop",
            "underpin_scratch_",
            "underpin_scratch_1_2",
            "underpin_scratch_zzzzzzzz_00000000",
        ] {
            assert_eq!(made_at(other), None, "{other}");
        }
    }
}
