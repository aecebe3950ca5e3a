//! SQL over a file, and what an engine that only reads refuses.

use std::time::{Duration, Instant};

use crate::common::{Copy, call, failure, open, own, query, soon, try_open, try_query};
use underpin_access::rusqlite;
use underpin_access::{Connection, Options};
use underpin_core::driver::{
    BulkTarget, Call, Connection as _, ConnectionExt as _, Pooled as _, SessionState,
};
use underpin_core::{
    Class, Deadline, Effect, Row as _, Stage, TransactionOptions, Value, ValueRow,
};

const JOIN: &str =
    "SELECT e.\"Company\", count(*) AS postings, sum(p.\"Openings\"), max(p.\"Posted On\")
     FROM \"Job Postings\" p JOIN \"Employers\" e ON e.\"ID\" = p.\"EmployerID\"
     WHERE p.\"Remote\" AND p.\"SalaryMax\" > 20000 AND e.\"Company\" IS NOT NULL
     GROUP BY e.\"ID\" HAVING count(*) > 2 ORDER BY postings DESC, e.\"Company\" LIMIT 20";

const STATEMENTS: [&str; 12] = [
    JOIN,
    "SELECT * FROM Employers ORDER BY ID",
    "SELECT * FROM \"Job Postings\" WHERE \"Openings\" = 3 ORDER BY ID",
    "SELECT ID, Title FROM \"Job Postings\" WHERE Title = 'Engineer 7' OR Title LIKE '%人%' ORDER BY 1",
    "SELECT ID FROM \"Job Postings\" WHERE \"Posted On\" >= '2025-06-01 00:00:00' AND \"Posted On\" < '2026-01-01' ORDER BY 1",
    "SELECT count(*), count(Description), sum(length(Description)) FROM \"Job Postings\"",
    "SELECT count(*) FROM \"Job Postings\" WHERE Description IS NULL OR SalaryMin <= 2000.5",
    "SELECT ID, Credit FROM Employers WHERE Credit < 0 ORDER BY Credit, ID",
    "SELECT a.ID, b.ID FROM \"Job Postings\" a JOIN \"Job Postings\" b ON a.\"SalaryMin\" = b.\"SalaryMin\" AND a.ID < b.ID ORDER BY 1, 2",
    "SELECT ID, rank() OVER (PARTITION BY \"EmployerID\" ORDER BY \"Rating\" DESC, ID) FROM \"Job Postings\" ORDER BY ID",
    "SELECT ID FROM \"Job Postings\" WHERE \"EmployerID\" IN (SELECT ID FROM Employers WHERE NOT Active) ORDER BY ID",
    "SELECT e.ID, p.ID FROM Employers e LEFT JOIN \"Job Postings\" p ON p.\"EmployerID\" = e.ID AND p.Openings > 8 ORDER BY 1, 2",
];

/// The answer to each statement over the file is what SQLite gives on a copy of the tables.
#[tokio::test]
async fn sql_over_a_file_gives_what_sqlite_gives_on_the_copied_tables() {
    for name in ["legacy.accdb", "legacy.mdb"] {
        let connection = open(&own(name)).await;
        let copied = copy(&connection).await;
        for sql in STATEMENTS {
            let expected = rows_of(&copied, sql);
            assert!(!expected.is_empty(), "{sql}");
            // The second time, the places of the rows with a value are known.
            for time in 0..3 {
                let rows: Vec<ValueRow> = query(&connection, sql).await;
                let rows: Vec<Vec<rusqlite::types::Value>> = rows
                    .iter()
                    .map(|row| row.values().iter().map(plain).collect())
                    .collect();
                assert_eq!(rows, expected, "{name}, time {time}: {sql}");
            }
        }
    }
}

