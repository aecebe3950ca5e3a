use std::ops::Range;

use underpin_cluster::NewMember;
use underpin_config::{Config, Source};
use underpin_core::driver::{AnyConnection, AnyConnector, Capabilities};
use underpin_core::{Engine, Result, SessionTarget};
use underpin_pool::Hooks;
use underpin_postgres::{Connection, Connector, Options, TcpOptions};

use super::{EngineDriver, Opened};
use crate::connect::{pool_options, whereabouts_of};

/// PostgreSQL, with the callbacks that a program provides in addition to its configuration.
#[derive(Clone, Default)]
pub(crate) struct Postgres {
    /// Passes its callbacks to the connectors of each configuration. Default none.
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
        let hosts = 0..config.endpoints().len();
        // If any server is acceptable, no primary has to be found among them.
        if config.target_session_attrs() == Some(SessionTarget::Any) {
            return Ok(Opened::Members(vec![self.member(config, hosts)?]));
        }
        let members: Result<Vec<NewMember>> = hosts
            .map(|host| self.member(config, host..host + 1))
            .collect();
        Ok(Opened::Members(members?))
    }
}

impl Postgres {
    /// A member that connects to the first of these hosts that answers.
    fn member(&self, config: &Config, hosts: Range<usize>) -> Result<NewMember> {
        let endpoints = &config.endpoints()[hosts.clone()];
        let mut connector = connector(config, hosts)?;
        if let Some(given) = &self.callbacks {
            connector = connector.with_callbacks_of(given);
        }
        let name = whereabouts_of(endpoints, config);
        let options = pool_options(config, name, false);
        let name = config
            .application_name()
            .or(config.fallback_application_name())
            .unwrap_or("underpin");
        let prober = connector
            .clone()
            .with_application_name(&format!("{name} (probe)"));
        let connector = AnyConnector::new(connector);
        let hooks = self.hooks.clone().on(|connection: &AnyConnection| {
            connection
                .downcast_ref::<Connection>()
                .expect("the pool's connections are its connector's")
        });
        Ok(NewMember {
            hooks,
            prober: Some(AnyConnector::new(prober)),
            ..NewMember::new(endpoints[0].clone(), connector, options)
        })
    }
}

/// The connector for these hosts of a configuration.
pub(crate) fn connector(config: &Config, hosts: Range<usize>) -> Result<Connector> {
    let endpoints = &config.endpoints()[hosts.clone()];
    // Each of several hosts has a connector of its own, and the cluster chooses among them.
    let alone = endpoints.len() == config.endpoints().len();
    // One TLS mode for all endpoints: the strictest of theirs.
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
        application_name: config
            .application_name()
            .or(config.fallback_application_name())
            .map(str::to_owned),
        statement_timeout: config.statement_timeout(),
        // A pooler in transaction mode gets a timeout that was configured, but not the default.
        statement_timeout_at_startup: config.statement_cache_size() > 0
            || *config.source("statement_timeout") != Source::Default,
        statement_cache_size: config.statement_cache_size() as usize,
        options: config.options().map(str::to_owned),
        error_detail: config.error_detail(),
        target: config.target_session_attrs().filter(|_| alone),
        addresses: config.hostaddr().get(hosts).unwrap_or_default().to_vec(),
        tcp: TcpOptions {
            keepalive: config.keepalives(),
            keepalive_idle: config.keepalives_idle(),
            keepalive_interval: config.keepalives_interval(),
            keepalive_count: config.keepalives_count(),
            user_timeout: config.tcp_user_timeout(),
        },
        allow_cleartext_password: config.allow_cleartext_password(),
        message_limit: config.message_limit() as usize,
    };
    Connector::new(endpoints.iter().cloned(), options)
}
