use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::time::timeout_at;
use underpin_core::driver::{BoxFuture, Connector as Connects};
use underpin_core::{
    Address, ChannelBinding, Class, Deadline, Endpoint, Error, Result, Role, SessionTarget, Stage,
    TlsMode, TlsNegotiation,
};

use crate::classify;
use crate::connection::Connection;
use crate::credentials::{self, ProvideCredentials};
use crate::dial::{Answer, Dial, Dialed, Dialer, Stream, ask_for_tls};
use crate::options::Options;
use crate::session::Session;
use crate::socket::Socket;
use crate::tls::Tls;
use crate::verdicts::Verdicts;
use crate::wire::log_in::{Failed as LoginFailed, log_in};
use crate::wire::pump;
use crate::wire::shared::Wire;
use crate::wire::startup::{Fault, Login, MINOR, Startup};

/// Opens connections to a PostgreSQL server, or to the primary of several.
#[derive(Clone)]
pub struct Connector {
    settings: Arc<Settings>,
}

/// The shared data of all connections of a connector.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) endpoints: Arc<[Endpoint]>,
    pub(crate) options: Arc<Options>,
    pub(crate) dialer: Dialer,
    /// The source of credentials, if they are not those of the options.
    pub(crate) credentials: Option<Arc<dyn ProvideCredentials>>,
    pub(crate) tls: Arc<Tls>,
    /// The known facts about texts that were sent.
    pub(crate) verdicts: Arc<Verdicts>,
    /// Whether something on the way, such as a pooler, knows only protocol 3.0.
    knows_old_only: Arc<AtomicBool>,
}

/// One way to attempt a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Plain,
    Encrypted,
    /// Encrypted if the server supports it.
    Either,
}

/// A failed attempt, and which change may help.
struct Failed {
    error: Error,
    another_way: bool,
    older_protocol: bool,
    /// The error to report if the same login without settings is not refused in this way.
    fewer_settings: Option<Box<Error>>,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Failed {
            error,
            another_way: false,
            older_protocol: false,
            fewer_settings: None,
        }
    }
}

impl Connector {
    /// A connector to the first endpoint that answers or, if there are several, to the first that
    /// answers and reports to be the primary. Reads the certificates that the options name; opens
    /// no connection.
    ///
    /// # Errors
    /// [`Class::Config`] if there is no endpoint, if an endpoint is not PostgreSQL's, or if a
    /// certificate cannot be read; [`Class::Unsupported`] if encryption is requested from a build
    /// without it.
    pub fn new(endpoints: impl IntoIterator<Item = Endpoint>, options: Options) -> Result<Self> {
        let endpoints: Arc<[Endpoint]> = endpoints.into_iter().collect();
        if endpoints.is_empty() {
            return Err(Error::new(Class::Config, "No host is given."));
        }
        let on_network = |endpoint: &&Endpoint| matches!(endpoint.address, Address::Tcp { .. });
        let is_ours = |endpoint: &&Endpoint| matches!(endpoint.address, Address::Unix { .. });
        if let Some(other) = endpoints.iter().find(|at| !on_network(at) && !is_ours(at)) {
            return Err(Error::new(
                Class::Config,
                format!(
                    "{other} is not an address of a PostgreSQL server. It must be a host and port, or a Unix socket."
                ),
            ));
        }
        let mut tls = options.tls.clone();
        if !endpoints.iter().any(|endpoint| on_network(&endpoint)) {
            tls.mode = TlsMode::Disable;
        }
        Ok(Connector {
            settings: Arc::new(Settings {
                tls: Arc::new(Tls::new(&tls)?),
                verdicts: Arc::default(),
                knows_old_only: Arc::default(),
                endpoints,
                dialer: Dialer::System(Arc::new(options.tcp.clone())),
                options: Arc::new(options),
                credentials: None,
            }),
        })
    }

    /// The same connector with the caller's own way to open streams.
    #[must_use]
    pub fn with_dialer(self, dialer: impl Dial) -> Self {
        let settings = Settings {
            dialer: Dialer::Given(Arc::new(dialer)),
            ..(*self.settings).clone()
        };
        Connector {
            settings: Arc::new(settings),
        }
    }

