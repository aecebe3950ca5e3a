//! Every type goes to the server and comes back the same, on both engines.

use std::fmt::Debug;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use underpin::value::{Date, Interval, Numeric, TimeOfDay, Timestamp, TimestampTz, Uuid};
use underpin::{Class, Database, Effect, Engine, FromValue, IntoValue, Value, ValueRow};
use underpin_testkit::{Postgres, or_skip};

use crate::place::{InPlace, Place};

/// Number of values of each type; they do not depend on the clock, so that a failure can be
/// repeated.
const CASES: usize = 60;

fn sample<T: Debug>(strategy: impl Strategy<Value = T>) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..CASES)
        .map(|_| strategy.new_tree(&mut runner).unwrap().current())
        .collect()
}

/// Stores each value in a column of this type, and reads it back unchanged.
async fn round_trip<T>(db: &Database, postgres: &str, sqlite: &str, values: Vec<T>)
where
    T: IntoValue + for<'r> FromValue<'r> + Clone + PartialEq + Debug + Send + 'static,
{
    let column = if db.engine() == Engine::POSTGRES {
        postgres
    } else {
        sqlite
    };
    // A table of its own: a statement with the same text has been prepared for other types.
    let table = format!("t_{}", column.replace(|c: char| !c.is_alphanumeric(), "_"));
    let create =
        format!("DROP TABLE IF EXISTS {table}; CREATE TABLE {table} (n INTEGER, v {column})");
    db.batch(&create).await.unwrap();
    let insert = format!("INSERT INTO {table} VALUES ($1, $2)");
    for (n, value) in values.iter().enumerate() {
        db.execute(&insert, (n as i32, value.clone()))
            .await
            .unwrap_or_else(|error| panic!("{column} {value:?}: {error}"));
    }
    assert_stored(db, &table, &values).await;
    db.execute(&format!("DELETE FROM {table}"), ())
        .await
        .unwrap();
    let rows = values.iter().enumerate();
    let rows: Vec<_> = rows.map(|(n, value)| (n as i32, value.clone())).collect();
    db.bulk_insert(&table, &["n", "v"], rows)
        .await
        .unwrap_or_else(|error| panic!("bulk {column}: {error}"));
    assert_stored(db, &table, &values).await;
    db.execute(&insert, (-1, None::<T>)).await.unwrap();
    let select = format!("SELECT v FROM {table} WHERE n = -1");
    let none: Option<T> = db.query_scalar(&select, ()).await.unwrap();
    assert_eq!(none, None);
}

async fn assert_stored<T>(db: &Database, table: &str, values: &[T])
where
    T: for<'r> FromValue<'r> + PartialEq + Debug + Send + 'static,
{
    let stored: Vec<(i32, T)> = db
        .query_as(&format!("SELECT n, v FROM {table} ORDER BY n"), ())
        .await
        .unwrap_or_else(|error| panic!("{table}: {error}"));
    for ((_, stored), value) in stored.iter().zip(values) {
        assert_eq!(stored, value, "{table}");
    }
    assert_eq!(stored.len(), values.len());
}

fn text() -> impl Strategy<Value = String> {
    // PostgreSQL's text holds every character except NUL.
    vec(any::<char>().prop_filter("not NUL", |c| *c != '\0'), 0..40)
        .prop_map(|chars| chars.into_iter().collect())
}

fn numeric() -> impl Strategy<Value = Numeric> {
    "-?[1-9][0-9]{0,40}(\\.[0-9]{1,30})?".prop_map(|text: String| text.parse().unwrap())
}

fn day() -> impl Strategy<Value = Date> {
    (-2_400_000..2_400_000).prop_map(Date::from_days)
}

fn time() -> impl Strategy<Value = TimeOfDay> {
    (0..86_400_000_000i64).prop_map(|micros| TimeOfDay::from_micros(micros).unwrap())
}

fn micros() -> impl Strategy<Value = i64> {
    -200_000_000_000_000_000..250_000_000_000_000_000i64
}

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

#[tokio::test]
async fn numbers_and_booleans() {
    for place in Place::each("types_numbers") {
        let db = place.open().await;
        round_trip(&db, "boolean", "boolean", sample(any::<bool>())).await;
        round_trip(&db, "int2", "integer", sample(any::<i16>())).await;
        round_trip(&db, "int4", "integer", sample(any::<i32>())).await;
        round_trip(&db, "int8", "integer", sample(any::<i64>())).await;
        let edges = vec![i64::MIN, -1, 0, 1, i64::MAX];
        round_trip(&db, "int8", "integer", edges).await;
        let finite = proptest::num::f64::NORMAL | proptest::num::f64::ZERO;
        round_trip(&db, "float8", "real", sample(finite)).await;
        let finite = proptest::num::f32::NORMAL | proptest::num::f32::ZERO;
        round_trip(&db, "float4", "real", sample(finite)).await;
        round_trip(&db, "numeric", "text", sample(numeric())).await;
    }
}

