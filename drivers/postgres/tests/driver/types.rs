use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use underpin_core::driver::{BulkTarget, Connection as _, ConnectionExt as _};
use underpin_core::value::{Date, Interval, Numeric, TimeOfDay, Timestamp, TimestampTz, Uuid};
use underpin_core::{Deadline, Value, ValueRow};
use underpin_postgres::{Connection, Options};
use underpin_testkit::{Postgres, or_skip};

use crate::place::{call, connect, connect_with, endpoint, major, options};

/// PostgreSQL's range extends thirty years beyond what microseconds since 1970 can count.
const LAST_MICROS: i64 = i64::MAX - 1;

fn text() -> BoxedStrategy<Value> {
    "[^\0]{0,20}".prop_map(Value::Text).boxed()
}

fn numeric(major: u32) -> impl Strategy<Value = Numeric> {
    // Before PostgreSQL 14, the only value that is not a number.
    let infinite = if major < 14 { "NaN" } else { "-Infinity" };
    prop_oneof![
        8 => "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,20})?".prop_map(|text| text.parse().unwrap()),
        1 => Just("NaN".parse().unwrap()),
        1 => Just(infinite.parse().unwrap()),
    ]
}

/// A strategy for each type of column, with values that return unchanged.
fn types(major: u32) -> Vec<(&'static str, BoxedStrategy<Value>)> {
    // As a text, PostgreSQL 14 and older accept no more hours than 32 bits can count.
    let longest = if major < 15 {
        i64::from(i32::MAX) * 3_600_000_000
    } else {
        i64::MAX
    };
    let micros = -longest..=longest;
    let interval = (any::<i32>(), any::<i32>(), micros).prop_map(|(months, days, micros)| {
        Value::Interval(Interval {
            months,
            days,
            micros,
        })
    });
    vec![
        ("boolean", any::<bool>().prop_map(Value::Bool).boxed()),
        ("smallint", any::<i16>().prop_map(Value::I16).boxed()),
        ("integer", any::<i32>().prop_map(Value::I32).boxed()),
        ("bigint", any::<i64>().prop_map(Value::I64).boxed()),
        (
            "oid",
            any::<u32>().prop_map(|v| Value::I64(v.into())).boxed(),
        ),
        ("real", prop::num::f32::NORMAL.prop_map(Value::F32).boxed()),
        (
            "double precision",
            prop::num::f64::NORMAL.prop_map(Value::F64).boxed(),
        ),
        ("numeric", numeric(major).prop_map(Value::Numeric).boxed()),
        ("text", text()),
        ("varchar", text()),
        (
            "bytea",
            prop::collection::vec(any::<u8>(), 0..40)
                .prop_map(Value::Bytes)
                .boxed(),
        ),
        (
            "date",
            prop_oneof![
                (-2_440_588..2_145_031_948i32).prop_map(Date::from_days),
                Just(Date::INFINITY),
                Just(Date::NEG_INFINITY),
            ]
            .prop_map(Value::Date)
            .boxed(),
        ),
        (
            "time",
            (0..=86_400_000_000i64)
                .prop_map(|v| Value::Time(TimeOfDay::from_micros(v).unwrap()))
                .boxed(),
        ),
        (
            "timestamp",
            prop_oneof![
                (-210_866_803_200_000_000..LAST_MICROS).prop_map(Timestamp::from_micros),
                Just(Timestamp::INFINITY),
                Just(Timestamp::NEG_INFINITY),
            ]
            .prop_map(Value::Timestamp)
            .boxed(),
        ),
        (
            "timestamptz",
            prop_oneof![
                (-210_866_803_200_000_000..LAST_MICROS).prop_map(TimestampTz::from_micros),
                Just(TimestampTz::INFINITY),
                Just(TimestampTz::NEG_INFINITY),
            ]
            .prop_map(Value::TimestampTz)
            .boxed(),
        ),
        ("interval", interval.boxed()),
        (
            "uuid",
            any::<u128>()
                .prop_map(|v| Value::Uuid(Uuid::from_u128(v)))
                .boxed(),
        ),
        (
            "json",
            "[a-z]{0,9}"
                .prop_map(|v| Value::Json(format!("{{\"a\":  \"{v}\"}}")))
                .boxed(),
        ),
        (
            "jsonb",
            "[a-z]{0,9}"
                .prop_map(|v| Value::Json(format!("{{\"a\": \"{v}\"}}")))
                .boxed(),
        ),
        (
            "mood",
            prop_oneof!["sad", "ok", "so, so"]
                .prop_map(Value::Text)
                .boxed(),
        ),
        (
            "email",
            "[a-z]{1,9}@[a-z]{1,9}".prop_map(Value::Text).boxed(),
        ),
        (
            "inet",
            any::<std::net::IpAddr>()
                .prop_map(|v| Value::Text(v.to_string()))
                .boxed(),
        ),
        (
            "int4range",
            (-9..9i32, 10..99i32)
                .prop_map(|(a, b)| Value::Text(format!("[{a},{b})")))
                .boxed(),
        ),
    ]
}

