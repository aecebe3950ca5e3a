use std::path::PathBuf;

use clap::Args;
use underpin::config::Loader;
use underpin::{Config, Result};

use crate::format::Format;

/// The location of the database and the output format; the same for every command.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct GlobalOptions {
    /// URL of the database, such as postgres://app@db1/shop or sqlite:shop.db; no environment
    /// variable is read if it is given
    #[arg(long, global = true, value_name = "URL")]
    pub url: Option<String>,

    /// Name of one database among several: [databases.NAME] in the file, NAME_DB_HOST and so on
    /// in the environment
    #[arg(long, global = true, value_name = "NAME")]
    pub database: Option<String>,

    /// Configuration file, instead of underpin.toml in the current directory
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// URL of a database on whose server scratch databases are made, instead of the configured one
    #[arg(long, global = true, value_name = "URL")]
    pub scratch_url: Option<String>,

    /// Leave out rows that cannot be read and take values that cannot be read for NULL, with a
    /// warning, in a damaged Access file
    #[arg(long, global = true)]
    pub lenient: bool,

    /// Output format
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

impl GlobalOptions {
    /// The configuration that these options, the file and the environment add up to.
    ///
    /// # Errors
    /// `Class::Config` for a mistake in any of them.
    pub fn load(&self) -> Result<Config> {
        let mut loader = match (&self.url, &self.config) {
            (None, None) => Loader::of_process(),
            (None, Some(path)) => Loader::new().file(path).environment(std::env::vars_os()),
            (Some(url), Some(path)) => Loader::new().file(path).url(url.as_str()),
            (Some(url), None) => Loader::new().url(url.as_str()),
        };
        if let Some(name) = &self.database {
            loader = loader.database(name);
        }
        let config = loader.load()?;
        let config = match &self.scratch_url {
            Some(url) => config.to_builder().scratch_url(url.as_str()).build()?,
            None => config,
        };
        match self.lenient {
            true => config.to_builder().lenient(true).build(),
            false => Ok(config),
        }
    }
}
