//! What a model's column holds on SQLite is what its type reads: other clients cannot put in anything
//! else, and where they could, the one value is named.

use underpin::migrate::{Comparison, Embedded, Migrator, Wanted, read_embedded};
use underpin::model::Models;
use underpin::schema::sqlite;
use underpin::sqlite::rusqlite;
use underpin::value::{Date, Numeric, TimeOfDay, Timestamp, TimestampTz, Uuid};
use underpin::{Class, Database, Engine, Model, models};
use underpin_testkit::SqliteFile;

#[derive(Debug, Clone, PartialEq, Model)]
#[model(table = "kinds")]
struct Kinds {
    #[model(primary_key, identity)]
    id: i64,
    flag: Option<bool>,
    small: Option<i16>,
    whole: Option<i32>,
    long: Option<i64>,
    single: Option<f32>,
    double: Option<f64>,
    number: Option<Numeric>,
    #[model(type = "numeric(6,2)")]
    price: Option<Numeric>,
    words: Option<String>,
    #[model(type = "varchar(5)")]
    short: Option<String>,
    bytes: Option<Vec<u8>>,
    day: Option<Date>,
    hour: Option<TimeOfDay>,
    local: Option<Timestamp>,
    at: Option<TimestampTz>,
    #[model(sqlite(type = "INTEGER"))]
    seconds: Option<TimestampTz>,
    tag: Option<Uuid>,
    #[model(sqlite(type = "BLOB"))]
    key: Option<Uuid>,
    json: Option<serde_json::Value>,
    list: Option<Vec<i32>>,
}

#[derive(Debug, Model)]
#[model(table = "kinds", sqlite(strict))]
#[allow(dead_code, reason = "only its table is of interest")]
struct Strict {
    #[model(primary_key, identity)]
    id: i64,
    flag: Option<bool>,
    whole: Option<i32>,
    long: Option<i64>,
    words: Option<String>,
    tag: Option<Uuid>,
}

static MODELS: Models = models![Kinds];
static STRICT: Models = models![Strict];

/// Forms that a column's type reads, as other programs write them, and values that it does not read.
const FORMS: &[(&str, &[&str], &[&str])] = &[
    (
        "flag",
        &["0", "1", "1.0", "'1'"],
        &["2", "'true'", "x'01'", "0.5"],
    ),
    (
        "small",
        &["-32768", "32767", "'7'"],
        &["32768", "1.5", "'seven'", "x'07'"],
    ),
    ("whole", &["2147483647"], &["2147483648", "0.5", "''"]),
    ("long", &["9223372036854775807"], &["1e30", "'many'", "x''"]),
    ("single", &["0.5", "2"], &["'half'", "x'00'"]),
    ("double", &["0.1", "2", "1e308"], &["'tenth'", "x'00'"]),
    (
        "number",
        &["1", "0.1", "'12.5'", "1e20"],
        &["'twelve'", "x'31'"],
    ),
    (
        "price",
        &["9999.99", "-9999.99", "0.1", "5"],
        &["10000", "1.234", "'free'"],
    ),
    ("words", &["'a'", "5"], &["x'61'"]),
    ("short", &["'abcde'", "'äöüßé'"], &["'abcdef'", "x'61'"]),
    ("bytes", &["x''", "x'00ff'"], &["'text'", "5"]),
    (
        "day",
        &["'2026-02-28'", "'infinity'"],
        &[
            "'2026-02-30'",
            "'tomorrow'",
            "'2026-02-28 10:00:00'",
            "20260228",
            "''",
        ],
    ),
    (
        "hour",
        &["'10:20'", "'10:20:30'", "'10:20:30.123456'"],
        &[
            "'25:00:00'",
            "'10:60'",
            "'noon'",
            "10",
            "'2026-01-01 10:20'",
        ],
    ),
    (
        "local",
        &[
            "'2026-01-31 12:34:56.789'",
            "'2026-01-31T12:34:56'",
            "'2026-01-31'",
            "'2026-01-31 12:34:56+00:00'",
            "'-infinity'",
        ],
        &[
            "'2026-01-32 12:34:56'",
            "'soon'",
            "'2026-01-31 25:00:00'",
            "'2026-01-31 12:34:56+02:00'",
            "1767225600",
            "1.5",
            "'12:34:56'",
            "x'00'",
        ],
    ),
    (
        "at",
        &[
            "'2026-01-31 12:34:56.789'",
            "'2026-01-31T12:34:56Z'",
            "'2026-01-31T12:34:56.123456789+02:00'",
            "'2026-01-31 12:34:56.5+00'",
            "'2026-01-31 12:34'",
            "'2026-01-31'",
            "'infinity'",
        ],
        &[
            "'2026-02-30 12:34:56'",
            "'soon'",
            "'2026-01-31 12:61'",
            "''",
            "2460000.5",
        ],
    ),
    (
        "seconds",
        &["1767225600", "'2026-01-31 12:34:56'"],
        &["'soon'", "x'00'"],
    ),
    (
        "tag",
        &[
            "'6f1a2b3c-0000-4000-8000-00000000000a'",
            "'6F1A2B3C00004000800000000000000A'",
            "x'00112233445566778899aabbccddeeff'",
        ],
        &[
            "'6f1a2b3c'",
            "'6f1a2b3c-0000-4000-8000-00000000000g'",
            "x'00'",
            "5",
        ],
    ),
    (
        "key",
        &["x'00112233445566778899aabbccddeeff'"],
        &["x'0011'", "'key'"],
    ),
    (
        "json",
        &["'{\"a\": [1]}'", "'null'", "'5'", "x'7b7d'"],
        &["'{a'", "''", "x'7b'"],
    ),
    (
        "list",
        &["'[1, 2]'", "'[]'"],
        &["'{1,2}'", "'1'", "'[1'", "x'5b5d'"],
    ),
];