async fn prepare(connection: &Connection) {
    let sql = "CREATE TYPE mood AS ENUM ('sad', 'ok', 'so, so');
        CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%')";
    connection.batch(sql, crate::place::soon()).await.unwrap();
}

/// An array of values, some of them null, possibly of two dimensions.
fn arrays(element: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let element = prop_oneof![5 => element, 1 => Just(Value::Null)];
    let one = prop::collection::vec(element.clone(), 0..5).prop_map(Value::Array);
    let two = prop::collection::vec(prop::collection::vec(element, 2..3), 1..4)
        .prop_map(|rows| Value::Array(rows.into_iter().map(Value::Array).collect()));
    prop_oneof![one, two].boxed()
}

async fn round_trip(connection: &Connection, type_: &str, value: &Value) -> Value {
    let sql = format!("SELECT $1::{type_} AS it");
    let params = [value.clone()];
    let mut rows: Vec<Value> = connection
        .query(call(&sql, &params), usize::MAX)
        .await
        .unwrap_or_else(|error| panic!("{type_} of {value:?}: {error}"));
    rows.remove(0)
}

fn samples(strategy: &BoxedStrategy<Value>, count: usize, runner: &mut TestRunner) -> Vec<Value> {
    (0..count)
        .map(|_| strategy.new_tree(runner).unwrap().current())
        .collect()
}

#[tokio::test]
async fn every_type_comes_back_as_it_went() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("types");
    let connection = connect(server, &database).await;
    prepare(&connection).await;
    let mut runner = TestRunner::default();
    for (type_, strategy) in types(major(&connection)) {
        for value in samples(&strategy, 60, &mut runner)
            .into_iter()
            .chain([Value::Null])
        {
            assert_eq!(
                round_trip(&connection, type_, &value).await,
                value,
                "{type_}"
            );
        }
        let array = format!("{type_}[]");
        for value in samples(&arrays(strategy), 20, &mut runner) {
            assert_eq!(
                round_trip(&connection, &array, &value).await,
                value,
                "{array}"
            );
        }
    }
}

#[tokio::test]
async fn every_type_goes_in_in_bulk() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("bulk_types");
    let connection = connect(server, &database).await;
    prepare(&connection).await;
    let mut runner = TestRunner::default();
    for (type_, strategy) in types(major(&connection)) {
        for (name, strategy) in [("one", strategy.clone()), ("many", arrays(strategy))] {
            let column = if name == "one" {
                type_.to_owned()
            } else {
                format!("{type_}[]")
            };
            let table = format!("CREATE TABLE bulk (id int, it {column})");
            connection
                .batch(&table, crate::place::soon())
                .await
                .unwrap();
            let mut values = samples(&strategy, 50, &mut runner);
            values.insert(7, Value::Null);
            let rows = values.iter().enumerate();
            let rows = rows.map(|(id, value)| [Value::I64(id as i64), value.clone()]);
            let target = underpin_core::driver::BulkTarget {
                table: "bulk",
                columns: &["id", "it"],
            };
            let count = connection
                .bulk_insert(target, rows, crate::place::soon())
                .await
                .unwrap_or_else(|error| panic!("{column}: {error}"));
            assert_eq!(count, values.len() as u64);
            let back: Vec<Value> = connection
                .query(call("SELECT it FROM bulk ORDER BY id", &[]), usize::MAX)
                .await
                .unwrap();
            assert_eq!(back, values, "{column}");
            connection
                .batch("DROP TABLE bulk", crate::place::soon())
                .await
                .unwrap();
        }
    }
}

