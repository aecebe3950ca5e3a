use underpin_cluster::NewMember;
use underpin_config::Config;
use underpin_core::driver::{AnyConnector, Capabilities};
use underpin_core::{Engine, Result, Role};
use underpin_odbc::{Connector, Options};

use super::{EngineDriver, Opened};
use crate::connect::{pool_options, whereabouts};

/// ODBC: a data source with a pool of connections.
pub(crate) struct Odbc;

impl EngineDriver for Odbc {
    fn engine(&self) -> Engine {
        Engine::ODBC
    }

    fn capabilities(&self) -> Capabilities {
        underpin_odbc::CAPABILITIES
    }

    fn open(&self, config: &Config) -> Result<Opened> {
        let options = pool_options(config, whereabouts(config), false);
        let endpoint = config.endpoints()[0].clone();
        let odbc = Options {
            user: config.user().map(str::to_owned),
            password: config.password().clone(),
            statement_timeout: config.statement_timeout(),
        };
        let connector = AnyConnector::new(Connector::new(endpoint.clone(), odbc));
        let member = NewMember::new(endpoint, connector, options);
        Ok(Opened::Members(vec![member.with_role(Role::Primary)]))
    }
}
