//! The conformance suite of drivers: what each of them has to do behind the traits of
//! [`underpin_core::driver`], from one source. [`driver_suite!`](crate::driver_suite!) makes a
//! test of each case.

mod cases;

use std::any::Any;
use std::time::{Duration, Instant};

use underpin_core::driver::{
    AnyConnection, AnyConnector, Call, Capabilities, ConnectionExt as _, Connector as _,
};
use underpin_core::{Deadline, FromRow, Result, Value};

pub use cases::*;

/// A database to try a driver on, for one test.
pub struct Subject {
    /// Opens connections to it.
    pub connector: AnyConnector,
    /// What its engine can do.
    pub capabilities: Capabilities,
    /// The statements of the suite in its dialect.
    pub sql: SuiteSql,
    /// What keeps the database there until the test is over.
    pub keep: Box<dyn Any + Send>,
}

/// The statements of the suite, in one dialect.
#[derive(Debug, Clone, Copy)]
pub struct SuiteSql {
    /// Makes the table `suite` with the columns `id`, an integer and the primary key, and
    /// `name`, a text that may be NULL.
    pub create: &'static str,
    /// Inserts a row; the parameters are its values.
    pub insert: &'static str,
    /// Selects `id` and `name` of all rows, ordered by `id`.
    pub select: &'static str,
    /// Selects the whole numbers from 1 to its one parameter.
    pub numbers: &'static str,
    /// Selects its two parameters, an integer and a text.
    pub echo: &'static str,
    /// Takes half a minute at the least, and gives way to a cancel.
    pub slow: &'static str,
    /// Is not SQL.
    pub nonsense: &'static str,
}

/// What both SQL engines of the project understand alike.
pub const COMMON_SQL: SuiteSql = SuiteSql {
    create: "CREATE TABLE suite (id bigint PRIMARY KEY, name text)",
    insert: "INSERT INTO suite (id, name) VALUES ($1, $2)",
    select: "SELECT id, name FROM suite ORDER BY id",
    numbers: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) SELECT i FROM n",
    echo: "SELECT CAST($1 AS integer), CAST($2 AS text)",
    slow: "",
    nonsense: "SELEKT 1",
};

impl Subject {
    async fn connect(&self) -> AnyConnection {
        self.connector
            .connect(soon())
            .await
            .expect("the database takes connections")
    }

    /// A connection, with the empty table `suite`.
    async fn with_table(&self) -> AnyConnection {
        let connection = self.connect().await;
        run(&connection, self.sql.create)
            .await
            .expect("the table is made");
        connection
    }

    async fn names(&self, connection: &AnyConnection) -> Vec<(i64, Option<String>)> {
        rows(connection, self.sql.select, &[])
            .await
            .expect("the rows are read")
    }

    async fn insert(&self, connection: &AnyConnection, id: i64, name: &str) -> Result<u64> {
        let params = [Value::I64(id), Value::Text(name.into())];
        connection.execute(call(self.sql.insert, &params)).await
    }
}

/// A time that no call of the suite needs.
fn soon() -> Deadline {
    Deadline::after(Instant::now(), Duration::from_secs(60))
}

fn call<'a>(sql: &'a str, params: &'a [Value]) -> Call<'a> {
    Call {
        sql,
        params,
        deadline: soon(),
        shared: false,
    }
}

async fn run(connection: &AnyConnection, sql: &str) -> Result<u64> {
    connection.execute(call(sql, &[])).await
}

async fn rows<T>(connection: &AnyConnection, sql: &str, params: &[Value]) -> Result<Vec<T>>
where
    T: FromRow + Send + 'static,
{
    connection.query(call(sql, params), usize::MAX).await
}

/// Makes a test of each case of the [suite](crate::driver_suite). The argument is an async
/// function without parameters that gives `Result<Subject, _>`; where it gives `Err`, the test
/// is skipped for that reason.
///
/// ```no_run
/// use underpin_testkit::driver_suite::Subject;
///
/// async fn subject() -> Result<Subject, String> {
///     Err("there is no server here".to_owned())
/// }
///
/// underpin_testkit::driver_suite!(subject);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! driver_suite {
    ($subject:path) => {
        $crate::driver_suite!($subject:
            a_ping_leaves_the_session_as_it_is,
            values_arrive_as_they_were_sent,
            changed_rows_are_counted,
            rows_beyond_the_limit_are_dropped_and_the_statement_runs_to_its_end,
            a_row_that_does_not_fit_is_an_error_after_the_statement,
            columns_that_do_not_fit_leave_no_trace,
            a_violated_constraint_is_named_and_rolled_back,
            what_is_not_sql_is_refused,
            a_stream_gives_all_rows_in_order,
            a_dropped_stream_leaves_a_connection_that_can_be_reset,
            a_batch_runs_each_statement,
            a_bulk_insert_takes_all_rows_or_none,
            a_transaction_is_kept_or_undone,
            a_reset_rolls_back,
            a_statement_past_its_deadline_is_stopped,
            a_dropped_statement_leaves_a_connection_that_can_be_reset,
            a_statement_is_described_and_not_run,
            changed_columns_are_announced_again,
            a_closed_connection_frees_the_server,
        );
    };
    ($subject:path: $($case:ident),* $(,)?) => {$(
        #[tokio::test]
        async fn $case() {
            let subject = match $subject().await {
                Ok(subject) => subject,
                Err(reason) => {
                    $crate::skip::report($crate::skip::enclosing_function(&|| {}), reason);
                    return;
                }
            };
            $crate::driver_suite::$case(subject).await;
        }
    )*};
}
