use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use underpin_access::{Connector, Options};
use underpin_cluster::NewMember;
use underpin_config::{Config, Environment};
use underpin_core::driver::{AnyConnector, Capabilities};
use underpin_core::{Engine, Result, Role};
use underpin_pool::PoolOptions;

use super::{EngineDriver, Opened};
use crate::connect::{pool_options, whereabouts};

/// Access: one connection to a file, which reads.
pub(crate) struct Access;

impl EngineDriver for Access {
    fn engine(&self) -> Engine {
        Engine::ACCESS
    }

    fn capabilities(&self) -> Capabilities {
        underpin_access::CAPABILITIES
    }

    fn open(&self, config: &Config) -> Result<Opened> {
        let name = whereabouts(config);
        if config.environment() == Environment::Production {
            warn(&name);
        }
        let options = PoolOptions {
            min: config.pool_min_size().min(1),
            max: 1,
            max_overflow: 0,
            // It stands for what was read of the file, which takes a while.
            max_lifetime: Duration::MAX,
            ..pool_options(config, name, false)
        };
        let endpoint = config.endpoints()[0].clone();
        let access = Options {
            password: config.password().clone(),
            lenient: config.lenient(),
            statement_timeout: config.statement_timeout(),
            statement_cache_size: config.statement_cache_size() as usize,
        };
        let connector = AnyConnector::new(Connector::new(endpoint.clone(), access));
        let member = NewMember::new(endpoint, connector, options);
        Ok(Opened::Members(vec![member.with_role(Role::Primary)]))
    }
}

/// Warns, once in a program, of a file that a service relies on.
fn warn(file: &str) {
    static WARNED: AtomicBool = AtomicBool::new(false);
    if !WARNED.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            file,
            "an Access file is used in production: it has one connection, is not locked and cannot be \
             written; move its tables to a server with `underpin copy`"
        );
    }
}
