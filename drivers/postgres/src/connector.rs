use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout_at;
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres::tls::{NoTls, TlsConnect};
use underpin_core::driver::{BoxFuture, Connector as Connects};
use underpin_core::{
    Address, Class, Deadline, Endpoint, Error, Result, Role, SessionTarget, Stage, TlsMode,
    TlsNegotiation,
};

use crate::classify;
use crate::client_error::Kind;
use crate::connection::Connection;
use crate::credentials::{self, ProvideCredentials};
use crate::dial::{Answer, Dial, Dialed, Dialer, ask_for_tls};
use crate::link::Link;
use crate::options::Options;
use crate::session::Session;
use crate::tap::Tap;
use crate::task;
use crate::tcp::Tcp;
use crate::tls::Tls;

/// Opens connections to a PostgreSQL server, or to the primary of several.
#[derive(Clone)]
pub struct Connector {
    settings: Arc<Settings>,
}

/// What every connection of a connector needs.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) endpoints: Arc<[Endpoint]>,
    pub(crate) options: Arc<Options>,
    pub(crate) dialer: Dialer,
    /// Who logs in, where that is not as the options have it.
    pub(crate) credentials: Option<Arc<dyn ProvideCredentials>>,
    pub(crate) tls: Arc<Tls>,
}

/// One way to try a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Plain,
    Encrypted,
    /// Encrypted where the server can.
    Either,
}

/// A failed try, and whether another way may do better.
struct Failed {
    error: Error,
    another_way: bool,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Failed {
            error,
            another_way: false,
        }
    }
}

impl Connector {
    /// A connector to the first of the endpoints that answers or, where there are
    /// several, to the first that answers and says that it is the primary. Reads the
    /// certificates that the options name; opens no connection.
    ///
    /// # Errors
    /// [`Class::Config`] where there is no endpoint, where one is not PostgreSQL's, or
    /// where a certificate cannot be read; [`Class::Unsupported`] where encryption is
    /// asked of a build without it.
    pub fn new(endpoints: impl IntoIterator<Item = Endpoint>, options: Options) -> Result<Self> {
        let endpoints: Arc<[Endpoint]> = endpoints.into_iter().collect();
        if endpoints.is_empty() {
            return Err(Error::new(Class::Config, "No host to connect to is given."));
        }
        let on_network = |endpoint: &&Endpoint| matches!(endpoint.address, Address::Tcp { .. });
        let is_ours = |endpoint: &&Endpoint| matches!(endpoint.address, Address::Unix { .. });
        if let Some(other) = endpoints.iter().find(|at| !on_network(at) && !is_ours(at)) {
            return Err(Error::new(
                Class::Config,
                format!(
                    "{other} is no place of a PostgreSQL server: it is a host and port, or a Unix socket."
                ),
            ));
        }
        let addresses = endpoints.iter().cloned().zip(&options.addresses);
        let tcp = Tcp {
            options: options.tcp.clone(),
            addresses: addresses
                .filter_map(|(endpoint, address)| Some((endpoint, (*address)?)))
                .collect(),
        };
        let mut tls = options.tls.clone();
        if !endpoints.iter().any(|endpoint| on_network(&endpoint)) {
            tls.mode = TlsMode::Disable;
        }
        Ok(Connector {
            settings: Arc::new(Settings {
                tls: Arc::new(Tls::new(&tls)?),
                endpoints,
                options: Arc::new(options),
                dialer: Dialer::System(Arc::new(tcp)),
                credentials: None,
            }),
        })
    }

    /// The same connector with a way of the caller's own to open streams.
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

    /// The same connector with user and password asked for anew for each connection.
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

    /// The same connector with what the program gave another as code: the way to open
    /// streams, and to ask for credentials.
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

    /// The endpoints, in the order in which they are tried.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.settings.endpoints
    }

    /// How it connects.
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
    /// Connects to the first endpoint that serves; with several, to one that takes writes.
    async fn connect_to_any(&self, deadline: Deadline) -> Result<Connection> {
        let settings = self.settings.with_credentials(deadline).await?;
        let endpoints = &settings.endpoints;
        let mut failures = Vec::new();
        for (at, endpoint) in endpoints.iter().enumerate() {
            let last = endpoints.len() - at;
            match settings
                .connect_in_time(endpoint, share(deadline, last))
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
        Err(all_failed(failures))
    }
}

/// The part of what is left until the deadline for the next of so many endpoints, so that
/// one that does not answer leaves time for the others.
fn share(deadline: Deadline, endpoints: usize) -> Deadline {
    let now = Instant::now();
    match deadline.remaining(now) {
        Some(left) if endpoints > 1 => {
            Deadline::after(now, left / u32::try_from(endpoints).unwrap_or(u32::MAX))
        }
        _ => deadline,
    }
}

fn all_failed(mut failures: Vec<Error>) -> Error {
    if failures.len() == 1 {
        return failures.remove(0);
    }
    let class = failures[0].class();
    let same = failures.iter().all(|failure| failure.class() == class);
    let each: Vec<String> = failures.iter().map(ToString::to_string).collect();
    let message = format!(
        "None of the {} servers could be used. {}",
        failures.len(),
        each.join(" ")
    );
    let all = Error::new(if same { class } else { Class::Connect }, message);
    match failures.pop() {
        Some(last) => all.with_source(last),
        None => all,
    }
}

