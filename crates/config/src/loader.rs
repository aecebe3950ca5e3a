use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use underpin_core::{Result, Secret};

use crate::builder::ConfigBuilder;
use crate::config::Config;
use crate::field::Field;
use crate::file;
use crate::layer::{Layer, Rank};
use crate::libpq;
use crate::mistake;
use crate::reading::{ReadFile, read_file, unreadable};
use crate::resolve;
use crate::service;
use crate::source::Source;
use crate::unknown_key::unknown_key;
use crate::variables;

/// Puts a configuration together from the layers that it is given, in the order that
/// the [crate](crate) describes, whatever the order of the calls. It reads nothing that
/// it was not given.
///
/// ```
/// use underpin_config::Loader;
///
/// # fn main() -> underpin_core::Result<()> {
/// let config = Loader::new()
///     .file_text("underpin.toml", "url = \"postgres://app@db1/shop\"")
///     .environment([("DB_POOL_MAX_SIZE", "40")])
///     .load()?;
/// assert_eq!((config.database(), config.pool_max_size()), ("shop", 40));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Loader {
    file: Option<FileFrom>,
    code: Option<ConfigBuilder>,
    environment: BTreeMap<String, OsString>,
    reads_environment: bool,
    url: Option<Secret>,
    flags: Vec<(String, Secret)>,
    database: Option<String>,
    read: Option<Arc<ReadFile>>,
}

#[derive(Clone)]
enum FileFrom {
    /// It must be there, or may be missing.
    Path {
        path: PathBuf,
        must_exist: bool,
    },
    Text {
        path: PathBuf,
        text: Secret,
    },
}

impl Loader {
    /// A loader without layers.
    pub fn new() -> Self {
        Loader::default()
    }

    /// A loader with `underpin.toml` in the current directory, if it is there, and the
    /// environment of the process.
    pub fn of_process() -> Self {
        Loader::new()
            .file_if_present("underpin.toml")
            .environment(std::env::vars_os())
    }

    /// Reads this file, which must be there. Replaces a file given before.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(FileFrom::Path {
            path: path.into(),
            must_exist: true,
        });
        self
    }

    /// Reads this file if it is there. Replaces a file given before.
    #[must_use]
    pub fn file_if_present(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(FileFrom::Path {
            path: path.into(),
            must_exist: false,
        });
        self
    }

    /// Takes this text for that of the file `path`. Replaces a file given before.
    #[must_use]
    pub fn file_text(mut self, path: impl Into<PathBuf>, text: impl Into<Secret>) -> Self {
        self.file = Some(FileFrom::Text {
            path: path.into(),
            text: text.into(),
        });
        self
    }

    /// Takes what a builder holds, above the file and below the environment.
    #[must_use]
    pub fn code(mut self, builder: ConfigBuilder) -> Self {
        self.code = Some(builder);
        self
    }

    /// Takes these variables for the environment.
    #[must_use]
    pub fn environment<K, V>(mut self, variables: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        let named = variables.into_iter().filter_map(|(name, value)| {
            // A name that is not UTF-8 is nobody's that is looked for.
            Some((name.into().into_string().ok()?, value.into()))
        });
        self.environment.extend(named);
        self.reads_environment = true;
        self
    }

    /// Takes this URL, and with it no environment at all.
    #[must_use]
    pub fn url(mut self, url: impl Into<Secret>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Takes the value of a flag; its name is a key, with `-` or `_`.
    #[must_use]
    pub fn flag(mut self, key: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.flags.push((key.into(), value.into()));
        self
    }

    /// Reads the database of this name, not the unnamed one.
    #[must_use]
    pub fn database(mut self, name: impl Into<String>) -> Self {
        self.database = Some(name.into());
        self
    }

    /// Reads files (the configuration, a password) by this function.
    #[must_use]
    pub fn read_files_by(
        mut self,
        read: impl Fn(&Path) -> io::Result<String> + Send + Sync + 'static,
    ) -> Self {
        self.read = Some(Arc::new(read));
        self
    }

    /// Puts the configuration together and checks it.
    pub fn load(self) -> Result<Config> {
        if let Some(name) = &self.database {
            check_name(name)?;
        }
        let read: Arc<ReadFile> = self.read.clone().unwrap_or_else(|| Arc::new(read_file));
        let mut layers = Vec::new();
        let mut known = Vec::new();
        if let Some((path, text)) = self.file_text_from(&*read)? {
            let file = file::read(&path, text.expose(), self.database.as_deref())?;
            layers.extend(file.layers);
            known = file.databases;
        }
        if let Some(code) = self.code {
            layers.extend(code.into_layers()?);
        }
        if self.url.is_none() {
            layers.extend(variables::read(
                &self.environment,
                self.database.as_deref(),
            )?);
        }
        let engine = layers.iter().rev().find_map(|layer| layer.values.engine);
        let is_libpq_s = engine.is_none_or(libpq::connects_to);
        if self.url.is_none() && self.database.is_none() && is_libpq_s {
            layers.insert(0, variables::read_libpq(&self.environment)?);
        }
        if let Some(url) = &self.url {
            layers.push(Layer::of_url(Rank::Explicit, url.expose(), &Source::Url)?);
        }
        layers.push(flags(&self.flags)?);
        let environment =
            (self.url.is_none() && self.reads_environment).then_some(&self.environment);
        for layer in &mut layers {
            service::fill(layer, environment, &*read)?;
        }
        let passfile = environment.and_then(variables::passfile);
        resolve::resolve(layers, self.database, &known, passfile, &*read)
    }

    fn file_text_from(&self, read: &ReadFile) -> Result<Option<(PathBuf, Secret)>> {
        match &self.file {
            None => Ok(None),
            Some(FileFrom::Text { path, text }) => Ok(Some((path.clone(), text.clone()))),
            Some(FileFrom::Path { path, must_exist }) => match read(path) {
                Ok(text) => Ok(Some((path.clone(), text.into()))),
                Err(error) if !must_exist && error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(unreadable(path, error)),
            },
        }
    }
}

impl fmt::Debug for Loader {
    /// Says which layers there are; what they hold may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loader")
            .field("file", &self.file.is_some())
            .field("code", &self.code.is_some())
            .field("environment", &self.environment.len())
            .field("url", &self.url)
            .field("flags", &self.flags)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// Reads one URL, and nothing else: no file, no environment.
    ///
    /// ```
    /// # fn main() -> underpin_core::Result<()> {
    /// let config = underpin_config::Config::from_url("sqlite:shop.db?mode=rwc")?;
    /// assert!(config.create());
    /// # Ok(())
    /// # }
    /// ```
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
}

fn flags(flags: &[(String, Secret)]) -> Result<Layer> {
    let mut layer = Layer::new(Rank::Explicit);
    for (name, value) in flags {
        let name = name.trim_start_matches('-').replace('-', "_");
        let Some(field) = Field::of_key(&name) else {
            return Err(unknown_key("Among the flags", &name));
        };
        layer.put(field, value.expose(), Source::Flag(name))?;
    }
    layer.check_password()?;
    Ok(layer)
}

fn check_name(name: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match !name.is_empty() && name.chars().all(plain) {
        true => Ok(()),
        false => Err(
            mistake::config(format!("`{name}` cannot be the name of a database."))
                .with_hint("Names consist of letters, digits, `_` and `-`."),
        ),
    }
}
