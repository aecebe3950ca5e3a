use underpin_core::{Address, AddressForm, Endpoint, Result};

use crate::config::Config;
use crate::field::FIELDS;
use crate::fields::types::*;
use crate::fields::with_fields;
use crate::hosts::Host;
use crate::layer::{Layer, Rank};
use crate::mistake;
use crate::reading::read_file;
use crate::resolve;
use crate::service;
use crate::source::Source;

/// Builds a [`Config`] in code; also a layer of a [`Loader`](crate::Loader).
#[derive(Debug, Clone)]
pub struct ConfigBuilder {
    pub(crate) layer: Layer,
    /// What the configuration was told that this started from: a layer of its own, so
    /// that its password joins no other host.
    base: Option<Layer>,
    /// Read when everything is there, so that the setters need no `Result`.
    url: Option<Secret>,
    host: Option<String>,
    name: Option<String>,
}

impl Default for ConfigBuilder {
    fn default() -> Self {
        ConfigBuilder {
            layer: Layer::new(Rank::Code),
            base: None,
            url: None,
            host: None,
            name: None,
        }
    }
}

impl ConfigBuilder {
    /// Starts from what `config` was told; its defaults stay defaults.
    pub(crate) fn of(config: &Config) -> Self {
        let mut base = Layer::new(Rank::Code);
        for field in FIELDS {
            let source = config.source(field.key);
            if !matches!(source, Source::Default | Source::Overruled { .. }) {
                (field.give)(&config.settings, &mut base.values);
                base.sources.insert(field.key, source.clone());
            }
        }
        // Looked up again where the place or the user is another.
        if let Source::Passfile { path, .. } = config.source("password") {
            base.values.passfile = Some(Some(path.clone()));
        }
        let name = config.name.clone();
        ConfigBuilder {
            base: Some(base),
            name,
            ..ConfigBuilder::default()
        }
    }

    /// Reads a URL, beneath what the other setters say, in whatever order they are called.
    #[must_use]
    pub fn url(mut self, url: impl Into<Secret>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Sets the host, or several with commas, each with its own port or none:
    /// `db1:5433,db2,[::1],/run/postgresql`.
    #[must_use]
    pub fn host(mut self, hosts: impl Into<String>) -> Self {
        self.host = Some(hosts.into());
        self
    }

    /// Sets the port of all hosts that do not have their own.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.layer.values.port = Some(Ports(vec![Some(port)]));
        self.written("port")
    }

    /// Sets the places to connect to.
    #[must_use]
    pub fn endpoints(mut self, endpoints: impl IntoIterator<Item = Endpoint>) -> Self {
        let (mut hosts, mut addresses) = (Vec::new(), Vec::new());
        for endpoint in endpoints {
            match endpoint.address {
                Address::Tcp { host, port, ip } => {
                    hosts.push(Host {
                        name: host,
                        port: Some(port),
                    });
                    addresses.push(ip);
                }
                Address::Unix { directory, port } => {
                    let name = directory.to_string_lossy().into_owned();
                    hosts.push(Host {
                        name,
                        port: Some(port),
                    });
                    addresses.push(None);
                }
                Address::File(path) => {
                    let path = path.to_string_lossy();
                    self = self.of_files(&path).database(path);
                }
                Address::DataSource(name) => self = self.engine(Engine::ODBC).database(name),
                Address::Memory => self = self.of_files(":memory:").database(":memory:"),
                _ => {}
            }
        }
        if hosts.is_empty() {
            return self;
        }
        if addresses.iter().any(Option::is_some) {
            self.layer.values.hostaddr = Some(Addresses(addresses));
            self = self.written("hostaddr");
        }
        self.host = None;
        self.layer.values.host = Some(Hosts(hosts));
        self.written("host")
    }

    /// The engine whose files have such names, else SQLite, where no engine of files was chosen.
    fn of_files(self, name: &str) -> Self {
        let engine = self.layer.values.engine;
        let is_of_files = |engine: Engine| matches!(engine.info().address, AddressForm::File);
        match engine.is_some_and(is_of_files) {
            true => self,
            false => self.engine(Engine::of_file_name(name).unwrap_or(Engine::SQLITE)),
        }
    }

    /// Sets [`Config::password`].
    #[must_use]
    pub fn password(mut self, password: impl Into<Secret>) -> Self {
        self.layer.forget(|field| field.key == "password_file");
        self.layer.values.password = Some(password.into());
        self.written("password")
    }