/// Copies the tables into SQLite's own.
async fn copy(connection: &Connection) -> rusqlite::Connection {
    let copied = rusqlite::Connection::open_in_memory().unwrap();
    for table in connection.tables() {
        let rows = crate::common::all(connection, table).await;
        let columns = rows[0].columns();
        let declared: Vec<String> = columns
            .iter()
            .map(|column| {
                format!(
                    "{} {}",
                    crate::common::quoted(&column.name),
                    column.type_name
                )
            })
            .collect();
        let name = crate::common::quoted(table);
        let create = format!("CREATE TABLE {name} ({})", declared.join(", "));
        copied.execute_batch(&create).unwrap();
        let places = vec!["?"; columns.len()].join(", ");
        let insert = format!("INSERT INTO {name} VALUES ({places})");
        for row in &rows {
            let values = row.values().iter().map(plain);
            copied
                .execute(&insert, rusqlite::params_from_iter(values))
                .unwrap();
        }
    }
    copied
}

fn plain(value: &Value) -> rusqlite::types::Value {
    use rusqlite::types::Value as Plain;
    match value {
        Value::Null => Plain::Null,
        Value::Bool(it) => Plain::Integer(i64::from(*it)),
        Value::I64(it) => Plain::Integer(*it),
        Value::F64(it) => Plain::Real(*it),
        Value::Text(it) => Plain::Text(it.to_string()),
        Value::Bytes(it) => Plain::Blob(it.to_vec()),
        other => panic!("{other:?}"),
    }
}

