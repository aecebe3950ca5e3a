//! Where a test's database is.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use jobmatch::import::{ImportKind, ImportReport, Source, import};
use underpin::{Database, Engine, Result};

pub(crate) use underpin_testkit::Place;

/// What a test does with its place.
pub(crate) trait InPlace {
    fn engine(&self) -> Engine;
    /// The database at the newest revision.
    async fn migrated(&self) -> Database;
    /// Runs the command with this database.
    fn command(&self, arguments: &[&str]) -> Output;
}

impl InPlace for Place {
    fn engine(&self) -> Engine {
        match self {
            Place::Postgres(_) => Engine::POSTGRES,
            Place::Sqlite(_) => Engine::SQLITE,
        }
    }

    async fn migrated(&self) -> Database {
        let database = Database::connect(self.url()).await.expect("it opens");
        jobmatch::migrate(&database).await.expect("it is migrated");
        database
    }

    fn command(&self, arguments: &[&str]) -> Output {
        let mut command = program();
        command.args(arguments).arg("--url").arg(self.url());
        command.output().expect("the command runs")
    }
}

pub(crate) fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_jobmatch"))
}

pub(crate) async fn close(database: Database) {
    database
        .close(Duration::from_secs(10))
        .await
        .expect("it closes");
}

/// A directory with files of a test.
pub(crate) struct Files(tempfile::TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        Files(tempfile::tempdir().expect("a directory is made"))
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).expect("the file is written");
        path
    }
}

/// Imports a file whose headers are the columns' names.
pub(crate) async fn import_file(
    database: &Database,
    kind: ImportKind,
    path: &Path,
) -> Result<ImportReport> {
    import(database, Source::open(kind, path, &[])?, |_| ()).await
}

pub(crate) async fn count(database: &Database, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    database.query_scalar(&sql, ()).await.expect("it counts")
}