    /// The same connector with user and password requested again for each connection.
    #[must_use]
    pub fn with_credentials(self, provider: impl ProvideCredentials) -> Self {
        let settings = Settings {
            credentials: Some(Arc::new(provider)),
            ..(*self.settings).clone()
        };
        Connector {
            settings: Arc::new(settings),
        }
    }

    /// The same connector with the callbacks that the program set on another one: the way to open
    /// streams, and the source of credentials.
    #[must_use]
    pub fn with_callbacks_of(self, other: &Connector) -> Self {
        let settings = Settings {
            dialer: other.settings.dialer.clone(),
            credentials: other.settings.credentials.clone(),
            ..(*self.settings).clone()
        };
        Connector {
            settings: Arc::new(settings),
        }
    }

    /// The same connector with another name for its connections in the server's lists.
    #[must_use]
    pub fn with_application_name(self, name: &str) -> Self {
        let options = Options {
            application_name: Some(name.to_owned()),
            ..(*self.settings.options).clone()
        };
        let settings = Settings {
            options: Arc::new(options),
            ..(*self.settings).clone()
        };
        Connector {
            settings: Arc::new(settings),
        }
    }

    /// The endpoints, in the order in which they are tried.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.settings.endpoints
    }

    /// The options of its connections.
    pub fn options(&self) -> &Options {
        &self.settings.options
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("endpoints", &self.settings.endpoints)
            .field("options", &self.settings.options)
            .field("dialer", &self.settings.dialer)
            .field("asks_for_credentials", &self.settings.credentials.is_some())
            .finish()
    }
}

impl Connects for Connector {
    type Connection = Connection;

    fn connect(&self, deadline: Deadline) -> BoxFuture<'_, Result<Connection>> {
        Box::pin(self.connect_to_any(deadline))
    }
}

impl Connector {
    /// Connects to the first endpoint that serves; if there are several, to one that takes writes.
    async fn connect_to_any(&self, deadline: Deadline) -> Result<Connection> {
        let settings = self.settings.with_credentials(deadline).await?;
        let endpoints = &settings.endpoints;
        let mut failures = Vec::new();
        for (at, endpoint) in endpoints.iter().enumerate() {
            let last = endpoints.len() - at;
            match settings
                .connect_in_time(endpoint, deadline.share(Instant::now(), last))
                .await
            {
                Ok(connection) => match settings.misses_target(&connection).await {
                    Ok(None) => return Ok(connection),
                    Ok(Some(what)) => {
                        failures.push(Error::new(
                            Class::Connect,
                            format!("The server at {endpoint} {what}."),
                        ));
                    }
                    Err(error) => failures.push(error),
                },
                Err(error) => failures.push(error),
            }
        }
        Err(Error::of_servers(failures))
    }
}

impl Settings {
    /// The settings with the current credentials.
    async fn with_credentials(&self, deadline: Deadline) -> Result<Settings> {
        let mut settings = self.clone();
        if let Some(provider) = &self.credentials {
            let places: Vec<String> = self.endpoints.iter().map(ToString::to_string).collect();
            let given = credentials::ask(&**provider, &places.join(","), deadline).await?;
            settings.options = Arc::new(Options {
                // The default is the database named like the configured user.
                database: Some(self.options.database_name().to_owned()),
                user: given.user,
                password: given.password,
                ..(*self.options).clone()
            });
        }
        Ok(settings)
    }

