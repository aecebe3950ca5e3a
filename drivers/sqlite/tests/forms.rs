//! The forms in which values are stored. SQLite's own functions and other clients read them; values
//! from other clients are read, found and not stored twice.

mod common;

use std::path::Path;
use std::process::Command;

use common::{call, execute, memory, one, open, rows, writer};
use underpin_core::driver::{BulkTarget, Connection as _, ConnectionExt as _};
use underpin_core::value::{Date, Numeric, TimeOfDay, Timestamp, TimestampTz, Uuid};
use underpin_core::{
    Class, Deadline, Effect, FromRow, IntoValue, TimeForm, UuidForm, Value, ValueRow,
};
use underpin_sqlite::rusqlite::{self, params};
use underpin_sqlite::{Connection, Options};
use underpin_testkit::{SqliteFile, skip};

async fn ask<T: FromRow + Send + 'static>(db: &Connection, sql: &str, values: &[Value]) -> T {
    let mut found = db
        .query::<T>(call(sql, values), usize::MAX)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    assert_eq!(found.len(), 1, "{sql}");
    found.remove(0)
}

async fn refused(db: &Connection, sql: &str, values: &[Value]) -> underpin_core::Error {
    match db.query::<ValueRow>(call(sql, values), usize::MAX).await {
        Err(error) => error,
        Ok(found) => panic!("{sql} gave {found:?}"),
    }
}

fn uuid() -> Uuid {
    Uuid::parse_str("67e55044-10b1-426f-9247-bb680e5fe0c8").unwrap()
}

/// Points in time, with and without a fraction, before and after 1970.
const INSTANTS: [&str; 8] = [
    "2026-11-30 07:51:27.991",
    "2026-11-30 07:51:27.99",
    "2026-11-30 07:51:27",
    "2026-11-30 07:51:27.000001",
    "1969-12-31 23:59:59.5",
    "0001-01-01 00:00:00",
    "9999-12-31 23:59:59.999999",
    "2000-02-29 12:00:00.1",
];

fn instants() -> Vec<Value> {
    let each = INSTANTS.iter().flat_map(|text| {
        let without: Timestamp = text.parse().unwrap();
        let with: TimestampTz = text.parse().unwrap();
        [without.into_value(), with.into_value()]
    });
    each.collect()
}

/// All expressions in which SQLite's date functions accept a stored time.
const FUNCTIONS: [&str; 9] = [
    "date(v)",
    "time(v)",
    "datetime(v)",
    "datetime(v, 'subsec')",
    "julianday(v)",
    "unixepoch(v)",
    "unixepoch(v, 'subsec')",
    "timediff(v, '2000-01-01')",
    "datetime(v, 'start of month', '+1 hour')",
];

/// The letters of `strftime`.
const LETTERS: [&str; 26] = [
    "%d", "%e", "%f", "%F", "%G", "%g", "%H", "%I", "%j", "%J", "%k", "%l", "%m", "%M", "%p", "%P",
    "%R", "%s", "%S", "%T", "%U", "%u", "%V", "%w", "%W", "%Y",
];

#[tokio::test]
async fn every_date_function_reads_every_time() {
    let db = memory().await;
    execute(&db, "CREATE TABLE t (v TEXT)").await.unwrap();
    let mut values = instants();
    for text in INSTANTS {
        values.push(text[..10].parse::<Date>().unwrap().into_value());
        values.push(text[11..].parse::<TimeOfDay>().unwrap().into_value());
    }
    for value in values {
        execute(&db, "DELETE FROM t").await.unwrap();
        let row = std::slice::from_ref(&value);
        db.execute(call("INSERT INTO t VALUES ($1)", row))
            .await
            .unwrap();
        let letters = LETTERS.map(|letter| format!("strftime('{letter}', v)"));
        for function in FUNCTIONS.map(str::to_owned).iter().chain(&letters) {
            let sql = format!("SELECT {function} IS NOT NULL FROM t");
            assert!(one::<bool>(&db, &sql).await, "{function} of {value}");
            let sent = format!(
                "SELECT {} IS NOT NULL",
                function.replace("(v", "($1").replace(", v)", ", $1)")
            );
            assert!(ask::<bool>(&db, &sent, row).await, "{sent} of {value}");
        }
    }
}

