//! The location of a test's database.

use std::sync::Arc;
use std::time::Duration;

use underpin::{Config, Database, Engine};
use underpin_testkit::TestDatabase;

pub(crate) use underpin_testkit::Place;

/// The operations that a test does in a place.
pub(crate) trait InPlace {
    fn engine(&self) -> Engine;
    async fn open(&self) -> Database;
    /// Number of connections of the database under test, as the server counts them.
    async fn connections(&self) -> Option<i64>;
}

impl InPlace for Place {
    fn engine(&self) -> Engine {
        match self {
            Place::Postgres(_) => Engine::POSTGRES,
            Place::Sqlite(_) => Engine::SQLITE,
        }
    }

    async fn open(&self) -> Database {
        Database::connect(self.url())
            .await
            .expect("the test's database opens")
    }

    async fn connections(&self) -> Option<i64> {
        let Place::Postgres(database) = self else {
            return None;
        };
        Some(server_connections(database).await)
    }
}

/// Connections to the test's database, without the observer's own.
pub(crate) async fn server_connections(database: &TestDatabase) -> i64 {
    let observer = database.client().await;
    let sql = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    observer.query_one(sql, &[]).await.unwrap().get(0)
}

/// Sessions of the test's database that are in a transaction, as the server sees it.
pub(crate) async fn open_transactions(database: &TestDatabase) -> i64 {
    let observer = database.client().await;
    let sql = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
          AND (state LIKE 'idle in transaction%' OR state = 'active')
          AND backend_type = 'client backend'";
    observer.query_one(sql, &[]).await.unwrap().get(0)
}

/// Repeats the check until it succeeds; fails after long enough that it never will.
pub(crate) async fn eventually<F: AsyncFnMut() -> bool>(what: &str, mut condition: F) {
    for _ in 0..400 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("this never became true: {what}");
}

/// A database with a pool of this size and without retries.
pub(crate) async fn small(url: &str, connections: u32) -> Database {
    let config = Config::from_url(url).unwrap().to_builder();
    let config = config
        .pool_min_size(0)
        .pool_max_size(connections)
        .max_retries(0);
    Database::connect(config.build().unwrap())
        .await
        .expect("the test's database opens")
}

/// Everything that is logged while a test runs, with levels.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl Log {
    /// Collects the log of this thread until the guard is dropped.
    pub(crate) fn collect(&self) -> impl Drop + use<> {
        use tracing_subscriber::fmt::MakeWriter;
        #[derive(Clone)]
        struct Writer(Log);
        impl std::io::Write for Writer {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.0.lock().unwrap().extend_from_slice(bytes);
                // To the test's output too, which is searched for secrets.
                print!("{}", String::from_utf8_lossy(bytes));
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        impl<'a> MakeWriter<'a> for Writer {
            type Writer = Writer;
            fn make_writer(&'a self) -> Writer {
                self.clone()
            }
        }
        struct Guard(
            #[expect(dead_code, reason = "held for its drop")] tracing::subscriber::DefaultGuard,
        );
        impl Drop for Guard {
            fn drop(&mut self) {}
        }
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(Writer(self.clone()))
            .finish();
        Guard(tracing::subscriber::set_default(subscriber))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    /// Number of lines with this level that contain this text.
    pub(crate) fn count(&self, level: &str, text: &str) -> usize {
        let text_of = self.text();
        text_of
            .lines()
            .filter(|line| line.contains(level) && line.contains(text))
            .count()
    }
}