#[tokio::test]
async fn without_prepared_statements_types_come_back_as_well() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("unnamed_types");
    let options = Options {
        statement_cache_size: 0,
        ..options(server, &database)
    };
    let connection = connect_with(endpoint(server), options).await;
    prepare(&connection).await;
    let mut runner = TestRunner::default();
    for (type_, strategy) in types(major(&connection)) {
        for value in samples(&strategy, 20, &mut runner)
            .into_iter()
            .chain([Value::Null])
        {
            assert_eq!(
                round_trip(&connection, type_, &value).await,
                value,
                "{type_}"
            );
        }
        let array = format!("{type_}[]");
        for value in samples(&arrays(strategy), 10, &mut runner) {
            assert_eq!(
                round_trip(&connection, &array, &value).await,
                value,
                "{array}"
            );
        }
    }
    let named: Vec<i64> = connection
        .query(call("SELECT count(*) FROM pg_prepared_statements", &[]), 9)
        .await
        .unwrap();
    assert_eq!(named, [0]);
}

#[tokio::test]
async fn values_are_read_as_the_server_prints_them() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("texts");
    let connection = connect(server, &database).await;
    connection
        .batch(
            "CREATE TYPE floatrange AS RANGE (subtype = float8)",
            crate::place::soon(),
        )
        .await
        .unwrap();
    for expression in [
        "'12:34:56.5+05:30'::timetz",
        "'00:00:00-08'::timetz",
        "'10.1.2.3/8'::inet",
        "'10.0.0.0/8'::cidr",
        "'::1'::inet",
        "'2001:db8::/32'::cidr",
        "'08:00:2b:01:02:03'::macaddr",
        "'08:00:2b:01:02:03:04:05'::macaddr8",
        "B'10101'",
        "B'101'::bit varying",
        "'16/B374D848'::pg_lsn",
        "'(42,7)'::tid",
        "'a'::\"char\"",
        "'name'::name",
        "'empty'::int4range",
        "'(,)'::int8range",
        "'[1.50,)'::numrange",
        "'[2024-01-01,2024-02-01)'::daterange",
        "'[\"2024-01-01 10:00:00\",\"2024-01-02 00:00:00.5\")'::tsrange",
        "'{[1,5),[7,9)}'::int4multirange",
        "'{}'::nummultirange",
        "'[1.5,2.5]'::floatrange",
        "'<a>b</a>'::xml",
        "'$.a'::jsonpath",
    ] {
        if expression.contains("multirange") && major(&connection) < 14 {
            continue;
        }
        let sql = format!("SELECT {expression}, format('%s', {expression})");
        let rows: Vec<(Option<String>, Option<String>)> = connection
            .query(call(&sql, &[]), 1)
            .await
            .unwrap_or_else(|error| panic!("{expression}: {error}"));
        assert_eq!(rows[0].0, rows[0].1, "{expression}");
        if expression.starts_with("B'101'") || rows[0].0.is_none() {
            continue;
        }
        let type_: Vec<String> = connection
            .query(
                call(&format!("SELECT pg_typeof({expression})::text"), &[]),
                1,
            )
            .await
            .unwrap();
        let back = round_trip(
            &connection,
            &type_[0],
            &Value::Text(rows[0].0.clone().unwrap()),
        )
        .await;
        if type_[0] != "bit" {
            assert_eq!(
                back,
                Value::Text(rows[0].0.clone().unwrap()),
                "{expression}"
            );
        }
        let array = format!("SELECT ARRAY[{expression}, NULL], format('%s', {expression})");
        let rows: Vec<(Vec<Option<String>>, String)> = connection
            .query(call(&array, &[]), 1)
            .await
            .unwrap_or_else(|error| panic!("array of {expression}: {error}"));
        assert_eq!(
            rows[0].0,
            [Some(rows[0].1.clone()), None],
            "array of {expression}"
        );
    }
}

/// Expressions of types whose binary form is not read, and those types.
const ODD: [(&str, &str); 8] = [
    ("1::money", "money"),
    ("ROW(1, 2)", "record"),
    ("ROW(1, 'a b')::pair", "pair"),
    ("ARRAY[ROW(1, 'a')::pair]", "pair"),
    ("to_tsvector('a b')", "tsvector"),
    ("point(1, 2)", "point"),
    ("ARRAY[1::money]", "money"),
    ("moneyrange(1::money, 2::money)", "moneyrange"),
];
const PAIR: &str = "CREATE TYPE pair AS (a int, b text); \
    CREATE TYPE moneyrange AS RANGE (subtype = money)";

