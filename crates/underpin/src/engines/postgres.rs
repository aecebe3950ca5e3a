use underpin_cluster::NewMember;
use underpin_config::Config;
use underpin_core::driver::{AnyConnection, AnyConnector, Capabilities};
use underpin_core::{Endpoint, Engine, Result};
use underpin_pool::Hooks;
use underpin_postgres::{Connection, Connector, Options};

use super::{EngineDriver, Opened};
use crate::connect::{pool_options, whereabouts_of};

/// PostgreSQL, with what a program brings beside its configuration.
#[derive(Clone, Default)]
pub(crate) struct Postgres {
    /// Gives its callbacks to the connectors of each configuration. Default none.
    pub(crate) callbacks: Option<Connector>,
    pub(crate) hooks: Hooks<Connection>,
}

impl EngineDriver for Postgres {
    fn engine(&self) -> Engine {
        Engine::POSTGRES
    }

    fn capabilities(&self) -> Capabilities {
        underpin_postgres::CAPABILITIES
    }

    fn shares(&self) -> fn(&str) -> bool {
        underpin_postgres::shares
    }

    fn open(&self, config: &Config) -> Result<Opened> {
        let endpoints = config.endpoints().iter();
        let members: Result<Vec<NewMember>> = endpoints
            .map(|endpoint| self.member(config, endpoint))
            .collect();
        Ok(Opened::Members(members?))
    }
}

impl Postgres {
    fn member(&self, config: &Config, endpoint: &Endpoint) -> Result<NewMember> {
        let mut connector = connector(config, endpoint)?;
        if let Some(given) = &self.callbacks {
            connector = connector.with_callbacks_of(given);
        }
        let name = whereabouts_of(std::slice::from_ref(endpoint), config);
        let options = pool_options(config, name, false);
        let connector = AnyConnector::new(connector);
        let hooks = self.hooks.clone().on(|connection: &AnyConnection| {
            connection
                .downcast_ref::<Connection>()
                .expect("the pool's connections are its connector's")
        });
        Ok(NewMember {
            hooks,
            ..NewMember::new(endpoint.clone(), connector, options)
        })
    }
}

/// Opens connections to one of the hosts of a configuration.
pub(crate) fn connector(config: &Config, endpoint: &Endpoint) -> Result<Connector> {
    // One way of encrypting for all endpoints: the strictest that any of them asks for.
    let tls = config
        .endpoints()
        .iter()
        .map(|endpoint| config.tls(endpoint));
    let tls = tls
        .max_by_key(|tls| tls.mode)
        .expect("a configuration has an endpoint");
    let options = Options {
        database: Some(config.database().to_owned()),
        user: config.user().unwrap_or_default().to_owned(),
        password: config.password().clone(),
        tls,
        application_name: config.application_name().map(str::to_owned),
        statement_timeout: config.statement_timeout(),
        statement_cache_size: config.statement_cache_size() as usize,
        options: config.options().map(str::to_owned),
        ..Options::default()
    };
    Connector::new([endpoint.clone()], options)
}
