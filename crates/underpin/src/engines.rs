//! The one list of engines, and what each of them provides.

#[cfg(feature = "access")]
mod access;
#[cfg(feature = "odbc")]
mod odbc;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(any(feature = "sqlite", feature = "sqlite-system"))]
mod sqlite;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use underpin_cluster::{Discovery, NewMember};
use underpin_config::Config;
use underpin_copy::CopyDialect;
use underpin_core::driver::Capabilities;
use underpin_core::{Class, Engine, Error, Result};
use underpin_migrate::MigrationDialect;
use underpin_model::ModelDialect;
use underpin_schema::SchemaDialect;
use underpin_sql::Dialect;

use crate::backend::Backend;

/// The driver of an engine, as far as connections are concerned.
pub trait EngineDriver: Send + Sync + 'static {
    /// The engine.
    fn engine(&self) -> Engine;

    /// The capabilities of the engine.
    fn capabilities(&self) -> Capabilities;

    /// Whether the text of a statement shows that it may run in a lane: it only reads, waits for no
    /// lock, leaves the session unchanged, and may safely run twice. Default: no statement may.
    fn shares(&self) -> fn(&str) -> bool {
        |_| false
    }

    /// The dialects of its SQL, if it takes SQL and supports more than the caller's own statements:
    /// models, revisions, schemas. Default none.
    fn dialects(&self) -> Option<Dialects> {
        None
    }

    /// Copying of tables from the engine and to it. Default none.
    fn copies(&self) -> Option<&'static CopyDialect> {
        None
    }

    /// Returns the members or the backend of a configuration, without connecting.
    ///
    /// # Errors
    /// `Class::Config` if the driver does not support the configuration.
    fn open(&self, config: &Config) -> Result<Opened>;
}

impl Opened {
    /// The members, looked up within the timeout, and their discovery. `None` if the engine brings its
    /// own pool.
    pub(crate) async fn members(
        self,
        timeout: Duration,
    ) -> Result<Option<(Vec<NewMember>, Option<Arc<dyn Discovery>>)>> {
        match self {
            Opened::Own(_) => Ok(None),
            Opened::Members(members) => Ok(Some((members, None))),
            Opened::Discovered(known, discovery) => {
                let found = tokio::time::timeout(timeout, discovery.find()).await;
                let members = match found {
                    Ok(Ok(endpoints)) if !endpoints.is_empty() => discovery.members(endpoints)?,
                    // The members that the configuration names may answer.
                    _ => known,
                };
                Ok(Some((members, Some(discovery))))
            }
        }
    }
}

/// The differences between an engine's SQL and that of others.
#[derive(Debug, Clone, Copy)]
pub struct Dialects {
    /// Reading and writing its SQL.
    pub sql: &'static Dialect,
    /// Reading, creating, comparing and changing its schemas.
    pub schema: &'static SchemaDialect,
    /// Storing models.
    pub models: &'static ModelDialect,
    /// Running revisions.
    pub migrations: &'static MigrationDialect,
}

/// The implementation that runs an engine's databases.
pub enum Opened {
    /// A [`Cluster`](underpin_cluster::Cluster) of these members; at least one is a primary.
    Members(Vec<NewMember>),
    /// A cluster of these members until the discovery returns a list.
    Discovered(Vec<NewMember>, Arc<dyn Discovery>),
    /// The engine's own implementation.
    Own(Box<dyn Backend>),
}

/// Drivers that were registered in addition to those that are compiled in.
static ADDED: RwLock<Vec<Arc<dyn EngineDriver>>> = RwLock::new(Vec::new());

/// Registers a driver, so that configurations and URLs can name its engine.
///
/// # Errors
/// `Class::Config` if the engine already has a driver, or another engine has its name.
pub fn register(new: impl EngineDriver) -> Result<()> {
    let engine = Engine::register(new.engine().info());
    if engine != new.engine() || driver(engine).is_ok() {
        return Err(Error::new(
            Class::Config,
            format!("The engine {engine} is already registered."),
        )
        .with_hint("Register each engine once, under its own name."));
    }
    if let Some(dialects) = new.dialects() {
        engine.add_dialect(dialects.sql);
        SchemaDialect::add(engine, dialects.schema);
        ModelDialect::add(engine, dialects.models);
        MigrationDialect::add(engine, dialects.migrations);
    }
    if let Some(copies) = new.copies() {
        CopyDialect::add(engine, copies);
    }
    let mut added = ADDED.write().unwrap_or_else(PoisonError::into_inner);
    added.push(Arc::new(new));
    Ok(())
}

/// The engines that are compiled in.
fn compiled_in() -> impl Iterator<Item = Arc<dyn EngineDriver>> {
    let all: [Option<Arc<dyn EngineDriver>>; 4] = [
        #[cfg(feature = "postgres")]
        Some(Arc::new(postgres::Postgres::default())),
        #[cfg(not(feature = "postgres"))]
        None,
        #[cfg(any(feature = "sqlite", feature = "sqlite-system"))]
        Some(Arc::new(sqlite::Sqlite)),
        #[cfg(not(any(feature = "sqlite", feature = "sqlite-system")))]
        None,
        #[cfg(feature = "access")]
        Some(Arc::new(access::Access)),
        #[cfg(not(feature = "access"))]
        None,
        #[cfg(feature = "odbc")]
        Some(Arc::new(odbc::Odbc)),
        #[cfg(not(feature = "odbc"))]
        None,
    ];
    all.into_iter().flatten()
}

/// The driver for an engine.
///
/// # Errors
/// `Class::Unsupported` if the program was built without it.
pub(crate) fn driver(engine: Engine) -> Result<Arc<dyn EngineDriver>> {
    let added = ADDED.read().unwrap_or_else(PoisonError::into_inner);
    let mut all = compiled_in().chain(added.iter().map(Arc::clone));
    all.find(|driver| driver.engine() == engine).ok_or_else(|| {
        Error::new(
            Class::Unsupported,
            format!("This program was built without the engine {engine}."),
        )
        .with_hint(format!(
            "Build it with the feature `{engine}` of the crate underpin, or register its driver."
        ))
    })
}
