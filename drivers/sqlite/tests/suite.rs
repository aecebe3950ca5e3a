//! The conformance suite for drivers, on a file.

mod common;

use std::convert::Infallible;

use underpin_core::Endpoint;
use underpin_core::driver::AnyConnector;
use underpin_sqlite::{CAPABILITIES, Connector, Options};
use underpin_testkit::SqliteFile;
use underpin_testkit::driver_suite::{COMMON_SQL, Subject, SuiteSql};

underpin_testkit::driver_suite!(subject);

async fn subject() -> Result<Subject, Infallible> {
    let file = SqliteFile::new();
    let connector = Connector::new(Endpoint::file(file.path()), Options::writer());
    Ok(Subject {
        connector: AnyConnector::new(connector),
        capabilities: CAPABILITIES,
        sql: SuiteSql {
            slow: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
            ..COMMON_SQL
        },
        keep: Box::new(file),
    })
}