/// The instant is the intended one.
#[tokio::test]
async fn date_functions_give_the_instant_that_was_stored() {
    let db = memory().await;
    for text in INSTANTS {
        let instant: TimestampTz = text.parse().unwrap();
        let values = [instant.into_value()];
        let seconds: i64 = ask(&db, "SELECT unixepoch($1)", &values).await;
        assert_eq!(seconds, instant.micros().div_euclid(1_000_000), "{text}");
        let second: String = ask(&db, "SELECT datetime($1)", &values).await;
        assert_eq!(second, text[..19], "{text}");
    }
}

#[tokio::test]
async fn one_instant_has_one_text_and_texts_sort_by_time() {
    let db = memory().await;
    execute(&db, "CREATE TABLE t (n INTEGER, v TEXT)")
        .await
        .unwrap();
    for (n, value) in instants().into_iter().enumerate() {
        let row = [Value::I64(n as i64), value];
        db.execute(call("INSERT INTO t VALUES ($1, $2)", &row))
            .await
            .unwrap();
    }
    let sorted: Vec<TimestampTz> = rows(&db, "SELECT v FROM t ORDER BY v").await;
    assert!(sorted.is_sorted());
    for value in instants() {
        let row = std::slice::from_ref(&value);
        let same: i64 = ask(&db, "SELECT count(*) FROM t WHERE v = $1", row).await;
        assert_eq!(same, 2, "{value} with and without zone");
        let since: i64 = ask(&db, "SELECT count(*) FROM t WHERE v >= $1", row).await;
        let before: i64 = ask(&db, "SELECT count(*) FROM t WHERE v < $1", row).await;
        assert_eq!(since + before, 2 * INSTANTS.len() as i64);
    }
    // SQLite's own forms are the same.
    let second: TimestampTz = "2026-11-30 07:51:27".parse().unwrap();
    let millisecond: TimestampTz = "2026-11-30 07:51:27.990".parse().unwrap();
    let values = [second.into_value(), millisecond.into_value()];
    let sql = "SELECT $1 = datetime('2026-11-30 07:51:27') AND $2 = datetime('2026-11-30 07:51:27.99', 'subsec')
               AND $2 = strftime('%Y-%m-%d %H:%M:%f', '2026-11-30 07:51:27.99') AND $1 < CURRENT_TIMESTAMP || '9'";
    assert!(ask::<bool>(&db, sql, &values).await);
    let arrays = [Value::Array(vec![values[0].clone(), values[1].clone()])];
    let sql = "SELECT count(*) FROM t WHERE v IN (SELECT value FROM json_each($1))";
    assert_eq!(ask::<i64>(&db, sql, &arrays).await, 4);
}

#[tokio::test]
async fn a_year_that_would_not_sort_is_refused() {
    let db = memory().await;
    for value in [
        Date::from_ymd(10_000, 1, 1).unwrap().into_value(),
        Date::from_ymd(0, 12, 31).unwrap().into_value(),
        Timestamp::from_micros(253_402_300_800_000_000).into_value(),
        TimestampTz::from_micros(i64::MIN / 2).into_value(),
    ] {
        let error = refused(&db, "SELECT $1", std::slice::from_ref(&value)).await;
        assert_eq!(
            (error.class(), error.effect()),
            (Class::Data, Effect::NotSent)
        );
        assert!(error.to_string().contains("1 to 9999"), "{error}");
    }
    let infinity = [TimestampTz::INFINITY.into_value()];
    assert!(ask::<bool>(&db, "SELECT $1 > '9999-12-31'", &infinity).await);
}

fn numeric(text: &str) -> Value {
    Value::Numeric(text.parse().unwrap())
}

