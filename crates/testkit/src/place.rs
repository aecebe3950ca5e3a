use crate::postgres::{Postgres, TestDatabase};
use crate::skip;
use crate::sqlite_file::SqliteFile;

/// A database of one test on one engine, removed with this value: for tests that run on
/// every engine.
pub enum Place {
    /// On the run's shared server.
    Postgres(TestDatabase),
    /// A file.
    Sqlite(SqliteFile),
}

impl Place {
    /// One place for each available engine; an engine that is not available is reported as a skip.
    pub fn each(test_name: &str) -> Vec<Place> {
        let mut places = vec![Place::Sqlite(SqliteFile::new())];
        match Postgres::shared() {
            Ok(server) => places.push(Place::Postgres(server.database(test_name))),
            Err(reason) => skip::report(test_name, reason),
        }
        places
    }

    /// The URL of the database.
    pub fn url(&self) -> String {
        match self {
            Place::Postgres(database) => database.url(),
            Place::Sqlite(file) => file.url(),
        }
    }
}
