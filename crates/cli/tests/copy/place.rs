//! Databases, and the command between them.

use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use underpin::Database;

pub(crate) use underpin_testkit::Place;
use underpin_testkit::{Postgres, SqliteFile};

pub(crate) fn sqlite() -> Place {
    Place::Sqlite(SqliteFile::new())
}

pub(crate) fn postgres(server: &Postgres, name: &str) -> Place {
    Place::Postgres(server.database(name))
}

/// What a test does with its databases.
pub(crate) trait InPlace {
    /// Runs statements.
    async fn batch(&self, sql: &str);
    /// The rows of a query, each as its values with `|` between them.
    async fn rows(&self, sql: &str) -> Vec<String>;
    /// The one number of a query.
    async fn count(&self, table: &str) -> i64;
}

impl InPlace for Place {
    async fn batch(&self, sql: &str) {
        let database = open(self).await;
        let lease = database.acquire().await.unwrap();
        lease.batch(sql).await.unwrap();
        drop(lease);
        close(database).await;
    }

    async fn rows(&self, sql: &str) -> Vec<String> {
        let database = open(self).await;
        let rows = database.query(sql, ()).await.unwrap();
        close(database).await;
        let row = |row: &underpin::ValueRow| {
            let values: Vec<String> = row.values().iter().map(ToString::to_string).collect();
            values.join("|")
        };
        rows.iter().map(row).collect()
    }

    async fn count(&self, table: &str) -> i64 {
        let rows = self.rows(&format!("SELECT count(*) FROM {table}")).await;
        rows[0].parse().unwrap()
    }
}

async fn open(place: &Place) -> Database {
    Database::connect(place.url()).await.unwrap()
}

async fn close(database: Database) {
    database.close(Duration::from_secs(5)).await.unwrap();
}

/// The command, with nothing in its environment that could name a database.
pub(crate) fn command(from: &Place, to: &Place, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_underpin"));
    for (name, _) in std::env::vars() {
        if name.starts_with("DB_") || name.contains("DATABASE_URL") {
            command.env_remove(name);
        }
    }
    command
        .current_dir(std::env::temp_dir())
        .args(["copy", &from.url(), &to.url()])
        .args(arguments)
        .stdin(Stdio::null());
    command
}

pub(crate) fn copy(from: &Place, to: &Place, arguments: &[&str]) -> Said {
    Said::of(command(from, to, arguments).output().expect("it starts"))
}

pub(crate) fn spawn(from: &Place, to: &Place, arguments: &[&str]) -> Child {
    let mut command = command(from, to, arguments);
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.spawn().expect("it starts")
}

pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn of(output: Output) -> Self {
        let said = Said {
            code: output.status.code().expect("the command ends by itself"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        // To the test run's output, which is searched for secrets.
        print!("{}{}", said.out, said.err);
        said
    }

    #[track_caller]
    pub(crate) fn expect(self, code: i32, parts: &[&str]) -> Self {
        let all = format!("{}{}", self.out, self.err);
        assert_eq!(self.code, code, "{all}");
        for part in parts {
            assert!(all.contains(part), "{part:?} is missing in\n{all}");
        }
        self
    }
}
