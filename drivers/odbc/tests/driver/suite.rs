//! The conformance suite of drivers, as far as ODBC's drivers can fulfill it.

use std::fs::File;
use std::time::{Duration, Instant};

use underpin_core::driver::{AnyConnector, Call, Connection as _, Connector as _};
use underpin_core::{Deadline, Endpoint};
use underpin_odbc::{CAPABILITIES, Connector, Options};
use underpin_testkit::driver_suite::{COMMON_SQL, Subject, SuiteSql};

const SQL: SuiteSql = SuiteSql {
    insert: "INSERT INTO suite (id, name) VALUES (?, ?)",
    numbers: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < CAST(? AS integer)) SELECT i FROM n",
    echo: "SELECT CAST(? AS integer), CAST(? AS text)",
    slow: "SELECT pg_sleep(60)",
    ..COMMON_SQL
};

async fn subject(variable: &str) -> Result<Subject, String> {
    let name = std::env::var(variable).map_err(|_| format!("{variable} names no data source."))?;
    let connector = Connector::new(Endpoint::data_source(name), Options::default());
    // One table serves all tests, which run one after the other.
    let lock = std::env::temp_dir().join(format!("underpin-odbc-{variable}.lock"));
    let lock = File::create(lock).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    let deadline = Deadline::after(Instant::now(), Duration::from_secs(60));
    let connection = connector
        .connect(deadline)
        .await
        .map_err(|error| error.to_string())?;
    let drop = Call {
        sql: "DROP TABLE IF EXISTS suite",
        params: &[],
        deadline,
        shared: false,
    };
    connection
        .execute(drop)
        .await
        .map_err(|error| error.to_string())?;
    Ok(Subject {
        connector: AnyConnector::new(connector),
        capabilities: CAPABILITIES,
        sql: SQL,
        keep: Box::new(lock),
    })
}

mod on_sqlite {
    async fn subject() -> Result<super::Subject, String> {
        super::subject("UNDERPIN_TEST_ODBC_SQLITE").await
    }

    underpin_testkit::driver_suite!(subject:
        a_ping_leaves_the_session_as_it_is,
        values_arrive_as_they_were_sent,
        changed_rows_are_counted,
        rows_beyond_the_limit_are_dropped_and_the_statement_runs_to_its_end,
        a_row_that_does_not_fit_is_an_error_after_the_statement,
        a_stream_gives_all_rows_in_order,
        a_dropped_stream_leaves_a_connection_that_can_be_reset,
        a_batch_runs_each_statement,
        a_transaction_is_kept_or_undone,
        a_reset_rolls_back,
        changed_columns_are_announced_again,
        a_closed_connection_frees_the_server,
    );
}

mod on_postgres {
    async fn subject() -> Result<super::Subject, String> {
        super::subject("UNDERPIN_TEST_ODBC_POSTGRES").await
    }

    underpin_testkit::driver_suite!(subject:
        a_ping_leaves_the_session_as_it_is,
        values_arrive_as_they_were_sent,
        changed_rows_are_counted,
        rows_beyond_the_limit_are_dropped_and_the_statement_runs_to_its_end,
        a_row_that_does_not_fit_is_an_error_after_the_statement,
        a_violated_constraint_is_named_and_rolled_back,
        what_is_not_sql_is_refused,
        a_stream_gives_all_rows_in_order,
        a_dropped_stream_leaves_a_connection_that_can_be_reset,
        a_batch_runs_each_statement,
        a_bulk_insert_takes_all_rows_or_none,
        a_transaction_is_kept_or_undone,
        a_reset_rolls_back,
        a_statement_past_its_deadline_is_stopped,
        changed_columns_are_announced_again,
        a_closed_connection_frees_the_server,
    );
}
