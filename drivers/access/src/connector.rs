use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use underpin_core::driver::{self, BoxFuture, Connector as _};
use underpin_core::{Address, Class, Deadline, Endpoint, Error, Result};
use underpin_sqlite::{Access, Stop};

use crate::connection::Connection;
use crate::file::{AccessFile, Identity};
use crate::options::Options;
use crate::vtab;

/// Opens connections to one Access file.
#[derive(Debug, Clone)]
pub struct Connector {
    endpoint: Endpoint,
    options: Arc<Options>,
}

impl Connector {
    /// A connector that opens connections to `endpoint`, a file, as `options` say. Each has a reader of
    /// the file of its own.
    pub fn new(endpoint: Endpoint, options: Options) -> Self {
        Connector {
            endpoint,
            options: Arc::new(options),
        }
    }

    /// Where its connections lead.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// How they are opened.
    pub fn options(&self) -> &Options {
        &self.options
    }

    fn path(&self) -> Result<PathBuf> {
        match &self.endpoint.address {
            Address::File(path) if !path.as_os_str().is_empty() => Ok(path.clone()),
            _ => Err(Error::new(
                Class::Config,
                format!(
                    "{} is not a place for an Access database, which is a file.",
                    self.endpoint
                ),
            )
            .with_hint("Give the path of an .mdb or .accdb file.")),
        }
    }

    async fn open(&self, deadline: Deadline) -> Result<Connection> {
        let path = self.path()?;
        // Before it is opened: a change in between shows itself as one.
        let identity = Identity::of(&path);
        let opened: Arc<OnceLock<Arc<AccessFile>>> = Arc::default();
        let fill = {
            let (path, options, opened) = (path.clone(), self.options.clone(), opened.clone());
            move |conn: &rusqlite::Connection, stop: &Stop| {
                let file = Arc::new(AccessFile::open(&path, &options, stop)?);
                vtab::install(conn, &file)?;
                let _ = opened.set(file);
                Ok(())
            }
        };
        let options = underpin_sqlite::Options {
            access: Access::Reader,
            create: false,
            read_only: true,
            statement_timeout: self.options.statement_timeout,
            statement_cache_size: self.options.statement_cache_size,
            ..underpin_sqlite::Options::default()
        };
        let sqlite = underpin_sqlite::Connector::filled(self.endpoint.clone(), options, fill);
        let inner = sqlite.connect(deadline).await?;
        let Some(file) = opened.get().cloned() else {
            let what = format!("The Access file {} was not opened.", self.endpoint);
            return Err(Error::new(Class::Server, what));
        };
        Ok(Connection::new(inner, file, path, identity))
    }
}

impl driver::Connector for Connector {
    type Connection = Connection;

    fn connect(&self, deadline: Deadline) -> BoxFuture<'_, Result<Connection>> {
        Box::pin(self.open(deadline))
    }
}