#[tokio::test]
async fn text_bytes_json_and_uuids() {
    for place in Place::each("types_text") {
        let db = place.open().await;
        round_trip(&db, "text", "text", sample(text())).await;
        round_trip(&db, "varchar(100)", "varchar(100)", sample(text())).await;
        round_trip(&db, "bytea", "blob", sample(any::<Vec<u8>>())).await;
        round_trip(&db, "uuid", "text", sample(uuid())).await;
        let json = (text(), any::<i32>(), any::<Option<bool>>()).prop_map(|(text, number, flag)| {
            serde_json::json!({ "text": text, "number": [number], "flag": flag })
        });
        round_trip(
            &db,
            "jsonb",
            "json",
            sample(&json).into_iter().map(no_nul).collect(),
        )
        .await;
        round_trip(&db, "json", "text", sample(&json)).await;
    }
}

/// jsonb holds no `\u0000`.
fn no_nul(json: serde_json::Value) -> serde_json::Value {
    serde_json::from_str(&json.to_string().replace("\\u0000", "")).unwrap()
}

#[tokio::test]
async fn dates_times_and_intervals() {
    for place in Place::each("types_times") {
        let db = place.open().await;
        // SQLite accepts the years 1 to 9999, which it sorts.
        let sorts = db.engine() == Engine::SQLITE;
        let in_range = move |micros: &i64| {
            !sorts || (-62_135_596_800_000_000..253_402_300_800_000_000).contains(micros)
        };
        let days = sample(day()).into_iter();
        let days = days.filter(|day| in_range(&(i64::from(day.days()) * 86_400_000_000)));
        round_trip(&db, "date", "text", days.collect()).await;
        round_trip(&db, "time", "text", sample(time())).await;
        round_trip(
            &db,
            "timestamp",
            "text",
            sample(
                micros()
                    .prop_filter("", in_range)
                    .prop_map(Timestamp::from_micros),
            ),
        )
        .await;
        let micros = micros().prop_filter("", in_range);
        let moments = sample(micros.prop_map(TimestampTz::from_micros));
        round_trip(&db, "timestamptz", "text", moments).await;
        let spans = (
            -1000..1000i32,
            -1000..1000i32,
            -1_000_000_000_000..1_000_000_000_000i64,
        )
            .prop_map(|(months, days, micros)| Interval {
                months,
                days,
                micros,
            });
        round_trip(&db, "interval", "text", sample(spans)).await;
    }
}

#[tokio::test]
async fn arrays() {
    for place in Place::each("types_arrays") {
        let db = place.open().await;
        round_trip(&db, "int4[]", "json", sample(vec(any::<i32>(), 0..9))).await;
        round_trip(
            &db,
            "int8[]",
            "json",
            sample(vec(any::<Option<i64>>(), 0..9)),
        )
        .await;
        round_trip(&db, "text[]", "json", sample(vec(text(), 0..9))).await;
        round_trip(&db, "bool[]", "json", sample(vec(any::<bool>(), 0..9))).await;
    }
    let server = or_skip!(Postgres::shared());
    let database = server.database("types_pg_arrays");
    let db = Database::connect(database.url()).await.unwrap();
    round_trip(&db, "numeric[]", "", sample(vec(numeric(), 0..5))).await;
    round_trip(&db, "uuid[]", "", sample(vec(uuid(), 0..5))).await;
    round_trip(&db, "date[]", "", sample(vec(day(), 0..5))).await;
    let stamps = micros().prop_map(TimestampTz::from_micros);
    round_trip(&db, "timestamptz[]", "", sample(vec(stamps, 0..5))).await;
    let square = vec(vec(any::<i32>(), 3..4), 0..4).prop_filter("", |rows| !rows.is_empty());
    round_trip(&db, "int4[][]", "", sample(square)).await;
}