impl Settings {
    /// With the credentials as of now.
    async fn with_credentials(&self, deadline: Deadline) -> Result<Settings> {
        let mut settings = self.clone();
        if let Some(provider) = &self.credentials {
            let places: Vec<String> = self.endpoints.iter().map(ToString::to_string).collect();
            let given = credentials::ask(&**provider, &places.join(","), deadline).await?;
            settings.options = Arc::new(Options {
                // The user's own by default, which is the configured one's.
                database: Some(self.options.database_name().to_owned()),
                user: given.user,
                password: given.password,
                ..(*self.options).clone()
            });
        }
        Ok(settings)
    }

    /// What keeps this server from being one that is asked for, as a clause.
    async fn misses_target(&self, connection: &Connection) -> Result<Option<&'static str>> {
        let is_replica = connection.session().link.role() == Role::Replica;
        match self.options.target {
            None if self.endpoints.len() == 1 => Ok(None),
            None if is_replica => Ok(Some("is a replica")),
            Some(SessionTarget::ReadWrite) if is_replica => Ok(Some(
                "takes no writes, and target_session_attrs=read-write asks for one that does",
            )),
            Some(SessionTarget::Primary) if is_replica => {
                // It may be read-only by default and no replica all the same.
                connection.ask_role().await?;
                let is_replica = connection.session().link.role() == Role::Replica;
                Ok(is_replica.then_some(
                    "is a replica, and target_session_attrs=primary asks for the primary",
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
            match self.try_way(endpoint, *way).await {
                Ok(connection) => return Ok(connection),
                Err(failed) if failed.another_way && first.is_none() && ways.len() > 1 => {
                    first = Some(failed.error);
                }
                // What the second way failed with is a consequence; the first says more.
                Err(failed) => return Err(first.unwrap_or(failed.error)),
            }
        }
        Err(first.unwrap_or_else(|| classify::alien(endpoint)))
    }

    async fn try_way(&self, endpoint: &Endpoint, way: Way) -> Result<Connection, Failed> {
        let mut dialed = self
            .dialer
            .dial(endpoint)
            .await
            .map_err(|error| classify::dial_failed(error, endpoint))?;
        if way == Way::Plain {
            return self.plain(endpoint, dialed).await;
        }
        let answer = match self.options.tls.negotiation {
            TlsNegotiation::Direct => Answer::Yes,
            TlsNegotiation::Postgres => ask_for_tls(&mut dialed.stream)
                .await
                .map_err(|error| classify::dial_failed(error, endpoint))?,
        };
        match (answer, way) {
            (Answer::Yes, _) => self.encrypted(endpoint, dialed).await,
            (Answer::No, Way::Either) => self.plain(endpoint, dialed).await,
            (Answer::No, _) => Err(Failed::from(
                Error::new(
                    Class::Config,
                    format!(
                        "The server at {endpoint} does not offer encryption, and sslmode={} asks for it.",
                        self.options.tls.mode
                    ),
                )
                .with_hint("Switch ssl on at the server, or set sslmode=disable if the network is safe."),
            )),
            (Answer::Error, _) => Err(Failed {
                error: Error::new(
                    Class::Connect,
                    format!("The server at {endpoint} failed before the connection was encrypted."),
                )
                .with_hint("Look into the server's log."),
                another_way: true,
            }),
            (Answer::Alien, _) => Err(classify::alien(endpoint).into()),
        }
    }

    async fn plain(&self, endpoint: &Endpoint, dialed: Dialed) -> Result<Connection, Failed> {
        let Dialed { stream, socket } = dialed;
        let link = Arc::new(Link::new(socket));
        let mut config = self.options.client_config();
        config.ssl_mode(SslMode::Disable);
        let tap = Tap::new(stream, Arc::clone(&link), !self.options.owns_session());
        self.log_in(endpoint, tap, NoTls, &config, link).await
    }

    async fn encrypted(&self, endpoint: &Endpoint, dialed: Dialed) -> Result<Connection, Failed> {
        let Dialed { stream, socket } = dialed;
        let link = Arc::new(Link::new(socket));
        let mut config = self.options.client_config();
        // The question has been asked and answered.
        config
            .ssl_mode(SslMode::Require)
            .ssl_negotiation(SslNegotiation::Direct);
        let tls = self
            .tls
            .connector(endpoint, Arc::clone(&link), !self.options.owns_session())?;
        self.log_in(endpoint, stream, tls, &config, link).await
    }

    async fn log_in<S, T>(
        &self,
        endpoint: &Endpoint,
        stream: S,
        tls: T,
        config: &tokio_postgres::Config,
        link: Arc<Link>,
    ) -> Result<Connection, Failed>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: TlsConnect<S>,
        T::Stream: Send + 'static,
    {
        let encrypted = config.get_ssl_mode() == SslMode::Require;
        let (client, connection) = config.connect_raw(stream, tls).await.map_err(|error| {
            let refused = error
                .as_db_error()
                .is_some_and(|said| said.code().code() == "28000");
            let handshake = encrypted && Kind::of(&error) == Kind::Tls;
            let error = classify::login_failed(error, endpoint, &self.options);
            Failed {
                error,
                another_way: refused || handshake,
            }
        })?;
        let told = task::role(&connection);
        let task = tokio::spawn(task::drive(connection, Arc::clone(&link))).abort_handle();
        let session = Session::new(
            client,
            link,
            self.clone(),
            endpoint.clone(),
            encrypted,
            task,
        );
        let connection = Connection::new(session);
        match told {
            Some(role) => connection.session().link.set_role(role),
            None => connection.ask_role().await.map_err(Failed::from)?,
        }
        Ok(connection)
    }
}