/// Every place of a number in an expression, with its result for `price` 10.50 and 2 and the
/// parameter 2.5.
const COMPARISONS: [(&str, &str); 26] = [
    ("SELECT count(*) FROM t WHERE price > $1", "1"),
    ("SELECT count(*) FROM t WHERE price >= $1", "1"),
    ("SELECT count(*) FROM t WHERE price < $1", "1"),
    ("SELECT count(*) FROM t WHERE price <= $1", "1"),
    ("SELECT count(*) FROM t WHERE price <> $1", "2"),
    ("SELECT count(*) FROM t WHERE price = $1 + 8", "1"),
    ("SELECT count(*) FROM t WHERE price IS NOT $1", "2"),
    ("SELECT count(*) FROM t WHERE price BETWEEN $1 AND 99", "1"),
    ("SELECT count(*) FROM t WHERE price IN ($1, 2)", "1"),
    ("SELECT count(*) FROM t WHERE price + 0.5 IN ($1, 3)", "1"),
    ("SELECT count(*) FROM t WHERE price * 2 > $1", "2"),
    ("SELECT count(*) FROM t WHERE $1 < price * 2", "2"),
    ("SELECT count(*) FROM t WHERE abs(price) > $1", "1"),
    ("SELECT count(*) FROM t WHERE -price < $1", "2"),
    ("SELECT count(*) FROM t WHERE coalesce(price, 0) > $1", "1"),
    ("SELECT count(*) FROM t WHERE CAST(name AS REAL) > $1", "1"),
    (
        "SELECT count(*) FROM t WHERE (SELECT max(price) FROM t) > $1",
        "2",
    ),
    (
        "SELECT count(*) FROM (SELECT 1 FROM t GROUP BY 1 HAVING sum(price) > $1)",
        "1",
    ),
    (
        "SELECT count(*) FROM (SELECT 1 FROM t GROUP BY 1 HAVING avg(price) > $1)",
        "1",
    ),
    (
        "SELECT count(*) FROM (SELECT 1 FROM t GROUP BY 1 HAVING min(price) > $1)",
        "0",
    ),
    (
        "SELECT count(*) FROM (SELECT 1 FROM t GROUP BY 1 HAVING max(price) > $1)",
        "1",
    ),
    (
        "SELECT count(*) FROM (SELECT 1 FROM t GROUP BY 1 HAVING total(price) > $1)",
        "1",
    ),
    (
        "SELECT count(*) FROM (SELECT sum(price) OVER () AS s FROM t) WHERE s > $1",
        "2",
    ),
    ("SELECT CASE WHEN 3 > $1 THEN 1 ELSE 0 END", "1"),
    ("SELECT max($1, 2) = 2.5", "1"),
    ("SELECT $1 / 2 = 1.25", "1"),
];

#[tokio::test]
async fn a_number_compares_as_a_number_in_every_expression() {
    let db = memory().await;
    let create = "CREATE TABLE t (price NUMERIC(12,2), name TEXT)";
    execute(&db, create).await.unwrap();
    let sql = "INSERT INTO t VALUES ($1, $2)";
    for (price, name) in [("10.50", "10.5"), ("2.00", "2")] {
        let row = [numeric(price), Value::Text(name.into())];
        db.execute(call(sql, &row)).await.unwrap();
    }
    for number in [
        numeric("2.5"),
        numeric("2.50"),
        Value::F64(2.5),
        Value::F32(2.5),
    ] {
        for (sql, expected) in COMPARISONS {
            let found: i64 = ask(&db, sql, std::slice::from_ref(&number)).await;
            assert_eq!(found.to_string(), expected, "{sql} with {number:?}");
        }
    }
    // A whole number is divided like one with a fraction.
    let half: f64 = ask(&db, "SELECT $1 / 2", &[numeric("5.00")]).await;
    assert_eq!(half, 2.5);
}

