use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use underpin_core::{Address, AddressForm, Endpoint, Error, Result, TlsOptions};

use crate::field::{FIELDS, Field, Part};
use crate::fields::types::*;
use crate::fields::with_fields;
use crate::mistake;
use crate::source::Source;
use crate::values::Settings;

/// The configuration of one database. Each value was checked when this was built, and
/// remembers its [source](Config::source). It is changed by way of a
/// [builder](Config::to_builder).
///
/// ```
/// use std::time::Duration;
/// use underpin_config::{Config, Source};
///
/// # fn main() -> underpin_core::Result<()> {
/// let config = Config::from_url("postgres://app@db1/shop?pool_max_size=40")?;
/// assert_eq!((config.database(), config.pool_max_size()), ("shop", 40));
/// assert_eq!(config.acquire_timeout(), Duration::from_secs(30));
/// assert_eq!(config.source("acquire_timeout"), &Source::Default);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub(crate) settings: Settings,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) sources: BTreeMap<&'static str, Source>,
    pub(crate) name: Option<String>,
}

impl Config {
    /// Which of several databases this is, where they have names.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The places to connect to, in the order in which they were named; at least one.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// The same configuration with other places to connect to, as a lookup found them.
    #[must_use]
    pub fn with_endpoints(&self, endpoints: Vec<Endpoint>) -> Self {
        Config {
            endpoints,
            ..self.clone()
        }
    }

    /// Whether the database is in this process's memory, with its only connection.
    pub fn is_memory(&self) -> bool {
        self.endpoints
            .iter()
            .any(|endpoint| endpoint.address.is_memory())
    }

    /// Where the value of a key comes from.
    pub fn source(&self, key: &str) -> &Source {
        let key = Field::of_key(key).map_or(key, |field| field.key);
        self.sources.get(key).unwrap_or(&Source::Default)
    }

    /// How connections to an endpoint are encrypted. Without an `sslmode` that is
    /// `verify-full`, and `prefer` on loopback. `require` beside a root certificate is
    /// `verify-ca`, as libpq has it. On a Unix socket or a file it is `disable`, since
    /// nothing leaves the machine; libpq ignores `sslmode` there too.
    pub fn tls(&self, endpoint: &Endpoint) -> TlsOptions {
        let settings = &self.settings;
        let system = settings.sslrootcert.as_deref() == Some(Path::new("system"));
        let mode = match (&endpoint.address, settings.sslmode) {
            (Address::Unix { .. } | Address::File(_) | Address::Memory, _) => TlsMode::Disable,
            // A user who names an authority wants it checked.
            (_, None) if settings.sslrootcert.is_some() => TlsMode::VerifyFull,
            (_, None) if endpoint.is_local() => TlsMode::Prefer,
            (_, None) => TlsMode::VerifyFull,
            (_, Some(TlsMode::Require)) if settings.sslrootcert.is_some() => TlsMode::VerifyCa,
            (_, Some(mode)) => mode,
        };
        TlsOptions {
            mode,
            root_certificates: settings.sslrootcert.clone().filter(|_| !system),
            client_certificate: settings.sslcert.clone(),
            client_key: settings.sslkey.clone(),
            revocation_list: settings.sslcrl.clone(),
            negotiation: settings.sslnegotiation,
            min_version: settings.ssl_min_protocol_version,
            max_version: settings.ssl_max_protocol_version,
            server_name: settings.sslsni,
            channel_binding: settings.channel_binding,
        }
    }

    /// The configuration of migrations: [`migrate_url`](Config::migrate_url) says the whole place,
    /// if it is set, and everything else is as here.
    ///
    /// ```
    /// # fn main() -> underpin_core::Result<()> {
    /// let config = underpin_config::Config::builder()
    ///     .url("postgres://app@pooler:6432/shop?statement_timeout=5s")
    ///     .migrate_url("postgres://owner@db1/shop")
    ///     .build()?
    ///     .for_migrations()?;
    /// assert_eq!(config.endpoints()[0].to_string(), "db1:5432");
    /// assert_eq!(config.user(), Some("owner"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Class::Config` if that is not a URL, or one of another engine.
    pub fn for_migrations(&self) -> Result<Config> {
        self.elsewhere("migrate_url", &self.settings.migrate_url)
    }

    /// The configuration of the database beside which scratch databases are made: at
    /// [`scratch_url`](Config::scratch_url), if it is set, else that of
    /// [migrations](Config::for_migrations).
    ///
    /// # Errors
    /// `Class::Config` if that is not a URL, or one of another engine.
    pub fn for_scratch(&self) -> Result<Config> {
        match self.settings.scratch_url.is_empty() {
            true => self.for_migrations(),
            false => self.elsewhere("scratch_url", &self.settings.scratch_url),
        }
    }

    fn elsewhere(&self, key: &str, url: &Secret) -> Result<Config> {
        if url.is_empty() {
            return Ok(self.clone());
        }
        let source = self.source(key);
        let context = |error: Error| error.with_context(format!("`{key}` ({source}):"));
        let own = Config::from_url(url.expose()).map_err(context)?;
        let (engine, others) = (self.engine(), own.engine());
        if engine != others {
            return Err(mistake::config(format!(
                "`{key}` ({source}) is a database on {others}, and the database is on {engine}."
            ))
            .with_hint("Both have to be of one engine."));
        }
        self.to_builder().url(url.clone()).build().map_err(context)
    }

