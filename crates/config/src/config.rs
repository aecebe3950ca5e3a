use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use underpin_core::{Address, AddressForm, Endpoint, Engine, Result, TlsMode, TlsOptions};

use crate::builder::ConfigBuilder;
use crate::field::{Field, Part};
use crate::fields::{FIELDS, Settings};
use crate::loader::Loader;
use crate::source::Source;

/// The configuration of one database. Each value was checked when this was built, and
/// remembers its [source](Config::source). It is changed by way of a
/// [builder](Config::to_builder).
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub(crate) settings: Settings,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) sources: BTreeMap<&'static str, Source>,
    pub(crate) name: Option<String>,
}

impl Config {
    /// A builder with nothing set.
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::default()
    }

    /// Reads one URL, and nothing else: no file, no environment.
    pub fn from_url(url: &str) -> Result<Config> {
        Loader::new().url(url).load()
    }

    /// Reads `underpin.toml` in the current directory, if it is there, and the
    /// environment of the process.
    pub fn from_env() -> Result<Config> {
        Loader::of_process().load()
    }

    /// Reads the database `name` from where [`from_env`](Config::from_env) reads the
    /// unnamed one: `[databases.NAME]` and `NAME_DATABASE_URL`, `NAME_DB_HOST`, ….
    pub fn named(name: &str) -> Result<Config> {
        Loader::of_process().database(name).load()
    }

    /// A builder that starts from this configuration. The password is left out when it
    /// is given another host or URL.
    pub fn to_builder(&self) -> ConfigBuilder {
        ConfigBuilder::of(self)
    }

    /// Which of several databases this is, where they have names.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The places to connect to, in the order in which they were named; at least one.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
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
            // Who names an authority wants it checked.
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

    /// The configuration as a URL, with `***` for a password. It holds everything that
    /// somebody set, and can be read again.
    pub fn to_url_masked(&self) -> String {
        let engine = self.settings.engine;
        let mut url = match engine.info().address {
            AddressForm::File if self.is_memory() => {
                format!("{engine}:{}", self.settings.database)
            }
            AddressForm::File => {
                format!("{engine}:///{}", encoded(&self.settings.database, PATH))
            }
            AddressForm::Server { .. } => self.server_url(engine),
        };
        let mut separator = if url.contains('?') { '&' } else { '?' };
        // What of the place has no part of the URL of its own.
        let own = ["hostaddr", "passfile", "target_session_attrs"];
        let is_parameter = |field: &&Field| field.part != Part::Place || own.contains(&field.key);
        for field in FIELDS.iter().filter(is_parameter) {
            let source = self.source(field.key);
            let said = !matches!(source, Source::Default | Source::Overruled { .. });
            if said && field.applies_to(engine) {
                let value = (field.show)(&self.settings);
                // Writing to a string cannot fail.
                let _ = write!(url, "{separator}{}={}", field.key, encoded(&value, PATH));
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
            Address::Tcp { host, port } if host.contains(':') => {
                format!("[{}]:{port}", encoded(host, V6))
            }
            Address::Tcp { host, port } => format!("{}:{port}", encoded(host, TEXT)),
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

/// What can stand for itself anywhere in a URL.
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