fn rows_of(conn: &rusqlite::Connection, sql: &str) -> Vec<Vec<rusqlite::types::Value>> {
    let mut statement = conn.prepare(sql).unwrap();
    let count = statement.column_count();
    let rows = statement.query_map([], |row| (0..count).map(|index| row.get(index)).collect());
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn what_would_write_is_unsupported_and_says_what_can() {
    let connection = open(&own("legacy.accdb")).await;
    for sql in [
        "INSERT INTO Employers (ID) VALUES (99)",
        "UPDATE Employers SET Company = 'x'",
        "DELETE FROM \"Job Postings\"",
        "DROP TABLE Employers",
        "CREATE TABLE t (a)",
        "CREATE TEMP TABLE t (a)",
        "WITH a AS (SELECT 1) DELETE FROM Employers",
    ] {
        let error = failure(&connection, sql).await;
        assert_eq!(
            (error.class(), error.effect()),
            (Class::Unsupported, Effect::NotSent),
            "{sql}"
        );
        assert!(error.hint().unwrap().contains("underpin copy"), "{error:?}");
        assert_eq!(
            connection.only_reads(sql).await.unwrap(),
            Some(false),
            "{sql}"
        );
    }
    let batch = connection
        .batch("SELECT 1; DELETE FROM Employers", soon())
        .await;
    assert_eq!(batch.unwrap_err().class(), Class::Unsupported);
    let target = BulkTarget {
        table: "Employers",
        columns: &["ID"],
    };
    let rows = std::iter::once((1_i64,));
    let bulk = connection.bulk_insert(target, rows, soon()).await;
    assert_eq!(bulk.unwrap_err().class(), Class::Unsupported);
    assert_eq!(
        query::<i64>(&connection, "SELECT count(*) FROM Employers").await,
        [60]
    );
    assert_eq!(connection.only_reads("SELECT 1").await.unwrap(), Some(true));
}

/// SQLite's own way around what only reads is closed too.
#[tokio::test]
async fn a_setting_does_not_open_the_way_to_write() {
    let connection = open(&own("legacy.accdb")).await;
    connection
        .batch("PRAGMA query_only = OFF", soon())
        .await
        .unwrap();
    let error = failure(&connection, "EXPLAIN DELETE FROM Employers").await;
    assert_eq!(error.class(), Class::Syntax, "{error}");
    assert_eq!(
        failure(&connection, "CREATE TABLE t (a)").await.class(),
        Class::Unsupported
    );
}

#[tokio::test]
async fn a_transaction_reads() {
    let connection = open(&own("legacy.mdb")).await;
    connection
        .begin(TransactionOptions::default(), soon())
        .await
        .unwrap();
    assert_eq!(connection.state(), SessionState::InTransaction);
    assert_eq!(
        query::<i64>(&connection, "SELECT count(*) FROM Employers").await,
        [60]
    );
    connection.commit().await.unwrap();
    connection
        .begin(TransactionOptions::default(), soon())
        .await
        .unwrap();
    connection.reset(soon()).await.unwrap();
    assert_eq!(connection.state(), SessionState::Clean);
    assert_eq!(
        query::<i64>(&connection, "SELECT count(*) FROM Employers").await,
        [60]
    );
}

/// A reading that finds no row still gives way to its deadline.
#[tokio::test]
async fn a_long_reading_is_stopped() {
    let connection = open(&own("legacy.accdb")).await;
    let sql = "SELECT count(*) FROM \"Job Postings\" a, \"Job Postings\" b, \"Job Postings\" c
               WHERE a.Title || b.Title || c.Title = 'nothing'";
    let call = Call {
        deadline: Deadline::after(Instant::now(), Duration::from_millis(100)),
        ..call(sql, &[])
    };
    let error = connection.execute(call).await.unwrap_err();
    let stage = Stage::Statement;
    assert_eq!(error.class(), Class::Timeout { stage }, "{error}");
    connection.reset(soon()).await.unwrap();
    assert_eq!(
        query::<i64>(&connection, "SELECT count(*) FROM Employers").await,
        [60]
    );
}

#[tokio::test]
async fn a_file_that_was_changed_is_noticed() {
    let copy = Copy::of("legacy.accdb", "changed");
    let connection = open(&copy.path()).await;
    connection.ping(soon()).await.unwrap();
    std::fs::copy(own("legacy.mdb"), copy.path()).unwrap();
    let error = connection.ping(soon()).await.unwrap_err();
    assert_eq!(error.class(), Class::Missing, "{error}");
}

#[tokio::test]
async fn what_is_no_access_file_says_so() {
    let missing = try_open(&own("missing.mdb"), Options::default())
        .await
        .unwrap_err();
    assert_eq!(missing.class(), Class::Missing, "{missing}");
    let other = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    let other = try_open(other, Options::default()).await.unwrap_err();
    assert_eq!(other.class(), Class::Corrupt, "{other}");
    assert!(
        other.to_string().contains("is not an Access database"),
        "{other}"
    );
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = try_open(directory, Options::default()).await.unwrap_err();
    assert!(
        matches!(directory.class(), Class::Resource | Class::Corrupt),
        "{directory}"
    );
}

/// A page in the middle of a table that is no longer one: an error with its place, or the rest.
#[tokio::test]
async fn rows_that_cannot_be_read_are_an_error_or_a_warning() {
    let copy = Copy::of("legacy.mdb", "damaged");
    let before = open(&copy.path()).await;
    let sql = "SELECT rowid >> 16, count(*) FROM \"Job Postings\" GROUP BY 1 ORDER BY 2 DESC";
    let pages: Vec<(i64, i64)> = query(&before, sql).await;
    let (page, rows) = pages[0];
    drop(before);
    let mut bytes = std::fs::read(copy.path()).unwrap();
    bytes[page as usize * 4096] = 9;
    std::fs::write(copy.path(), &bytes).unwrap();
    let strict = open(&copy.path()).await;
    let error = try_query::<i64>(&strict, "SELECT count(*) FROM \"Job Postings\"")
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Corrupt, "{error}");
    assert_eq!(error.table(), Some("Job Postings"));
    let place = format!("1 page: page {page} (it is not a data page).");
    assert!(error.to_string().contains(&place), "{error}");
    assert_eq!(
        query::<i64>(&strict, "SELECT count(*) FROM Employers").await,
        [60]
    );
    let options = Options {
        lenient: true,
        ..Options::default()
    };
    let lenient = try_open(&copy.path(), options).await.unwrap();
    let count = query::<i64>(&lenient, "SELECT count(*) FROM \"Job Postings\"").await;
    assert_eq!(count, [1190 - rows]);
}