    /// The configuration as a URL, with `***` for a password. It holds everything that
    /// somebody set, and can be read again.
    ///
    /// ```
    /// # fn main() -> underpin_core::Result<()> {
    /// let config = underpin_config::Config::from_url("postgres://app:secret@db1/shop")?;
    /// assert_eq!(config.to_url_masked(), "postgres://app:***@db1:5432/shop");
    /// # Ok(())
    /// # }
    /// ```
    pub fn to_url_masked(&self) -> String {
        let engine = self.settings.engine;
        let mut url = match engine.info().address {
            AddressForm::File if self.is_memory() => {
                format!("{engine}:{}", self.settings.database)
            }
            AddressForm::File => {
                format!("{engine}:///{}", encoded(&self.settings.database, PATH))
            }
            AddressForm::DataSource => {
                format!("{engine}://{}", encoded(&self.settings.database, PATH))
            }
            AddressForm::Server { .. } => self.server_url(engine),
        };
        let mut separator = if url.contains('?') { '&' } else { '?' };
        // What of the place has no part of the URL of its own.
        let own: &[&str] = match engine.info().address {
            AddressForm::Server { .. } => {
                &["hostaddr", "passfile", "patroni", "target_session_attrs"]
            }
            _ => &["user", "password"],
        };
        let is_parameter = |field: &&Field| field.part != Part::Place || own.contains(&field.key);
        for field in FIELDS.iter().filter(is_parameter) {
            let source = self.source(field.key);
            let said = !matches!(source, Source::Default | Source::Overruled { .. });
            // No URL can hold another with its password.
            let is_url = ["migrate_url", "scratch_url"].contains(&field.key);
            if said && field.applies_to(engine) && !is_url {
                let shown = (field.show)(&self.settings);
                let value = match field.is_secret() {
                    true => shown.into(),
                    false => encoded(&shown, PATH),
                };
                // Writing to a string cannot fail.
                let _ = write!(url, "{separator}{}={value}", field.key);
                separator = '&';
            }
        }
        url
    }

    fn server_url(&self, engine: Engine) -> String {
        let host = |endpoint: &Endpoint| match &endpoint.address {
            Address::Unix { directory, port } => {
                format!("{}:{port}", encoded(&directory.to_string_lossy(), TEXT))
            }
            Address::Tcp { host, port, .. } if host.contains(':') => {
                format!("[{}]:{port}", encoded(host, V6))
            }
            Address::Tcp { host, port, .. } => format!("{}:{port}", encoded(host, TEXT)),
            _ => endpoint.to_string(),
        };
        let hosts: Vec<_> = self.endpoints.iter().map(host).collect();
        let user = self.settings.user.as_deref().unwrap_or_default();
        let password = if self.settings.password.is_empty() {
            ""
        } else {
            ":***"
        };
        let (user, hosts) = (encoded(user, TEXT), hosts.join(","));
        let database = encoded(&self.settings.database, TEXT);
        format!("{engine}://{user}{password}@{hosts}/{database}")
    }
}

/// Makes the getters of [`Config`].
macro_rules! getters {
    ($(
        $(#[$doc:meta])*
        $form:ident $name:ident: $type:ty = $default:expr;
        $variable:literal $aliases:tt $part:ident $scope:ident
    )*) => {
        impl Config {
            $(getter! { $form $name $type [$(#[$doc])*] })*
        }
    };
}

/// The getter of a field, by the form in which it is handed out.
macro_rules! getter {
    (hidden $name:ident $type:ty [$($doc:tt)*]) => {};
    (copied $name:ident $type:ty [$($doc:tt)*]) => {
        $($doc)*
        pub fn $name(&self) -> $type {
            self.settings.$name
        }
    };
    (limit $name:ident $type:ty [$($doc:tt)*]) => {
        getter! { copied $name $type [$($doc)*] }
    };
    (name $name:ident $type:ty [$($doc:tt)*]) => {
        $($doc)*
        pub fn $name(&self) -> &str {
            &self.settings.$name
        }
    };
    (text $name:ident $type:ty [$($doc:tt)*]) => {
        $($doc)*
        pub fn $name(&self) -> Option<&str> {
            self.settings.$name.as_deref()
        }
    };
    (path $name:ident $type:ty [$($doc:tt)*]) => {
        $($doc)*
        pub fn $name(&self) -> Option<&Path> {
            self.settings.$name.as_deref()
        }
    };
    (addresses $name:ident $type:ty [$($doc:tt)*]) => {
        $($doc)*
        pub fn $name(&self) -> &[Option<IpAddr>] {
            &self.settings.$name.0
        }
    };
    (cloned $name:ident $type:ty [$($doc:tt)*]) => {
        getter! { secret $name $type [$($doc)*] }
    };
    (url $name:ident $type:ty [$($doc:tt)*]) => {
        getter! { secret $name $type [$($doc)*] }
    };
    (secret $name:ident $type:ty [$($doc:tt)*]) => {
        $($doc)*
        pub fn $name(&self) -> &$type {
            &self.settings.$name
        }
    };
}

with_fields!(getters);

/// The characters that may appear anywhere in a URL unescaped.
const TEXT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
const V6: &AsciiSet = &TEXT.remove(b':');
const PATH: &AsciiSet = &TEXT.remove(b'/');

fn encoded<'a>(text: &'a str, set: &'static AsciiSet) -> Cow<'a, str> {
    utf8_percent_encode(text, set).into()
}