    /// Reads [`Config::password`] from this file, without the line end at its end.
    #[must_use]
    pub fn password_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.layer.forget(|field| field.key == "password");
        self.layer.values.password_file = Some(Some(path.into()));
        self.written("password_file")
    }

    /// Checks everything.
    pub fn build(mut self) -> Result<Config> {
        let name = self.name.take();
        let mut layers = self.into_layers()?;
        for layer in &mut layers {
            service::fill(layer, None, &read_file)?;
        }
        resolve::resolve(layers, name, &[], None, &read_file)
    }

    pub(crate) fn into_layers(mut self) -> Result<Vec<Layer>> {
        let mut layers: Vec<_> = self.base.take().into_iter().collect();
        if let Some(url) = &self.url {
            layers.push(Layer::of_url(Rank::Code, url.expose(), &Source::Code)?);
        }
        if let Some(text) = &self.host {
            let hosts = Hosts::read(text).map_err(|problem| {
                mistake::config(format!("`host` (code) is `{text}`, which {problem}."))
            })?;
            self.layer.values.host = Some(hosts);
            self.layer.sources.insert("host", Source::Code);
        }
        layers.push(self.layer);
        Ok(layers)
    }

    pub(crate) fn written(mut self, key: &'static str) -> Self {
        self.layer.sources.insert(key, Source::Code);
        self
    }
}

impl Config {
    /// A builder with nothing set.
    ///
    /// ```
    /// use underpin_config::Config;
    ///
    /// # fn main() -> underpin_core::Result<()> {
    /// let config = Config::builder().host("db1").database("shop").user("app").build()?;
    /// assert_eq!(config.endpoints()[0].to_string(), "db1:5432");
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::default()
    }

    /// A builder that starts from this configuration. The password is left out when it
    /// is given another host or URL.
    ///
    /// ```
    /// use underpin_config::Config;
    ///
    /// # fn main() -> underpin_core::Result<()> {
    /// let config = Config::from_url("sqlite::memory:")?.to_builder().max_retries(0).build()?;
    /// assert_eq!(config.max_retries(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn to_builder(&self) -> ConfigBuilder {
        ConfigBuilder::of(self)
    }
}

/// Makes the setters of [`ConfigBuilder`].
macro_rules! setters {
    ($(
        $(#[$doc:meta])*
        $form:ident $name:ident: $type:ty = $default:expr;
        $variable:literal $aliases:tt $part:ident $scope:ident
    )*) => {
        impl ConfigBuilder {
            $(setter! { $form $name $type })*
        }
    };
}

/// The setter of a field, by the form in which it is handed in.
macro_rules! setter {
    (hidden $name:ident $type:ty) => {};
    (secret $name:ident $type:ty) => {};
    (addresses $name:ident $type:ty) => {
        #[doc = concat!("Sets [`Config::", stringify!($name), "`].")]
        #[must_use]
        pub fn $name(mut self, addresses: impl IntoIterator<Item = Option<IpAddr>>) -> Self {
            self.layer.values.$name = Some(Addresses(addresses.into_iter().collect()));
            self.written(stringify!($name))
        }
    };
    (url $name:ident $type:ty) => {
        #[doc = concat!("Sets [`Config::", stringify!($name), "`].")]
        #[must_use]
        pub fn $name(mut self, url: impl Into<$type>) -> Self {
            self.layer.values.$name = Some(url.into());
            self.written(stringify!($name))
        }
    };
    (cloned $name:ident $type:ty) => {
        setter! { copied $name $type }
    };
    (copied $name:ident $type:ty) => {
        #[doc = concat!("Sets [`Config::", stringify!($name), "`].")]
        #[must_use]
        pub fn $name(mut self, value: $type) -> Self {
            self.layer.values.$name = Some(value);
            self.written(stringify!($name))
        }
    };
    (limit $name:ident $type:ty) => {
        #[doc = concat!("Sets [`Config::", stringify!($name), "`].")]
        #[must_use]
        pub fn $name(mut self, value: impl Into<$type>) -> Self {
            self.layer.values.$name = Some(value.into());
            self.written(stringify!($name))
        }
    };
    (name $name:ident $type:ty) => {
        setter! { limit $name $type }
    };
    (text $name:ident $type:ty) => {
        #[doc = concat!("Sets [`Config::", stringify!($name), "`].")]
        #[must_use]
        pub fn $name(mut self, value: impl Into<String>) -> Self {
            self.layer.values.$name = Some(Some(value.into()));
            self.written(stringify!($name))
        }
    };
    (path $name:ident $type:ty) => {
        #[doc = concat!("Sets [`Config::", stringify!($name), "`].")]
        #[must_use]
        pub fn $name(mut self, value: impl Into<PathBuf>) -> Self {
            self.layer.values.$name = Some(Some(value.into()));
            self.written(stringify!($name))
        }
    };
}

with_fields!(setters);