#[tokio::test]
async fn a_type_whose_binary_form_is_not_read_arrives_as_text() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("as_text");
    let connection = connect(server, &database).await;
    connection.batch(PAIR, Deadline::NONE).await.unwrap();
    // The server has no binary form of an aclitem at all.
    for (expression, _) in ODD
        .iter()
        .chain([&("makeaclitem(10, 10, 'SELECT', true)", "")])
    {
        // Before, between and behind others that arrive in binary.
        let sql =
            format!("SELECT {expression}, 7, {expression}, ({expression})::text, NULL::money");
        let rows: Vec<(String, i32, String, String, Option<String>)> =
            connection.query(call(&sql, &[]), 1).await.unwrap();
        let (first, seven, second, text, null) = &rows[0];
        assert_eq!((first, second, *seven), (text, text, 7), "{expression}");
        assert_eq!(*null, None);
        let rows: Vec<ValueRow> = connection.query(call(&sql, &[]), 1).await.unwrap();
        assert_eq!(
            rows[0].values()[2],
            Value::Text(text.clone()),
            "{expression}"
        );
    }
}

#[tokio::test]
async fn types_without_a_form_of_their_own_are_read_as_the_server_prints_them() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("unknown_types");
    let named = connect(server, &database).await;
    named
        .batch(
            "CREATE TYPE place AS (x int, y text); CREATE TYPE mood AS ENUM ('sad', 'ok');
             CREATE TYPE places AS (at place, all_of place[]); CREATE DOMAIN cash AS money;
             CREATE TYPE pricerange AS RANGE (subtype = money)",
            crate::place::soon(),
        )
        .await
        .unwrap();
    let options = Options {
        statement_cache_size: 0,
        ..options(server, &database)
    };
    let unnamed = connect_with(endpoint(server), options).await;
    for expression in [
        "1::money",
        "2::cash",
        "ARRAY[1::money, NULL]",
        "pricerange(1::money, 2::money)",
        "ROW(1, 'a')",
        "ROW(1, 'a, \"b\"')::place",
        "ARRAY[ROW(1, NULL)::place]",
        "ROW(ROW(1, 'a'), ARRAY[ROW(2, 'b')::place])::places",
        "to_tsvector('a b')",
        "to_tsquery('a & b')",
        "point(1, 2)",
        "'{1,2,3}'::line",
        "lseg(point(1, 2), point(3, 4))",
        "box(point(1, 2), point(3, 4))",
        "'[(1,2),(3,4)]'::path",
        "'((1,2),(3,4))'::polygon",
        "circle(point(1, 2), 3)",
        "ARRAY[point(1, 2)]",
        "txid_current_snapshot()",
        "pg_current_snapshot()",
        "'1 2'::int2vector::text",
        "NULL::money",
    ] {
        let sql = format!("SELECT 1, {expression} AS odd, ({expression})::text, 2::int8");
        for connection in [&named, &unnamed] {
            let rows = connection.query::<ValueRow>(call(&sql, &[]), 1).await;
            let rows = rows.unwrap_or_else(|error| panic!("{expression}: {error}"));
            let values = rows[0].values();
            assert_eq!(values[1], values[2], "{expression}");
            assert_eq!(values[3], Value::I64(2), "{expression}");
        }
    }
    for (expression, value) in [
        ("'ok'::mood", Value::Text("ok".into())),
        (
            "ARRAY['ok', 'sad']::mood[]",
            Value::Array(vec![Value::Text("ok".into()), Value::Text("sad".into())]),
        ),
    ] {
        let sql = format!("SELECT {expression}");
        for connection in [&named, &unnamed] {
            let rows: Vec<Value> = connection.query(call(&sql, &[]), 1).await.unwrap();
            assert_eq!(rows, std::slice::from_ref(&value), "{expression}");
        }
    }
    let nothing: Vec<String> = named
        .query(call("SELECT pg_sleep(0)", &[]), 1)
        .await
        .unwrap();
    assert_eq!(nothing, [""]);
}