#[tokio::test]
async fn a_list_within_in_is_refused() {
    let db = memory().await;
    execute(&db, "CREATE TABLE t (a INTEGER, b TEXT)")
        .await
        .unwrap();
    let list = [Value::Array(vec![Value::I32(1), Value::I32(2)])];
    for sql in [
        "SELECT * FROM t WHERE a IN ($1)",
        "SELECT * FROM t WHERE a NOT IN ($1)",
        "SELECT * FROM t WHERE a + 1 IN (3, $1)",
        "SELECT * FROM t WHERE a = $1",
        "SELECT * FROM t WHERE $1 <> t.a",
    ] {
        let error = refused(&db, sql, &list).await;
        assert_eq!(
            (error.class(), error.effect()),
            (Class::Data, Effect::NotSent)
        );
        assert!(
            error.hint().is_some_and(|hint| hint.contains("json_each")),
            "{error}"
        );
    }
    execute(&db, "INSERT INTO t VALUES (1, '[1,2]')")
        .await
        .unwrap();
    let sql = "SELECT count(*) FROM t WHERE a IN (SELECT value FROM json_each($1))";
    assert_eq!(ask::<i64>(&db, sql, &list).await, 1);
    assert_eq!(
        ask::<i64>(&db, "SELECT count(*) FROM t WHERE b = $1", &list).await,
        1
    );
}

/// All ways to store a value.
const STORE: [&str; 4] = [
    "INSERT INTO t (v) VALUES ($1)",
    "INSERT INTO t SELECT $1",
    "UPDATE t SET v = $1",
    "INSERT INTO t (v) VALUES (7) ON CONFLICT DO UPDATE SET v = $1",
];

#[tokio::test]
async fn a_column_keeps_a_number_or_refuses_it() {
    for (declared, number, kept) in [
        ("NUMERIC(12,2)", numeric("1234567890123456.78"), false),
        ("NUMERIC(12,2)", numeric("1234567890.78"), true),
        ("DECIMAL", numeric("0.1234567890123456789"), false),
        ("REAL", numeric("1234567890123456.78"), false),
        ("DOUBLE PRECISION", Value::I64(9_007_199_254_740_993), false),
        ("DOUBLE PRECISION", Value::I64(9_007_199_254_740_992), true),
        ("REAL", numeric("9007199254740993"), false),
        ("INTEGER", numeric("9007199254740993"), true),
        ("INTEGER", numeric("18446744073709551615"), false),
        ("NUMERIC", numeric("NaN"), false),
        ("", numeric("1234567890123456.78"), false),
        ("TEXT", numeric("1234567890123456.780"), true),
        ("VARCHAR(40)", numeric("0.12345678901234567890"), true),
    ] {
        let db = memory().await;
        let create = format!("CREATE TABLE t (v {declared} UNIQUE)");
        execute(&db, &create).await.unwrap();
        execute(&db, "INSERT INTO t VALUES (7)").await.unwrap();
        for sql in STORE {
            let row = std::slice::from_ref(&number);
            execute(&db, "DELETE FROM t WHERE v <> 7").await.unwrap();
            let stored = db.execute(call(sql, row)).await;
            match kept {
                true => {
                    stored.unwrap_or_else(|error| panic!("{sql} {declared}: {error}"));
                    let found: Vec<Numeric> = rows(&db, "SELECT v FROM t WHERE v <> 7").await;
                    let expected: Numeric = number.to_string().parse().unwrap();
                    assert!(found[0].same_value(&expected), "{declared}: {found:?}");
                    if declared.contains('T') && !declared.contains("INT") {
                        assert_eq!(found[0], expected, "{declared}");
                    }
                    execute(&db, "UPDATE t SET v = 7").await.ok();
                }
                false => {
                    let error = stored.unwrap_err();
                    assert_eq!(
                        (error.class(), error.effect()),
                        (Class::Data, Effect::NotSent),
                        "{sql} {declared}: {error}"
                    );
                }
            }
        }
        let target = BulkTarget {
            table: "t",
            columns: &["v"],
        };
        execute(&db, "DELETE FROM t").await.unwrap();
        let inserted = db
            .bulk_insert(
                target,
                [(Value::I32(1),), (number,)].into_iter(),
                Deadline::NONE,
            )
            .await;
        assert_eq!(inserted.is_ok(), kept, "{declared}: {inserted:?}");
        if let Err(error) = inserted {
            assert_eq!(
                (error.row(), error.column()),
                (Some(2), Some("v")),
                "{error}"
            );
            assert_eq!(one::<i64>(&db, "SELECT count(*) FROM t").await, 0);
        }
    }
    let db = memory().await;
    execute(&db, "CREATE TABLE t (v TEXT)").await.unwrap();
    let error = refused(&db, "SELECT * FROM t WHERE v > $1", &[numeric("1.5")]).await;
    assert!(error.to_string().contains("holds text"), "{error}");
}

