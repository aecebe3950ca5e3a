//! Copying tables from one database to another.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> underpin::Result<()> {
//! use std::sync::Arc;
//! use underpin::copy::{CopyOptions, copy};
//! use underpin::{Config, Connection};
//!
//! # let directory = std::env::temp_dir().join(format!("underpin-copy-{}", std::process::id()));
//! # std::fs::create_dir_all(&directory).unwrap();
//! # let shop = format!("sqlite:{}", directory.join("shop.db").display());
//! # let archive = format!("sqlite:{}", directory.join("archive.db").display());
//! let connection = Connection::connect(format!("{shop}?mode=rwc")).await?;
//! connection.batch("CREATE TABLE users (id INTEGER PRIMARY KEY); INSERT INTO users VALUES (7)").await?;
//! connection.close().await;
//!
//! let (from, to) = (Config::from_url(&shop)?, Config::from_url(&archive)?);
//! let options = CopyOptions { create: true, ..CopyOptions::default() };
//! let report = copy(&from, &to, options, Arc::new(())).await?;
//! assert!(report.is_equal());
//! assert_eq!(report.tables[0].found.unwrap().rows, 1);
//! # std::fs::remove_dir_all(&directory).unwrap();
//! # Ok(())
//! # }
//! ```

use std::path::Path;
use std::sync::Arc;

use underpin_config::Config;
use underpin_core::driver::{AnyConnection, BoxFuture};
use underpin_core::{Address, Class, Engine, Error, Result};
use underpin_migrate::LockFile;
use underpin_schema::{SchemaDialect, ScratchRules};

use crate::{connect, engines};

pub use underpin_copy::{
    Bad, Checksum, CopyDialect, CopyOptions, CopyReport, Decision, Endpoint, FileLock, OnConflict,
    Progress, TableReport, type_table,
};
pub use underpin_copy::{postgres, sqlite};

/// A database as one side of a copy.
struct Side(Config);

impl Endpoint for Side {
    fn engine(&self) -> Engine {
        self.0.engine()
    }

    fn connect(&self) -> BoxFuture<'_, Result<AnyConnection>> {
        Box::pin(async {
            let driver = engines::driver(self.0.engine())?;
            connect::alone(&*driver, &self.0).await
        })
    }

    fn lock_file(&self, path: &Path) -> Result<Option<FileLock>> {
        let lock = LockFile::try_take(path)?;
        Ok(lock.map(|lock| Box::new(lock) as FileLock))
    }
}

/// Copies tables from the database of one configuration to that of another; see
/// [`underpin_copy::copy`].
///
/// # Errors
/// As for [`underpin_copy::copy`].
///
/// # Cancel safety
/// As for [`underpin_copy::copy`].
pub async fn copy(
    from: &Config,
    to: &Config,
    options: CopyOptions,
    progress: Arc<dyn Progress>,
) -> Result<CopyReport> {
    let creates = options.create && !options.dry_run;
    let absent = options.create && options.dry_run && is_absent(to);
    let to = match absent {
        true => empty(to.engine())?,
        false => unlimited(to, creates)?,
    };
    let (from, to) = (Side(unlimited(from, false)?), Side(to));
    underpin_copy::copy(Arc::new(from), Arc::new(to), options, progress).await
}

/// The configuration without a limit on statements, since a table may take longer than any that is
/// meant for them.
fn unlimited(config: &Config, creates: bool) -> Result<Config> {
    let builder = config.to_builder().statement_timeout(None);
    match config.engine().has_key("create") {
        true => builder.create(creates).build(),
        false => builder.build(),
    }
}

/// Whether the database is a file that is not there yet.
fn is_absent(config: &Config) -> bool {
    let mut endpoints = config.endpoints().iter();
    endpoints.any(|endpoint| matches!(&endpoint.address, Address::File(path) if !path.exists()))
}

/// A database of the engine that has nothing.
fn empty(engine: Engine) -> Result<Config> {
    match SchemaDialect::of(engine)?.scratch {
        ScratchRules::Memory { url } => Config::from_url(url),
        _ => Err(Error::new(Class::Missing, "The target does not exist.")),
    }
}
