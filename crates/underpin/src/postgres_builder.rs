use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use underpin_config::Config;
use underpin_core::{Class, Engine, Error, Result};
use underpin_pool::Hooks;
use underpin_postgres::{Connection, Connector, Dial, ProvideCredentials};

use crate::config::IntoConfig;
use crate::connect;
use crate::database::Database;
use crate::engines::postgres::{self, Postgres};

/// Opens a PostgreSQL database with callbacks that a configuration cannot contain, since they are
/// the program's own code. It begins with [`Database::postgres`]. Mistakes in the configuration
/// surface when the database is opened.
///
/// ```no_run
/// use underpin::driver::Connection as _;
/// use underpin::postgres::Credentials;
/// use underpin::{Database, Deadline, Hooks, Secret};
///
/// # async fn token() -> underpin::Result<Secret> { Ok(Secret::new("")) }
/// # async fn run() -> underpin::Result<()> {
/// let hooks = Hooks::new().after_connect(|connection: &underpin::postgres::Connection| {
///     Box::pin(connection.batch("SET search_path TO shop", Deadline::NONE))
/// });
/// let db = Database::postgres("postgres://app@db1/shop")
///     .credentials(|| async {
///         Ok(Credentials { user: "app".into(), password: token().await? })
///     })
///     .hooks(hooks)
///     .connect()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct PostgresBuilder(Result<Parts>);

#[derive(Debug)]
struct Parts {
    config: Config,
    connector: Connector,
    hooks: Hooks<Connection>,
}

impl Database {
    /// Begins to open a PostgreSQL database with the program's own callbacks.
    #[cfg(feature = "postgres")]
    pub fn postgres(config: impl IntoConfig) -> PostgresBuilder {
        PostgresBuilder(config.into_config().and_then(Parts::new))
    }
}

impl Parts {
    fn new(config: Config) -> Result<Self> {
        if config.engine() != Engine::POSTGRES {
            let engine = config.engine();
            return Err(Error::new(
                Class::Unsupported,
                format!("Callbacks for PostgreSQL were set, but the engine is {engine}."),
            ));
        }
        Ok(Parts {
            connector: postgres::connector(&config, 0..1)?,
            config,
            hooks: Hooks::new(),
        })
    }

    fn open(self, lazy: bool) -> Result<Database> {
        let driver = Postgres {
            callbacks: Some(self.connector),
            hooks: self.hooks,
        };
        connect::open_with(Arc::new(driver), self.config, lazy)
    }
}

impl PostgresBuilder {
    /// Opens the byte streams by `dial`: through a tunnel, a proxy, or an existing socket. Default:
    /// sockets of the operating system.
    pub fn dial(self, dial: impl Dial) -> Self {
        self.connector(|connector| connector.with_dialer(dial))
    }

    /// Asks `provider` for user and password for each new connection, so that a rotated password
    /// applies to later ones. Default: those of the configuration. A closure that returns a future
    /// is a provider.
    pub fn credentials(self, provider: impl ProvideCredentials) -> Self {
        self.connector(|connector| connector.with_credentials(provider))
    }

    /// Runs these hooks at certain points in the life of a connection. Default: none.
    pub fn hooks(self, hooks: Hooks<Connection>) -> Self {
        PostgresBuilder(self.0.map(|parts| Parts { hooks, ..parts }))
    }

    /// Opens the database and connects to it once, like [`Database::connect`].
    ///
    /// # Errors
    /// As for [`Database::connect`]; `Class::Unsupported` for another engine.
    ///
    /// # Cancel safety
    /// If the future is dropped, the connections that it has opened are closed.
    #[track_caller]
    pub fn connect(self) -> impl Future<Output = Result<Database>> + Send {
        let place = Location::caller();
        async move {
            let database = self.0?.open(false)?;
            match database.connect_once(place).await {
                Ok(()) => Ok(database),
                Err(error) => {
                    let _ = database.close(Duration::ZERO).await;
                    Err(error)
                }
            }
        }
    }

    /// Opens the database without connecting: the first call connects.
    ///
    /// # Errors
    /// `Class::Config` for a mistake in the configuration, or outside a Tokio runtime;
    /// `Class::Unsupported` for another engine.
    pub fn connect_lazy(self) -> Result<Database> {
        self.0?.open(true)
    }

    fn connector(self, change: impl FnOnce(Connector) -> Connector) -> Self {
        PostgresBuilder(self.0.map(|parts| Parts {
            connector: change(parts.connector),
            ..parts
        }))
    }
}