/// Data that another program writes into a file: UUIDs as bytes and as text, times in every form.
const OTHERS: &str = "
    CREATE TABLE bytes (id BLOB PRIMARY KEY, name TEXT);
    CREATE TABLE binary (id BINARY(16) PRIMARY KEY, name TEXT);
    CREATE TABLE texts (id TEXT PRIMARY KEY, name TEXT);
    CREATE TABLE seconds (at INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE times (at TIMESTAMP PRIMARY KEY, name TEXT)";

/// The forms of one instant with a fraction of 500 ms: rusqlite's and Diesel's without and with
/// zone, sqlx's, time's, jiff's, Python's.
const HALF_PAST: [&str; 7] = [
    "2026-01-31 12:34:56.500",
    "2026-01-31 12:34:56.500+00:00",
    "2026-01-31T12:34:56.500+00:00",
    "2026-01-31 12:34:56.5",
    "2026-01-31 12:34:56.5Z",
    "2026-01-31T12:34:56.5Z",
    "2026-01-31 12:34:56.500000",
];

/// Fills a file with rusqlite.
fn fill(path: &Path) {
    let other = rusqlite::Connection::open(path).unwrap();
    other.execute_batch(OTHERS).unwrap();
    let (bytes, text) = (uuid().into_bytes(), uuid().to_string());
    other
        .execute("INSERT INTO bytes VALUES (?1, 'a')", params![bytes])
        .unwrap();
    other
        .execute("INSERT INTO binary VALUES (?1, 'a')", params![bytes])
        .unwrap();
    other
        .execute("INSERT INTO texts VALUES (?1, 'a')", params![text])
        .unwrap();
    other
        .execute("INSERT INTO seconds VALUES (1769862896, 'a')", [])
        .unwrap();
    for text in HALF_PAST {
        other
            .execute(
                "INSERT OR REPLACE INTO times VALUES (?1, 'a')",
                params![text],
            )
            .unwrap();
    }
}

/// The same with Python, whose times come from its own adapter.
const PYTHON: &str = "
import datetime, sqlite3, sys, uuid
db = sqlite3.connect(sys.argv[1])
db.executescript(sys.argv[2])
key = uuid.UUID('67e55044-10b1-426f-9247-bb680e5fe0c8')
db.execute('INSERT INTO bytes VALUES (?, ?)', (key.bytes, 'a'))
db.execute('INSERT INTO binary VALUES (?, ?)', (key.bytes, 'a'))
db.execute('INSERT INTO texts VALUES (?, ?)', (str(key), 'a'))
at = datetime.datetime(2026, 1, 31, 12, 34, 56)
db.execute('INSERT INTO seconds VALUES (?, ?)', (int(at.replace(tzinfo=datetime.timezone.utc).timestamp()), 'a'))
db.execute('INSERT INTO times VALUES (?, ?)', (at.replace(microsecond=500000).isoformat(' '), 'a'))
db.commit()
";

fn fill_by_python(path: &Path) -> bool {
    let run = Command::new("python3")
        .args(["-c", PYTHON])
        .arg(path)
        .arg(OTHERS)
        .status();
    run.is_ok_and(|status| status.success())
}

async fn finds_what_others_wrote(file: &SqliteFile) {
    let db = writer(file).await;
    let key = uuid().into_value();
    let whole: TimestampTz = "2026-01-31 12:34:56".parse().unwrap();
    for (table, column, value) in [
        ("bytes", "id", key.clone()),
        ("binary", "id", key.clone()),
        ("texts", "id", key.clone()),
        ("seconds", "at", whole.into_value()),
        (
            "seconds",
            "at",
            Timestamp::from_micros(whole.micros()).into_value(),
        ),
    ] {
        let row = std::slice::from_ref(&value);
        for condition in [
            format!("{column} = $1"),
            format!("$1 = {table}.{column}"),
            format!("{column} IN ($1)"),
            format!("{column} BETWEEN $1 AND $1"),
            format!("({column}, name) = ($1, 'a')"),
        ] {
            let sql = format!("SELECT count(*) FROM {table} WHERE {condition}");
            assert_eq!(ask::<i64>(&db, &sql, row).await, 1, "{sql}");
        }
        for insert in [
            format!("INSERT INTO {table} ({column}, name) VALUES ($1, 'b')"),
            format!("INSERT INTO {table} VALUES ($1, 'b')"),
            format!("INSERT INTO {table} ({column}, name) SELECT $1, 'b'"),
        ] {
            let error = db.execute(call(&insert, row)).await.unwrap_err();
            assert_eq!(error.class(), Class::Constraint, "{insert}: {error}");
        }
        let columns = [column, "name"];
        let target = BulkTarget {
            table,
            columns: &columns,
        };
        let again = [vec![value.clone(), Value::Text("b".into())]];
        let error = db
            .bulk_insert(target, again.into_iter(), Deadline::NONE)
            .await
            .unwrap_err();
        assert_eq!(error.class(), Class::Constraint, "{table}: {error}");
        let sql = format!("UPDATE {table} SET {column} = $1 WHERE {column} = $1");
        assert_eq!(db.execute(call(&sql, row)).await.unwrap(), 1, "{sql}");
    }
    for table in ["bytes", "binary", "texts"] {
        let found: Uuid = one(&db, &format!("SELECT id FROM {table}")).await;
        assert_eq!(found, uuid());
    }
    assert_eq!(
        one::<TimestampTz>(&db, "SELECT at FROM seconds").await,
        whole
    );
    let half: TimestampTz = "2026-01-31 12:34:56.5".parse().unwrap();
    for found in rows::<TimestampTz>(&db, "SELECT at FROM times").await {
        assert_eq!(found, half);
    }
    for found in rows::<Timestamp>(&db, "SELECT at FROM times").await {
        assert_eq!(found.micros(), half.micros());
    }
}

#[tokio::test]
async fn values_of_rusqlite_are_read_found_and_not_stored_twice() {
    let file = SqliteFile::new();
    fill(&file.path());
    finds_what_others_wrote(&file).await;
}

#[tokio::test]
async fn values_of_python_are_read_found_and_not_stored_twice() {
    let file = SqliteFile::new();
    match fill_by_python(&file.path()) {
        true => finds_what_others_wrote(&file).await,
        false => skip::report(
            "values_of_python_are_read_found_and_not_stored_twice",
            "python3 with its module sqlite3 is missing.",
        ),
    }
}

/// Schema changes of another connection are noticed, and never silently ignored.
#[tokio::test]
async fn a_form_follows_the_schema() {
    let file = SqliteFile::new();
    let db = writer(&file).await;
    execute(&db, "CREATE TABLE t (id TEXT)").await.unwrap();
    let (insert, key) = ("INSERT INTO t VALUES ($1)", [uuid().into_value()]);
    for _ in 0..2 {
        db.execute(call(insert, &key)).await.unwrap();
    }
    let other = rusqlite::Connection::open(file.path()).unwrap();
    other
        .execute_batch("DROP TABLE t; CREATE TABLE t (id BLOB)")
        .unwrap();
    let error = db.execute(call(insert, &key)).await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Conflict, Effect::Applied)
    );
    execute(&db, "DELETE FROM t").await.unwrap();
    db.execute(call(insert, &key)).await.unwrap();
    assert_eq!(one::<String>(&db, "SELECT typeof(id) FROM t").await, "blob");
    // Its own changes are known in advance.
    for (declared, kind) in [("TEXT", "text"), ("BLOB", "blob"), ("TEXT", "text")] {
        let remade = format!("CREATE TABLE t (id {declared})");
        match declared {
            "TEXT" => {
                execute(&db, "DROP TABLE t").await.unwrap();
                execute(&db, &remade).await.unwrap();
            }
            _ => {
                let both = format!("DROP TABLE t; {remade}");
                db.batch(&both, Deadline::NONE).await.unwrap();
            }
        }
        db.execute(call(insert, &key)).await.unwrap();
        assert_eq!(one::<String>(&db, "SELECT typeof(id) FROM t").await, kind);
    }
}

