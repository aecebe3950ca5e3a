//! What the tests share.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use underpin_access::{Connection, Connector, Options};
use underpin_core::driver::{Call, Connection as _, ConnectionExt as _, Connector as _};
use underpin_core::{Deadline, Endpoint, Error, FromRow, Result, Value, ValueRow};

/// A file among the sources.
pub(crate) fn own(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

/// A public sample, which may stand beside the checkout and is not among the sources.
pub(crate) fn sample(name: &str) -> PathBuf {
    let shared = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/access");
    Path::new(shared).join(name)
}

pub(crate) fn soon() -> Deadline {
    Deadline::after(Instant::now(), Duration::from_secs(60))
}

pub(crate) async fn try_open(path: &Path, options: Options) -> Result<Connection> {
    let connector = Connector::new(Endpoint::file(path), options);
    connector.connect(soon()).await
}

pub(crate) async fn open(path: &Path) -> Connection {
    let opened = try_open(path, Options::default()).await;
    opened.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn call<'a>(sql: &'a str, params: &'a [Value]) -> Call<'a> {
    Call {
        sql,
        params,
        deadline: soon(),
        shared: false,
    }
}

pub(crate) async fn try_query<T>(connection: &Connection, sql: &str) -> Result<Vec<T>>
where
    T: FromRow + Send + 'static,
{
    connection.query(call(sql, &[]), usize::MAX).await
}

pub(crate) async fn query<T>(connection: &Connection, sql: &str) -> Vec<T>
where
    T: FromRow + Send + 'static,
{
    let rows = try_query(connection, sql).await;
    rows.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Every row of a table.
pub(crate) async fn all(connection: &Connection, table: &str) -> Vec<ValueRow> {
    query(connection, &format!("SELECT * FROM {}", quoted(table))).await
}

pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(crate) async fn failure(connection: &Connection, sql: &str) -> Error {
    let done = connection.execute(call(sql, &[])).await;
    done.err().unwrap_or_else(|| panic!("{sql} was run"))
}

/// A copy of a file, which a test may change.
pub(crate) struct Copy {
    directory: PathBuf,
}

impl Copy {
    pub(crate) fn of(name: &str, test: &str) -> Copy {
        let name_of_process = format!("underpin-access-{}-{test}", std::process::id());
        let directory = std::env::temp_dir().join(name_of_process);
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::copy(own(name), directory.join("copy.accdb")).unwrap();
        Copy { directory }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.join("copy.accdb")
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