async fn made(file: &SqliteFile, models: &Models) -> Database {
    let db = Database::connect(file.url()).await.unwrap();
    let schema = models.schema(Engine::SQLITE).unwrap();
    for statement in sqlite::dump(&schema).unwrap() {
        db.batch(&statement).await.unwrap();
    }
    db
}

#[tokio::test]
async fn a_column_takes_every_form_that_its_type_reads_and_nothing_else() {
    let file = SqliteFile::new();
    let db = made(&file, &MODELS).await;
    let other = rusqlite::Connection::open(file.path()).unwrap();
    let columns: Vec<&str> = Kinds::DESCRIPTION
        .columns
        .iter()
        .map(|one| one.name)
        .collect();
    let tried: Vec<&str> = FORMS.iter().map(|(column, ..)| *column).collect();
    assert_eq!(columns[1..], tried, "every column is tried");
    let mut rows = 0;
    for (column, read, unread) in FORMS {
        for value in *read {
            let sql = format!("INSERT INTO kinds ({column}) VALUES ({value})");
            other
                .execute(&sql, [])
                .unwrap_or_else(|error| panic!("{sql}: {error}"));
            rows += 1;
        }
        for value in *unread {
            let sql = format!("INSERT INTO kinds ({column}) VALUES ({value})");
            let error = other.execute(&sql, []).expect_err(&sql);
            let code = error.sqlite_error_code();
            assert_eq!(
                code,
                Some(rusqlite::ErrorCode::ConstraintViolation),
                "{sql}: {error}"
            );
        }
    }
    other
        .execute("INSERT INTO kinds DEFAULT VALUES", [])
        .unwrap();
    let all: Vec<Kinds> = db.query_as("SELECT * FROM kinds", ()).await.unwrap();
    assert_eq!(all.len(), rows + 1);
}

#[tokio::test]
async fn a_strict_table_checks_what_strictness_does_not() {
    let file = SqliteFile::new();
    let db = made(&file, &STRICT).await;
    for (column, value) in [
        ("flag", "2"),
        ("whole", "2147483648"),
        ("long", "'many'"),
        ("words", "x'61'"),
        ("tag", "'6f1a'"),
    ] {
        let sql = format!("INSERT INTO kinds ({column}) VALUES ({value})");
        let error = db.execute(&sql, ()).await.expect_err(&sql);
        assert!(
            matches!(error.class(), Class::Constraint | Class::Data),
            "{sql}: {error}"
        );
    }
}