/// The declared types of a file say how it stores UUIDs. If they do not, and for the forms of
/// times, the configuration says it.
#[tokio::test]
async fn the_configured_form_is_written_and_found() {
    let half: TimestampTz = "2026-01-31 12:34:56.5".parse().unwrap();
    for (times, text) in [
        (TimeForm::Text, HALF_PAST[0]),
        (TimeForm::Offset, HALF_PAST[1]),
        (TimeForm::Rfc3339, HALF_PAST[2]),
    ] {
        let file = SqliteFile::new();
        fill(&file.path());
        let options = Options {
            uuids: UuidForm::Blob,
            times,
            ..Options::writer()
        };
        let db = open(&file, options).await.unwrap();
        execute(&db, "CREATE TABLE untyped (id)").await.unwrap();
        let insert = "INSERT INTO untyped VALUES ($1)";
        db.execute(call(insert, &[uuid().into_value()]))
            .await
            .unwrap();
        let bytes: Vec<u8> = one(&db, "SELECT id FROM untyped").await;
        assert_eq!(bytes, uuid().as_bytes());
        let found = "SELECT CAST(at AS TEXT) FROM times WHERE at = $1";
        let found: String = ask(&db, found, &[half.into_value()]).await;
        assert_eq!(found, text);
    }
    let file = SqliteFile::new();
    let options = Options {
        times: TimeForm::UnixSeconds,
        ..Options::writer()
    };
    let db = open(&file, options).await.unwrap();
    execute(&db, "CREATE TABLE t (at DATETIME)").await.unwrap();
    let whole: TimestampTz = "2026-01-31 12:34:56".parse().unwrap();
    let insert = "INSERT INTO t VALUES ($1)";
    db.execute(call(insert, &[whole.into_value()]))
        .await
        .unwrap();
    let kind: String = one(&db, "SELECT typeof(at) || datetime(at, 'unixepoch') FROM t").await;
    assert_eq!(kind, "integer2026-01-31 12:34:56");
    assert_eq!(one::<TimestampTz>(&db, "SELECT at FROM t").await, whole);
    let error = db
        .execute(call(insert, &[half.into_value()]))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("fraction"), "{error}");
}

