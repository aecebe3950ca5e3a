use tokio_postgres::NoTls;
use underpin_testkit::{Postgres, TestDatabase};

/// A PostgreSQL of the run's own, with one database.
pub(crate) struct Server {
    // Dropped before the server that it lives on.
    pub(crate) database: TestDatabase,
    postgres: Postgres,
}

impl Server {
    pub(crate) fn start() -> Self {
        let postgres = match Postgres::builder()
            .setting("max_wal_size", "4GB")
            // A thousand tables in one transaction.
            .setting("max_locks_per_transaction", 1024)
            // Of all pools in one run.
            .setting("max_connections", 200)
            .start()
        {
            Ok(postgres) => postgres,
            Err(unavailable) => panic!("The benchmarks need a PostgreSQL: {unavailable}"),
        };
        Server {
            database: postgres.database("bench"),
            postgres,
        }
    }

    /// Another database on the same server.
    pub(crate) fn other(&self, name: &str) -> TestDatabase {
        self.postgres.database(name)
    }

    pub(crate) fn url(&self) -> String {
        self.database.url()
    }

    /// The peer: the driver alone.
    pub(crate) async fn client(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(&self.url(), NoTls)
            .await
            .expect("the driver connects to the benchmark's server");
        tokio::spawn(connection);
        client
    }

    /// Where it is, in the driver's own words.
    pub(crate) fn driver_config(&self) -> tokio_postgres::Config {
        self.url().parse().expect("the driver reads the URL")
    }

    pub(crate) async fn ours(&self) -> underpin::Database {
        underpin::Database::connect(&self.url())
            .await
            .expect("Underpin connects")
    }
}
