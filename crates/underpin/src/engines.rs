//! The one list of engines, and what each of them gives.

#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::sync::Arc;

use underpin_cluster::NewMember;
use underpin_config::Config;
use underpin_core::driver::Capabilities;
use underpin_core::{Class, Engine, Error, Result};

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

    /// What the configuration describes; nothing is connected yet.
    ///
    /// # Errors
    /// `Class::Config` for what the driver cannot do.
    fn open(&self, config: &Config) -> Result<Opened>;
}

/// How an engine's databases are run.
pub enum Opened {
    /// By a [`Cluster`](underpin_cluster::Cluster) of these members; at least one is a primary.
    Members(Vec<NewMember>),
    /// By what the engine brings itself.
    Own(Box<dyn Backend>),
}

/// The driver for an engine.
///
/// # Errors
/// `Class::Unsupported` where the program was built without it.
pub(crate) fn driver(engine: Engine) -> Result<Arc<dyn EngineDriver>> {
    match engine {
        #[cfg(feature = "postgres")]
        Engine::Postgres => Ok(Arc::new(postgres::Postgres::default())),
        #[cfg(feature = "sqlite")]
        Engine::Sqlite => Ok(Arc::new(sqlite::Sqlite)),
        #[allow(
            unreachable_patterns,
            reason = "with every engine compiled in, there is no other"
        )]
        engine => Err(Error::new(
            Class::Unsupported,
            format!("This program was built without the engine {engine}."),
        )
        .with_hint(format!(
            "Build it with the feature `{engine}` of the crate underpin."
        ))),
    }
}