#[tokio::test]
async fn times_of_others_are_read() {
    let db = memory().await;
    for (stored, expected) in [
        ("'2026-01-31'", "2026-01-31 00:00:00"),
        ("'2026-01-31 12:34'", "2026-01-31 12:34:00"),
        (
            "'2026-01-31 12:34:56.123456789'",
            "2026-01-31 12:34:56.123457",
        ),
        (
            "'2026-01-31T12:34:56.123456789Z'",
            "2026-01-31 12:34:56.123457",
        ),
        ("1769862896", "2026-01-31 12:34:56"),
        ("'2026-01-31 12:34:56.5+00'", "2026-01-31 12:34:56.5"),
    ] {
        let sql = format!("SELECT {stored}");
        let with: TimestampTz = one(&db, &sql).await;
        assert_eq!(with, expected.parse().unwrap(), "{stored}");
        let without: Timestamp = one(&db, &sql).await;
        assert_eq!(without, expected.parse().unwrap(), "{stored}");
    }
    let time: TimeOfDay = one(&db, "SELECT '12:34:56.9999999'").await;
    assert_eq!(time, "12:34:57".parse().unwrap());
    let milliseconds = db
        .query::<TimestampTz>(call("SELECT 1769862896000", &[]), 1)
        .await
        .unwrap_err();
    assert!(
        milliseconds.to_string().contains("beyond the year 9999"),
        "{milliseconds}"
    );
}
