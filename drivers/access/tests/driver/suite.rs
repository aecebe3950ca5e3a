//! The conformance suite of drivers, as far as an engine that only reads can fulfill it.

use std::convert::Infallible;

use crate::common::own;
use underpin_access::{CAPABILITIES, Connector, Options};
use underpin_core::Endpoint;
use underpin_core::driver::AnyConnector;
use underpin_testkit::driver_suite::{COMMON_SQL, Subject, SuiteSql};

underpin_testkit::driver_suite!(subject:
    a_ping_leaves_the_session_as_it_is,
    values_arrive_as_they_were_sent,
    a_row_that_does_not_fit_is_an_error_after_the_statement,
    what_is_not_sql_is_refused,
    a_stream_gives_all_rows_in_order,
    a_dropped_stream_leaves_a_connection_that_can_be_reset,
    a_statement_past_its_deadline_is_stopped,
    a_dropped_statement_leaves_a_connection_that_can_be_reset,
);

async fn subject() -> Result<Subject, Infallible> {
    let file = Endpoint::file(own("legacy.accdb"));
    Ok(Subject {
        connector: AnyConnector::new(Connector::new(file, Options::default())),
        capabilities: CAPABILITIES,
        sql: SuiteSql {
            slow: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
            ..COMMON_SQL
        },
        keep: Box::new(()),
    })
}
