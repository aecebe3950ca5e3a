//! Access files through Debian's odbc-mdbtools.

use std::time::{Duration, Instant};

use underpin_core::driver::{Call, ConnectionExt as _, Connector as _};
use underpin_core::{Class, Deadline, Endpoint};
use underpin_odbc::{Connector, Options};
use underpin_testkit::skip;

fn soon() -> Deadline {
    Deadline::after(Instant::now(), Duration::from_secs(60))
}

#[tokio::test]
async fn an_access_file_is_read() {
    let Ok(name) = std::env::var("UNDERPIN_TEST_ODBC_ACCESS") else {
        let why = "UNDERPIN_TEST_ODBC_ACCESS names no data source.";
        skip::report_without_more("an_access_file_is_read", why);
        return;
    };
    let connector = Connector::new(Endpoint::data_source(name), Options::default());
    let connection = connector.connect(soon()).await.unwrap();
    let call = Call {
        sql: "SELECT ID, Company, Active FROM Employers WHERE ID < 3",
        params: &[],
        deadline: soon(),
        shared: false,
    };
    let rows: Vec<(i64, String, bool)> = connection.query(call, usize::MAX).await.unwrap();
    let expected = [(1, "Acme Océan GmbH 1"), (2, "株式会社みらい 2")];
    let found: Vec<(i64, &str)> = rows.iter().map(|row| (row.0, row.1.as_str())).collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_data_source_that_is_not_there_says_so() {
    let connector = Connector::new(Endpoint::data_source("none_such"), Options::default());
    let error = connector.connect(soon()).await.map(drop).unwrap_err();
    assert_eq!(error.class(), Class::Config, "{error}");
    assert!(error.to_string().contains("none_such"), "{error}");
}
