use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use underpin_cluster::{Discovery, NewMember};
use underpin_config::{Config, Source};
use underpin_core::driver::{AnyConnection, AnyConnector, BoxFuture, Capabilities};
use underpin_core::{Address, Class, Endpoint, Engine, Error, Result, SessionTarget};
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
        // If any server is acceptable, no primary has to be found among them.
        if config.target_session_attrs() == Some(SessionTarget::Any) {
            let hosts = 0..config.endpoints().len();
            let member = self.member(config, hosts)?;
            return match config.patroni() {
                None => Ok(Opened::Members(vec![member])),
                Some(_) => Err(Error::new(
                    Class::Config,
                    "`patroni` lists the servers to find the primary among them, and \
                     `target_session_attrs` is any.",
                )
                .with_hint("Leave one of them out.")),
            };
        }
        let members = self.members(config)?;
        let Some(list) = List::of(config)? else {
            return Ok(Opened::Members(members));
        };
        let discovery = Arc::new(Listed {
            list,
            interval: config.discovery_interval().unwrap_or(Duration::MAX),
            config: config.clone(),
            driver: self.clone(),
        });
        Ok(Opened::Discovered(members, discovery))
    }
}

/// A list of the members outside of the configuration.
enum List {
    /// The addresses of the hosts' names.
    Names,
    #[cfg(feature = "patroni")]
    Patroni(underpin_postgres::Patroni),
}

impl List {
    fn of(config: &Config) -> Result<Option<List>> {
        if let Some(urls) = config.patroni() {
            return List::patroni(urls, config).map(Some);
        }
        let has_name = |endpoint: &Endpoint| match &endpoint.address {
            Address::Tcp { host, ip: None, .. } => host.parse::<std::net::IpAddr>().is_err(),
            _ => false,
        };
        let asks = config.endpoints().len() > 1 || config.target_session_attrs().is_some();
        let is_listed = asks
            && config.discovery_interval().is_some()
            && config.endpoints().iter().any(has_name);
        Ok(is_listed.then_some(List::Names))
    }

    #[cfg(feature = "patroni")]
    fn patroni(urls: &str, config: &Config) -> Result<List> {
        let tls = config.tls(&config.endpoints()[0]);
        underpin_postgres::Patroni::new(urls, &tls).map(List::Patroni)
    }

    #[cfg(not(feature = "patroni"))]
    fn patroni(_: &str, config: &Config) -> Result<List> {
        Err(Error::new(
            Class::Unsupported,
            format!(
                "`patroni` is set ({}), and this program was built without it.",
                config.source("patroni")
            ),
        )
        .with_hint("Build it with the feature `patroni` of the crate underpin."))
    }
}

/// The discovery of the members of a list.
struct Listed {
    list: List,
    interval: Duration,
    config: Config,
    driver: Postgres,
}

impl Discovery for Listed {
    fn find(&self) -> BoxFuture<'_, Result<Vec<Endpoint>>> {
        match &self.list {
            List::Names => Box::pin(underpin_postgres::resolve(self.config.endpoints())),
            #[cfg(feature = "patroni")]
            List::Patroni(nodes) => Box::pin(nodes.members()),
        }
    }

    fn members(&self, endpoints: Vec<Endpoint>) -> Result<Vec<NewMember>> {
        self.driver.members(&self.config.with_endpoints(endpoints))
    }

    fn interval(&self) -> Duration {
        self.interval
    }
}

impl Postgres {
    /// A member for each endpoint.
    fn members(&self, config: &Config) -> Result<Vec<NewMember>> {
        let hosts = 0..config.endpoints().len();
        hosts
            .map(|host| self.member(config, host..host + 1))
            .collect()
    }

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