    /// The reason why this server is not the requested kind, as a clause.
    async fn misses_target(&self, connection: &Connection) -> Result<Option<&'static str>> {
        let is_replica = connection.session().wire.role() == Role::Replica;
        match self.options.target {
            None if self.endpoints.len() == 1 => Ok(None),
            None if is_replica => Ok(Some("is a replica")),
            Some(SessionTarget::ReadWrite) if is_replica => Ok(Some(
                "takes no writes, but target_session_attrs=read-write requires a server that does",
            )),
            Some(SessionTarget::Primary) if is_replica => {
                // It may be read-only by default without being a replica.
                connection.ask_role().await?;
                let is_replica = connection.session().wire.role() == Role::Replica;
                Ok(is_replica.then_some(
                    "is a replica, but target_session_attrs=primary requires the primary",
                ))
            }
            _ => Ok(None),
        }
    }

    async fn connect_in_time(&self, endpoint: &Endpoint, deadline: Deadline) -> Result<Connection> {
        let Some(at) = deadline.instant() else {
            return self.connect(endpoint).await;
        };
        let begun = Instant::now();
        timeout_at(at.into(), self.connect(endpoint)).await.unwrap_or_else(|_| {
            let waited = begun.elapsed().max(Duration::from_millis(1));
            Err(Error::new(
                Class::Timeout { stage: Stage::Connect },
                format!("The server at {endpoint} did not complete a connection within {waited:.0?}."),
            )
            .with_hint("Check host and port, the network, and any firewall in between."))
        })
    }

    async fn connect(&self, endpoint: &Endpoint) -> Result<Connection> {
        let unix = matches!(endpoint.address, Address::Unix { .. });
        let ways: &[Way] = match self.options.tls.mode {
            _ if unix => &[Way::Plain],
            TlsMode::Disable => &[Way::Plain],
            TlsMode::Allow | TlsMode::Prefer if !Tls::AVAILABLE => &[Way::Plain],
            TlsMode::Allow => &[Way::Plain, Way::Encrypted],
            TlsMode::Prefer => &[Way::Either, Way::Plain],
            TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => &[Way::Encrypted],
        };
        let mut first = None;
        for way in ways {
            match self.try_settings(endpoint, *way).await {
                Ok(connection) => return Ok(connection),
                Err(failed) if failed.another_way && first.is_none() && ways.len() > 1 => {
                    first = Some(failed.error);
                }
                // The second failure is a consequence; the first one says more.
                Err(failed) => return Err(first.unwrap_or(failed.error)),
            }
        }
        Err(first.unwrap_or_else(|| classify::alien(endpoint)))
    }

    /// Attempts a connection with all settings. If another program than PostgreSQL refuses it,
    /// determines whether the settings are the reason.
    async fn try_settings(&self, endpoint: &Endpoint, way: Way) -> Result<Connection, Failed> {
        let mut failed = match self.try_versions(endpoint, way).await {
            Ok(connection) => return Ok(connection),
            Err(failed) => failed,
        };
        if let Some(of_settings) = failed.fewer_settings.take() {
            let settings = Settings {
                options: Arc::new(self.options.without_settings()),
                ..self.clone()
            };
            let again = Box::pin(settings.try_versions(endpoint, way)).await;
            let refused_too = again.is_err_and(|again| again.error.sqlstate() == Some("08P01"));
            if !refused_too {
                failed.error = *of_settings;
            }
        }
        Err(failed)
    }

    /// Attempts the newest version of the protocol, and the old one if the new one is not
    /// understood.
    async fn try_versions(&self, endpoint: &Endpoint, way: Way) -> Result<Connection, Failed> {
        let old_only = self.knows_old_only.load(Ordering::Relaxed);
        match self
            .try_way(endpoint, way, if old_only { 0 } else { MINOR })
            .await
        {
            Err(failed) if failed.older_protocol && !old_only => {
                let connected = self.try_way(endpoint, way, 0).await;
                if connected.is_ok() {
                    self.knows_old_only.store(true, Ordering::Relaxed);
                }
                // An error with the old version has the server's real reason.
                connected
            }
            tried => tried,
        }
    }

    async fn try_way(
        &self,
        endpoint: &Endpoint,
        way: Way,
        minor: u16,
    ) -> Result<Connection, Failed> {
        let mut dialed = self
            .dialer
            .dial(endpoint)
            .await
            .map_err(|error| classify::dial_failed(error, endpoint))?;
        if way == Way::Plain {
            return self.plain(endpoint, dialed, minor).await;
        }
        let answer = match self.options.tls.negotiation {
            TlsNegotiation::Direct => Answer::Yes,
            TlsNegotiation::Postgres => ask_for_tls(&mut dialed.stream)
                .await
                .map_err(|error| classify::dial_failed(error, endpoint))?,
        };
        match (answer, way) {
            (Answer::Yes, _) => self.encrypted(endpoint, dialed, minor).await,
            (Answer::No, Way::Either) => self.plain(endpoint, dialed, minor).await,
            (Answer::No, _) => Err(Failed::from(
                Error::new(
                    Class::Config,
                    format!(
                        "The server at {endpoint} does not offer encryption, but sslmode={} requires it.",
                        self.options.tls.mode
                    ),
                )
                .with_hint("Enable ssl on the server, or set sslmode=disable if the network is safe."),
            )),
            (Answer::Error, _) => Err(Failed {
                error: Error::new(
                    Class::Connect,
                    format!("The server at {endpoint} failed before the connection was encrypted."),
                )
                .with_hint("Look at the server's log."),
                another_way: true,
                older_protocol: false,
                fewer_settings: None,
            }),
            (Answer::Alien, _) => Err(classify::alien(endpoint).into()),
        }
    }

    async fn plain(
        &self,
        endpoint: &Endpoint,
        dialed: Dialed,
        minor: u16,
    ) -> Result<Connection, Failed> {
        let Dialed { stream, socket } = dialed;
        let local = matches!(endpoint.address, Address::Unix { .. });
        let login = self.login(minor, None, local);
        self.log_in(endpoint, stream, socket, login, false).await
    }

    async fn encrypted(
        &self,
        endpoint: &Endpoint,
        dialed: Dialed,
        minor: u16,
    ) -> Result<Connection, Failed> {
        let Dialed { stream, socket } = dialed;
        let encrypted = self.tls.encrypt(endpoint, stream).await;
        let (stream, hash) = encrypted.map_err(|error| Failed {
            another_way: true,
            ..Failed::from(error)
        })?;
        let hash = hash.filter(|_| self.options.tls.channel_binding != ChannelBinding::Disable);
        let login = self.login(minor, hash, true);
        self.log_in(endpoint, stream, socket, login, true).await
    }

    fn login(&self, minor: u16, binding: Option<Vec<u8>>, private: bool) -> Login {
        Login {
            user: self.options.user.clone(),
            password: self.options.password.clone(),
            settings: self.options.settings(),
            minor,
            binding,
            needs_binding: self.options.tls.channel_binding == ChannelBinding::Require,
            allows_cleartext: private || self.options.allow_cleartext_password,
        }
    }

    async fn log_in(
        &self,
        endpoint: &Endpoint,
        mut stream: impl Stream + 'static,
        socket: Option<Socket>,
        login: Login,
        encrypted: bool,
    ) -> Result<Connection, Failed> {
        let mut startup = Startup::new(login);
        let begun = log_in(&mut stream, &mut startup).await;
        let (begun, inbox) = begun.map_err(|failed| self.login_failed(failed, endpoint))?;
        let wire = Wire::new(begun, socket, self.options.message_limit);
        let told = wire.machine().role();
        let task = pump::drive(stream, inbox, Arc::clone(&wire));
        let task = tokio::spawn(task).abort_handle();
        let session = Session::new(wire, self.clone(), endpoint.clone(), encrypted, task);
        let connection = Connection::new(session);
        if told.is_none() {
            connection.ask_role().await.map_err(Failed::from)?;
        }
        Ok(connection)
    }

    fn login_failed(&self, failed: LoginFailed, endpoint: &Endpoint) -> Failed {
        let LoginFailed { fault, understood } = failed;
        let refusal = match &fault {
            Ok(Fault::Refused(said)) => Some(said),
            _ => None,
        };
        let said = refusal.map_or("", |said| said.code());
        // PgBouncer has one code for nearly all its refusals. PostgreSQL names the routine.
        let pooler = refusal.filter(|said| said.code() == "08P01" && said.routine().is_none());
        let of_settings = pooler.filter(|_| !understood && self.options.has_settings());
        Failed {
            fewer_settings: of_settings
                .map(|said| Box::new(classify::settings_refused(said, endpoint, &self.options))),
            another_way: said == "28000",
            // Poolers that know only 3.0 hang up, or report a violation of the protocol. pgpool
            // passes the request on, and reports the server's answer as an internal error.
            older_protocol: !understood
                && matches!(
                    (&fault, said),
                    (Err(_), _) | (_, "08P01" | "0A000" | "XX000")
                ),
            error: match fault {
                Ok(fault) => classify::login_failed(fault, endpoint, &self.options),
                Err(error) => classify::login_ended(error, endpoint),
            },
        }
    }
}
