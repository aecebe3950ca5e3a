use std::time::Duration;

use underpin_cluster::NewMember;
use underpin_config::Config;
use underpin_core::driver::{AnyConnector, Capabilities};
use underpin_core::{Engine, Result, Role};
use underpin_pool::PoolOptions;
use underpin_sqlite::{Access, Connector, Options};

use super::{EngineDriver, Opened};
use crate::connect::{pool_options, whereabouts};

/// SQLite: one writer and many readers, as one primary and a replica. A database in memory has one
/// connection, which must never be closed.
pub(crate) struct Sqlite;

impl EngineDriver for Sqlite {
    fn engine(&self) -> Engine {
        Engine::SQLITE
    }

    fn capabilities(&self) -> Capabilities {
        underpin_sqlite::CAPABILITIES
    }

    fn open(&self, config: &Config) -> Result<Opened> {
        let name = whereabouts(config);
        let usual = pool_options(config, name.clone(), false);
        let mut one = PoolOptions {
            min: 1,
            max: 1,
            max_overflow: 0,
            ..usual.clone()
        };
        if config.is_memory() {
            one.idle_timeout = Duration::MAX;
            one.max_lifetime = Duration::MAX;
        }
        let member = |access, options| {
            let endpoint = config.endpoints()[0].clone();
            NewMember::new(endpoint, connector(config, access), options)
        };
        let writer = member(Access::Writer, one).with_role(Role::Primary);
        if config.is_memory() {
            return Ok(Opened::Members(vec![writer]));
        }
        let readers = PoolOptions {
            name: format!("{name} (readers)"),
            lazy: true,
            ..usual
        };
        let readers = member(Access::Reader, readers).with_role(Role::Replica);
        Ok(Opened::Members(vec![writer, readers]))
    }
}

fn connector(config: &Config, access: Access) -> AnyConnector {
    let options = Options {
        access,
        busy_timeout: config.busy_timeout().unwrap_or(Duration::ZERO),
        statement_timeout: config.statement_timeout(),
        statement_cache_size: config.statement_cache_size() as usize,
        read_only: config.read_only() || config.immutable(),
        create: config.create(),
        immutable: config.immutable(),
        uuids: config.uuids(),
        times: config.times(),
        attach: config.attach(),
    };
    AnyConnector::new(Connector::new(config.endpoints()[0].clone(), options))
}
