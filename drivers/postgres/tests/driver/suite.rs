use underpin_core::driver::AnyConnector;
use underpin_postgres::{CAPABILITIES, Connector};
use underpin_testkit::driver_suite::{COMMON_SQL, Subject, SuiteSql};
use underpin_testkit::{Postgres, Unavailable};

use crate::place::{endpoint, options};

underpin_testkit::driver_suite!(subject);

async fn subject() -> Result<Subject, Unavailable> {
    let server = Postgres::shared()?;
    let database = server.database("conformance");
    let connector = Connector::new([endpoint(server)], options(server, &database)).unwrap();
    Ok(Subject {
        connector: AnyConnector::new(connector),
        capabilities: CAPABILITIES,
        sql: SuiteSql {
            slow: "SELECT pg_sleep(30)",
            ..COMMON_SQL
        },
        keep: Box::new(database),
    })
}