#[tokio::test]
async fn without_prepared_statements_a_table_may_change_its_columns() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("unnamed_changes");
    let options = Options {
        statement_cache_size: 0,
        ..options(server, &database)
    };
    let connection = connect_with(endpoint(server), options).await;
    let soon = crate::place::soon;
    let made = "CREATE TABLE t (a money); INSERT INTO t VALUES (1)";
    connection.batch(made, soon()).await.unwrap();
    let look = async || -> Vec<Value> {
        let rows = connection.query::<ValueRow>(call("SELECT * FROM t", &[]), 9);
        rows.await.unwrap()[0].values().to_vec()
    };
    assert_eq!(look().await.len(), 1);
    let other = "ALTER TABLE t ADD b int DEFAULT 7";
    connection.batch(other, soon()).await.unwrap();
    // A column that is requested with its old type returns in that form, once.
    assert_eq!(look().await[1], Value::Text("7".into()));
    assert_eq!(look().await[1], Value::I32(7));
    let other = "ALTER TABLE t ALTER b TYPE int8, ALTER a TYPE int4 USING 5";
    connection.batch(other, soon()).await.unwrap();
    assert_eq!(look().await, [Value::Text("5".into()), Value::I64(7)]);
    assert_eq!(look().await, [Value::I32(5), Value::I64(7)]);
}

#[tokio::test]
async fn parameters_are_coerced_or_refused_before_anything_is_sent() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("coercions");
    let connection = connect(server, &database).await;
    let number = |text: &str| Value::Numeric(text.parse().unwrap());
    for (value, type_, expected) in [
        (Value::I32(7), "bigint", Value::I64(7)),
        (Value::I64(7), "smallint", Value::I16(7)),
        (Value::I16(7), "numeric", number("7")),
        (Value::I32(7), "double precision", Value::F64(7.0)),
        (Value::F64(0.5), "numeric", number("0.5")),
        (number("2.5"), "double precision", Value::F64(2.5)),
        (number("7.00"), "integer", Value::I32(7)),
        (Value::Text("7".into()), "integer", Value::I32(7)),
        (
            Value::Text("{1,2}".into()),
            "integer[]",
            Value::Array(vec![Value::I32(1), Value::I32(2)]),
        ),
        (
            Value::Text("2024-02-29".into()),
            "date",
            Value::Date(Date::from_ymd(2024, 2, 29).unwrap()),
        ),
        (
            Value::Text("{\"a\": 1}".into()),
            "jsonb",
            Value::Json("{\"a\": 1}".into()),
        ),
        (
            Value::Uuid(Uuid::nil()),
            "text",
            Value::Text(Uuid::nil().to_string()),
        ),
        (
            Value::Array(vec![Value::I32(1)]),
            "bigint[]",
            Value::Array(vec![Value::I64(1)]),
        ),
        (
            Value::Array(vec![Value::F64(1.5)]),
            "numeric[]",
            Value::Array(vec![number("1.5")]),
        ),
    ] {
        assert_eq!(
            round_trip(&connection, type_, &value).await,
            expected,
            "{value:?} as {type_}"
        );
    }
    for (value, type_, reason) in [
        (Value::I64(1 << 40), "integer", "out of its range"),
        (Value::I32(-1), "oid", "out of its range"),
        (number("1.5"), "integer", "not a whole number"),
        (Value::F64(1e300), "real", "out of its range"),
        (Value::I64(i64::MAX), "double precision", "more digits"),
        (Value::I32(7), "text", "is a 32-bit integer"),
        (Value::Bool(true), "integer", "is a boolean"),
        (Value::Text("a\0b".into()), "text", "NUL"),
        (Value::Text("a\0b".into()), "date", "NUL"),
        (
            Value::Array(vec![
                Value::Array(vec![Value::I32(1)]),
                Value::Array(vec![]),
            ]),
            "integer[]",
            "differ in length",
        ),
        (
            Value::Timestamp(Timestamp::from_micros(0)),
            "timestamptz",
            "without zone",
        ),
    ] {
        let sql = format!("SELECT $1::int, $2::{type_}");
        let params = [Value::I32(1), value.clone()];
        let error = connection
            .query::<ValueRow>(call(&sql, &params), 1)
            .await
            .unwrap_err();
        let message = error.to_string();
        assert_eq!(error.class(), underpin_core::Class::Data, "{message}");
        assert_eq!(error.effect(), underpin_core::Effect::NotSent, "{message}");
        assert!(
            message.starts_with("Parameter 2 ") && message.contains(reason),
            "{value:?}: {message}"
        );
    }
    let error = connection
        .execute(call("SELECT $1::int", &[]))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("1 parameter, but 0 values were given"),
        "{error}"
    );
}