#[tokio::test]
async fn further_types_of_postgresql() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("types_besides");
    let db = Database::connect(database.url()).await.unwrap();
    db.batch(
        "CREATE TYPE mood AS ENUM ('sad', 'so-so', 'happy');
         CREATE DOMAIN percent AS int4 CHECK (VALUE BETWEEN 0 AND 100);
         CREATE DOMAIN label AS text;
         CREATE TYPE pair AS (a int4, b text)",
    )
    .await
    .unwrap();
    let words = |words: &[&str]| {
        words
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    round_trip(&db, "mood", "", words(&["sad", "so-so", "happy"])).await;
    round_trip(
        &db,
        "mood[]",
        "",
        vec![words(&["sad", "happy"]), words(&[])],
    )
    .await;
    round_trip(&db, "percent", "", vec![0, 50, 100]).await;
    round_trip(&db, "label", "", words(&["a", ""])).await;
    round_trip(
        &db,
        "int4range",
        "",
        words(&["[1,5)", "empty", "(,7)", "[3,)"]),
    )
    .await;
    round_trip(&db, "numrange", "", words(&["[1.5,2.50]", "(0.1,)"])).await;
    round_trip(&db, "daterange", "", words(&["[2026-01-01,2026-02-01)"])).await;

    let infinities: (Date, TimestampTz, f64, f64, Numeric) = db
        .query_one(
            "SELECT 'infinity'::date, '-infinity'::timestamptz, 'NaN'::float8, '-Infinity'::float8,
             'NaN'::numeric",
            (),
        )
        .await
        .unwrap();
    assert_eq!(infinities.0, Date::INFINITY);
    assert_eq!(infinities.1, TimestampTz::NEG_INFINITY);
    assert!(infinities.2.is_nan() && infinities.3 == f64::NEG_INFINITY);
    assert_eq!(infinities.4.as_str(), "NaN");

    // A type without a mapping of its own is text, bytes, or an error that names the column.
    for expression in [
        "'10.0.0.1/8'::inet",
        "'08:00:2b:01:02:03'::macaddr",
        "'(1,a)'::pair",
        "'(1,2)'::point",
    ] {
        let sql = format!("SELECT {expression} AS odd");
        match db.query_one::<ValueRow>(&sql, ()).await {
            Ok(row) => {
                assert!(
                    matches!(row.values()[0], Value::Text(_) | Value::Bytes(_)),
                    "{row:?}"
                );
            }
            Err(error) => {
                assert_eq!(error.class(), Class::Data);
                assert!(error.to_string().contains("\"odd\""), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn parameters_are_coerced_to_what_the_server_expects() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("types_coerced");
    let db = Database::connect(database.url()).await.unwrap();
    let sql = "SELECT $1::int8 + 0, $2::numeric * 2, $3::float8, $4::text, $5::int2";
    let row: (i64, Numeric, f64, String, i16) = db
        .query_one(sql, (1i32, 21i64, 2i32, "t", 5i64))
        .await
        .unwrap();
    assert_eq!(
        (row.0, row.1.as_str(), row.2, &*row.3, row.4),
        (1, "42", 2.0, "t", 5)
    );
    let day: Date = db
        .query_scalar("SELECT $1::date", ("2026-11-20",))
        .await
        .unwrap();
    assert_eq!(day.to_string(), "2026-11-20");
    let error = db.query("SELECT $1::int4", ("x",)).await.unwrap_err();
    assert_eq!(error.class(), Class::Data, "{error}");
    let error = db.query("SELECT $1::date", (true,)).await.unwrap_err();
    assert_eq!(error.class(), Class::Data, "{error}");
    assert!(
        error.to_string().contains("$1") || error.to_string().contains("number 1"),
        "{error}"
    );
}

#[tokio::test]
async fn a_statement_prepared_before_a_column_took_another_type_still_serves() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("types_altered");
    let db = crate::place::small(&database.url(), 1).await;
    db.batch("CREATE TABLE t (v int4)").await.unwrap();
    let insert = "INSERT INTO t VALUES ($1)";
    db.execute(insert, (1i64,)).await.unwrap();
    // The type that the parameter was prepared with can no longer hold all values of the column.
    db.batch("ALTER TABLE t ALTER v TYPE int8").await.unwrap();
    db.execute(insert, (1i64 << 40,)).await.unwrap();
    db.batch("ALTER TABLE t ALTER v TYPE text").await.unwrap();
    db.execute(insert, ("a word",)).await.unwrap();
    db.batch("DROP TABLE t; CREATE TABLE t (v date)")
        .await
        .unwrap();
    db.execute(insert, ("2026-11-20",)).await.unwrap();
    // A value that never fits is refused as before, and no connection is lost.
    let error = db.execute(insert, (true,)).await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Data, Effect::NotSent)
    );
    assert_eq!(db.metrics().total_connections, 1);
}
