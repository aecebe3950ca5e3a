//! The one list of engines, and what each of them gives.

#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(any(feature = "sqlite", feature = "sqlite-system"))]
mod sqlite;

use std::sync::{Arc, PoisonError, RwLock};

use underpin_cluster::NewMember;
use underpin_config::Config;
use underpin_copy::CopyDialect;
use underpin_core::driver::Capabilities;
use underpin_core::{Class, Engine, Error, Result};
use underpin_migrate::MigrationDialect;
use underpin_model::ModelDialect;
use underpin_schema::SchemaDialect;
use underpin_sql::Dialect;

use crate::backend::Backend;

/// An engine, as far as connections go.
pub trait EngineDriver: Send + Sync + 'static {
    /// The engine.
    fn engine(&self) -> Engine;

    /// What the engine can do.
    fn capabilities(&self) -> Capabilities;

    /// Whether a statement may run in a lane, as far as its text tells: it only reads, waits
    /// for no lock, leaves the session as it is, and does no harm when it is asked twice.
    /// Default: none may.
    fn shares(&self) -> fn(&str) -> bool {
        |_| false
    }

    /// What its SQL does differently, where it takes SQL and more than statements of the caller's
    /// own: models, revisions, schemas. Default none.
    fn dialects(&self) -> Option<Dialects> {
        None
    }

    /// How tables are copied from the engine, and to it. Default: they are not.
    fn copies(&self) -> Option<&'static CopyDialect> {
        None
    }

    /// What the configuration describes; nothing is connected yet.
    ///
    /// # Errors
    /// `Class::Config` for what the driver cannot do.
    fn open(&self, config: &Config) -> Result<Opened>;
}

/// What an engine's SQL does differently from that of others.
#[derive(Debug, Clone, Copy)]
pub struct Dialects {
    /// How its SQL is read and written.
    pub sql: &'static Dialect,
    /// How its schemas are read, made, compared and changed.
    pub schema: &'static SchemaDialect,
    /// How models are stored.
    pub models: &'static ModelDialect,
    /// How revisions run.
    pub migrations: &'static MigrationDialect,
}

/// How an engine's databases are run.
pub enum Opened {
    /// By a [`Cluster`](underpin_cluster::Cluster) of these members; at least one is a primary.
    Members(Vec<NewMember>),
    /// By what the engine brings itself.
    Own(Box<dyn Backend>),
}

/// Drivers beside those that are compiled in.
static ADDED: RwLock<Vec<Arc<dyn EngineDriver>>> = RwLock::new(Vec::new());

/// Makes a driver known, so that configurations and URLs can ask for its engine.
///
/// # Errors
/// `Class::Config` where the engine has a driver already, or another engine has its name.
pub fn register(new: impl EngineDriver) -> Result<()> {
    let engine = Engine::register(new.engine().info());
    if engine != new.engine() || driver(engine).is_ok() {
        return Err(Error::new(
            Class::Config,
            format!("The engine {engine} is registered already."),
        )
        .with_hint("Register each engine once, under a name of its own."));
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
    let all: [Option<Arc<dyn EngineDriver>>; 2] = [
        #[cfg(feature = "postgres")]
        Some(Arc::new(postgres::Postgres::default())),
        #[cfg(not(feature = "postgres"))]
        None,
        #[cfg(any(feature = "sqlite", feature = "sqlite-system"))]
        Some(Arc::new(sqlite::Sqlite)),
        #[cfg(not(any(feature = "sqlite", feature = "sqlite-system")))]
        None,
    ];
    all.into_iter().flatten()
}

/// The driver for an engine.
///
/// # Errors
/// `Class::Unsupported` where the program was built without it.
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