/// Arrays that PostgreSQL cannot represent, each with its type.
fn ragged() -> Vec<(&'static str, Value)> {
    let array = |values: Vec<Value>| Value::Array(values);
    let (one, text) = (|| Value::I32(1), || Value::Text("2026-01-31".into()));
    vec![
        (
            "integer[]",
            array(vec![array(vec![]), array(vec![one(), one()])]),
        ),
        (
            "integer[]",
            array(vec![array(vec![one()]), array(vec![one(), one()])]),
        ),
        (
            "integer[]",
            array(vec![array(vec![one(), one()]), array(vec![one()])]),
        ),
        ("integer[]", array(vec![array(vec![]), array(vec![])])),
        (
            "integer[]",
            array(vec![
                array(vec![array(vec![])]),
                array(vec![array(vec![one()])]),
            ]),
        ),
        ("integer[]", array(vec![array(vec![one()]), one()])),
        ("integer[]", array(vec![one(), array(vec![one()])])),
        ("integer[]", array(vec![Value::Null, array(vec![one()])])),
        (
            "date[]",
            array(vec![array(vec![]), array(vec![text(), text()])]),
        ),
        ("date[]", array(vec![array(vec![]), array(vec![])])),
        ("text[]", array(vec![array(vec![]), array(vec![text()])])),
    ]
}

#[tokio::test]
async fn the_first_element_does_not_decide_for_all() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("ragged_arrays");
    let connection = connect(server, &database).await;
    let create = "CREATE TABLE ragged (n integer, \"integer[]\" integer[], \"date[]\" date[],
        \"text[]\" text[])";
    connection.execute(call(create, &[])).await.unwrap();
    for (at, (type_, value)) in ragged().into_iter().enumerate() {
        let sql = format!("SELECT $1::{type_}");
        let error = connection
            .query::<ValueRow>(call(&sql, std::slice::from_ref(&value)), 1)
            .await
            .unwrap_err();
        assert_eq!(error.class(), underpin_core::Class::Data, "{at}: {error}");
        let target = BulkTarget {
            table: "ragged",
            columns: &["n", type_],
        };
        let rows = [vec![Value::I32(1), Value::Null], vec![Value::I32(2), value]];
        let error = connection
            .bulk_insert(target, rows.into_iter(), Deadline::NONE)
            .await
            .unwrap_err();
        assert_eq!(error.class(), underpin_core::Class::Data, "{at}: {error}");
    }
    let count = connection
        .query::<i64>(call("SELECT count(*) FROM ragged", &[]), 1)
        .await
        .unwrap();
    assert_eq!(count, [0]);
}

#[tokio::test]
async fn a_first_row_that_says_little_does_not_keep_later_texts_out() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("bulk_first_row");
    let connection = connect(server, &database).await;
    prepare(&connection).await;
    let words =
        |words: &[&str]| Value::Array(words.iter().map(|w| Value::Text((*w).into())).collect());
    for (column, text) in [
        ("int4range[]", "[1,5)"),
        ("mood[]", "sad"),
        ("inet[]", "10.0.0.1"),
        ("date[]", "2026-11-20"),
        ("numeric[]", "1.50"),
    ] {
        for first in [Value::Null, words(&[])] {
            let table = format!("CREATE TABLE bulk (it {column})");
            connection
                .batch(&table, crate::place::soon())
                .await
                .unwrap();
            let rows = vec![[first], [words(&[text, text])]];
            let target = underpin_core::driver::BulkTarget {
                table: "bulk",
                columns: &["it"],
            };
            let count = connection
                .bulk_insert(target, rows.into_iter(), crate::place::soon())
                .await
                .unwrap_or_else(|error| panic!("{column}: {error}"));
            assert_eq!(count, 2);
            let drop = "DROP TABLE bulk";
            connection.batch(drop, crate::place::soon()).await.unwrap();
        }
    }
}
