//! A database, a directory, and the command in it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use underpin::Database;
use underpin_testkit::{Postgres, SqliteFile, TestDatabase};

pub(crate) enum Held {
    Sqlite(SqliteFile),
    Postgres(TestDatabase),
}

pub(crate) struct Place {
    held: Held,
    directory: tempfile::TempDir,
}

impl Place {
    pub(crate) fn on_sqlite() -> Self {
        Place {
            held: Held::Sqlite(SqliteFile::new()),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn on_postgres(server: &Postgres, name: &str) -> Self {
        Place {
            held: Held::Postgres(server.database(name)),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn held(&self) -> &Held {
        &self.held
    }

    pub(crate) fn url(&self) -> String {
        match &self.held {
            Held::Sqlite(file) => file.url(),
            Held::Postgres(database) => database.url(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) async fn batch(&self, sql: &str) {
        let database = Database::connect(self.url()).await.unwrap();
        let lease = database.acquire().await.unwrap();
        lease.batch(sql).await.unwrap();
        drop(lease);
        database
            .close(std::time::Duration::from_secs(5))
            .await
            .unwrap();
    }

    /// Runs the command with these arguments, and nothing in its environment that could name
    /// a database.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_underpin"));
        command.current_dir(self.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars() {
            if name.starts_with("DB_") || name.contains("DATABASE_URL") {
                command.env_remove(name);
            }
        }
        if !arguments.contains(&"--url") {
            command.args(["--url", &self.url()]);
        }
        Said::of(
            command
                .args(arguments)
                .output()
                .expect("the command starts"),
        )
    }
}

pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    fn of(output: Output) -> Self {
        let said = Said {
            code: output.status.code().expect("the command ends by itself"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        // To the test run's output, which is searched for secrets.
        print!("{}{}", said.out, said.err);
        said
    }
}
