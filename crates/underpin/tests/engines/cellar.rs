//! Cellar: an engine without SQL that brings its own pool.

use std::panic::Location;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use underpin::driver::BoxFuture;
use underpin::engine::{
    AddressForm, Backend, CallOptions, Capabilities, EngineDriver, EngineInfo, Opened,
};
use underpin::{Class, Config, Deadline, Engine, Error, Metrics, Result};

static INFO: EngineInfo = EngineInfo {
    name: "cellar",
    title: "Cellar",
    aliases: &[],
    address: AddressForm::Server {
        port: 7777,
        user: None,
    },
    extensions: &[],
    keys: &[],
    pool_size: 10,
    longest_statement_secs: None,
};

static STOPPED: AtomicBool = AtomicBool::new(false);

/// Registers Cellar, once.
pub(crate) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| underpin::engine::register(Cellar).unwrap());
}

/// Makes all pings fail from now on.
pub(crate) fn stop() {
    STOPPED.store(true, SeqCst);
}

struct Cellar;

impl EngineDriver for Cellar {
    fn engine(&self) -> Engine {
        Engine::register(&INFO)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            pipelining: false,
            transactions: false,
            notifications: false,
            roles_change: false,
            positions: false,
        }
    }

    fn open(&self, config: &Config) -> Result<Opened> {
        let size = config.pool_max_size() as usize;
        Ok(Opened::Own(Box::new(Shelves { size })))
    }
}

/// A pool that has all its connections from the start.
struct Shelves {
    size: usize,
}

impl Backend for Shelves {
    fn ping(&self, _: CallOptions, _: &'static Location<'static>) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            if STOPPED.load(SeqCst) {
                return Err(Error::new(Class::Connect, "The cellar is locked."));
            }
            Ok(())
        })
    }

    fn metrics(&self) -> Metrics {
        let mut metrics = Metrics::default();
        metrics.pool_size = self.size;
        metrics
    }

    fn pause(&self) {}

    fn resume(&self) {}

    fn close(&self, _: Deadline) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}