/// A table that another program has made, with one value in each column that is not read.
#[tokio::test]
async fn a_value_that_cannot_be_read_is_named_by_table_column_and_row() {
    let file = SqliteFile::new();
    let db = made(&file, &MODELS).await;
    let other = rusqlite::Connection::open(file.path()).unwrap();
    other
        .execute_batch("PRAGMA ignore_check_constraints = ON")
        .unwrap();
    for (column, _, unread) in FORMS {
        for value in *unread {
            // PostgreSQL would refuse or round these, and yet they are read.
            if matches!(
                (*column, *value),
                ("price", "10000" | "1.234") | ("short", "'abcdef'")
            ) {
                continue;
            }
            other
                .execute_batch("DELETE FROM kinds; INSERT INTO kinds DEFAULT VALUES")
                .unwrap();
            let sql = format!("INSERT INTO kinds ({column}) VALUES ({value})");
            other.execute(&sql, []).unwrap();
            let read = db
                .query_as::<Kinds>("SELECT * FROM kinds ORDER BY id", ())
                .await;
            let error = read.expect_err(&sql);
            assert_eq!(error.class(), Class::Data, "{sql}: {error}");
            assert_eq!(error.table(), Some("kinds"), "{sql}: {error}");
            assert_eq!(error.column(), Some(*column), "{sql}: {error}");
            assert_eq!(error.row(), Some(2), "{sql}: {error}");
            let said = error.to_string();
            for part in ["\"kinds\"", "Row 2", &format!("{column:?}")] {
                assert!(said.contains(part), "{part} in {said}");
            }
        }
    }
}

/// As an earlier version has made it.
const WITHOUT: Embedded = Embedded::new(
    "kinds.sql",
    "-- revision: a
-- message: kinds
-- up
CREATE TABLE kinds (
  id INTEGER PRIMARY KEY NOT NULL, flag INTEGER, small INTEGER, whole INTEGER, long INTEGER,
  single REAL, double REAL, number NUMERIC, price NUMERIC, words TEXT, short TEXT, bytes BLOB,
  day TEXT, hour TEXT, local TEXT, at TEXT, seconds INTEGER, tag TEXT, key BLOB, json TEXT
);
-- down
DROP TABLE kinds;
",
);

#[tokio::test]
async fn a_table_that_exists_is_not_rebuilt_for_checks() {
    let file = SqliteFile::new();
    let files = read_embedded(&[WITHOUT]).unwrap();
    let migrator = Migrator::new(file.url()).unwrap().revisions(files);
    let none: [&str; 0] = [];
    let comparison = Comparison::new(&migrator, &Wanted::Models(&MODELS), &none)
        .await
        .unwrap();
    let steps: Vec<&str> = comparison
        .plan
        .steps
        .iter()
        .map(|step| step.sql.as_str())
        .collect();
    assert_eq!(
        steps,
        ["ALTER TABLE \"kinds\" ADD COLUMN \"list\" TEXT"],
        "only the new column comes"
    );
    comparison.close().await.unwrap();
}

#[tokio::test]
async fn a_table_with_checks_keeps_them() {
    let file = SqliteFile::new();
    let schema = MODELS.schema(Engine::SQLITE).unwrap();
    let mut text = "-- revision: a\n-- message: kinds\n-- up\n".to_owned();
    for statement in sqlite::dump(&schema).unwrap() {
        text += &format!("{statement};\n");
    }
    text += "-- down\nDROP TABLE kinds;\n";
    let text: &'static str = text.leak();
    let files = read_embedded(&[Embedded::new("kinds.sql", text)]).unwrap();
    let migrator = Migrator::new(file.url()).unwrap().revisions(files);
    let none: [&str; 0] = [];
    let comparison = Comparison::new(&migrator, &Wanted::Models(&MODELS), &none)
        .await
        .unwrap();
    assert!(comparison.is_empty(), "{:?}", comparison.diff.changes);
    assert_eq!(
        comparison.made.tables.values().next().unwrap().checks.len(),
        FORMS.len()
    );
    comparison.close().await.unwrap();
}
