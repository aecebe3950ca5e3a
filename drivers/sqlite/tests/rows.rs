//! Every type in both directions, streams, and bulk inserts.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use common::{call, execute, memory, one, rows, within};
use futures_util::StreamExt;
use proptest::prelude::*;
use underpin_core::driver::{
    BulkTarget, Connection as _, ConnectionExt as _, Pooled as _, SessionState,
};
use underpin_core::value::{Date, Interval, Numeric, TimeOfDay, Timestamp, TimestampTz, Uuid};
use underpin_core::{
    Class, Columns, Deadline, Effect, FromRow, IntoValue, Result, Row, TransactionOptions, Value,
};

async fn there_and_back<T>(db: &underpin_sqlite::Connection, value: T)
where
    T: IntoValue + FromRow + Clone + PartialEq + std::fmt::Debug + Send + 'static,
{
    let params = [value.clone().into_value()];
    execute(db, "DELETE FROM t").await.unwrap();
    db.execute(call("INSERT INTO t VALUES ($1)", &params))
        .await
        .unwrap();
    assert_eq!(one::<T>(db, "SELECT v FROM t").await, value);
}

#[derive(Debug, Clone)]
struct Sample {
    flag: bool,
    small: i16,
    medium: i32,
    large: i64,
    single: f32,
    double: f64,
    text: String,
    bytes: Vec<u8>,
    microseconds: i64,
    day: i32,
    digits: String,
    uuid: u128,
}

prop_compose! {
    fn sample()(
        flag: bool, small: i16, medium: i32, large: i64,
        single in any::<f32>().prop_filter("not NaN", |v| !v.is_nan()),
        double in any::<f64>().prop_filter("not NaN", |v| !v.is_nan()),
        text in any::<String>().prop_filter("no NUL", |v| !v.contains('\0')),
        bytes: Vec<u8>,
        microseconds in 0..86_400_000_000_i64,
        day in -700_000..2_000_000_i32,
        digits in "-?[1-9][0-9]{0,40}(\\.[0-9]{1,40})?",
        uuid: u128,
    ) -> Sample {
        Sample { flag, small, medium, large, single, double, text, bytes, microseconds, day, digits, uuid }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_type_comes_back_as_it_went(sample in sample()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let db = memory().await;
            execute(&db, "CREATE TABLE t (v)").await.unwrap();
            there_and_back(&db, sample.flag).await;
            there_and_back(&db, sample.small).await;
            there_and_back(&db, sample.medium).await;
            there_and_back(&db, sample.large).await;
            there_and_back(&db, sample.single).await;
            there_and_back(&db, sample.double).await;
            there_and_back(&db, sample.text.clone()).await;
            there_and_back(&db, sample.bytes.clone()).await;
            there_and_back(&db, Uuid::from_u128(sample.uuid)).await;
            there_and_back(&db, None::<i64>).await;
            there_and_back(&db, Some(sample.text.clone())).await;
            there_and_back(&db, serde_json::json!({"a": [sample.text, null, 1]})).await;
            there_and_back(&db, vec![sample.large, 0]).await;
            there_and_back(&db, vec![Some(sample.text.clone()), None]).await;
            there_and_back(&db, vec![vec![sample.flag], vec![]]).await;
            if sample.double.is_finite() && sample.single.is_finite() {
                there_and_back(&db, vec![sample.double]).await;
                there_and_back(&db, vec![sample.single]).await;
            }
            there_and_back(&db, vec![sample.digits.parse::<Numeric>().unwrap()]).await;
            there_and_back(&db, vec![Uuid::from_u128(sample.uuid)]).await;
            execute(&db, "DROP TABLE t").await.unwrap();
            execute(&db, "CREATE TABLE t (v TEXT)").await.unwrap();
            there_and_back(&db, sample.digits.parse::<Numeric>().unwrap()).await;
            let moment = i64::from(sample.day) * 86_400_000_000 + sample.microseconds;
            there_and_back(&db, Date::from_days(sample.day)).await;
            there_and_back(&db, TimeOfDay::from_micros(sample.microseconds).unwrap()).await;
            there_and_back(&db, Timestamp::from_micros(moment)).await;
            there_and_back(&db, TimestampTz::from_micros(moment)).await;
            there_and_back(&db, Interval { months: sample.small.into(), days: sample.day, micros: moment }).await;
            there_and_back(&db, vec![TimestampTz::from_micros(moment)]).await;
        });
    }
}

#[tokio::test]
async fn moments_sort_by_time() {
    let db = memory().await;
    execute(&db, "CREATE TABLE t (v TEXT)").await.unwrap();
    for text in ["2024-03-01T10:00:00+05:00", "2024-03-01T06:00:00Z"] {
        let moment: TimestampTz = text.parse().unwrap();
        db.execute(call("INSERT INTO t VALUES ($1)", &[moment.into_value()]))
            .await
            .unwrap();
    }
    let sorted: Vec<TimestampTz> = rows(&db, "SELECT v FROM t ORDER BY v").await;
    assert_eq!(sorted[0], "2024-03-01T05:00:00Z".parse().unwrap());
}

const MANY: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT i FROM n";

#[tokio::test]
async fn a_stream_gives_all_rows_in_order() {
    let db = memory().await;
    for limit in [0_i64, 1, 15, 16, 17, 271, 272, 273, 100_000] {
        let sql = format!("SELECT i FROM ({MANY}) WHERE i <= $1");
        let params = [Value::I64(limit)];
        let (columns, stream) = db.stream::<i64>(call(&sql, &params)).await.unwrap();
        assert_eq!(columns.len(), 1);
        let found: Vec<i64> = stream.map(Result::unwrap).collect().await;
        assert!(found.iter().copied().eq(1..=limit), "{limit}");
        assert_eq!(db.state(), SessionState::Clean);
    }
}

static READ: AtomicUsize = AtomicUsize::new(0);

/// Counts the rows that have been read.
struct Counted;

impl FromRow for Counted {
    type Layout = ();

    fn layout(_: &Columns) -> Result<()> {
        Ok(())
    }

    fn from_row(_: &dyn Row, (): &()) -> Result<Self> {
        READ.fetch_add(1, Ordering::Relaxed);
        Ok(Counted)
    }
}

#[tokio::test]
async fn a_stream_is_ahead_of_its_reader_by_a_few_batches_and_no_more() {
    let db = memory().await;
    let (_, mut stream) = db.stream::<Counted>(call(MANY, &[])).await.unwrap();
    for taken in 1..1000 {
        stream.next().await.unwrap().unwrap();
        tokio::time::sleep(std::time::Duration::from_micros(50)).await;
        assert!(READ.load(Ordering::Relaxed) <= taken + 6 * 256);
    }
    assert_eq!(
        db.state(),
        SessionState::Busy,
        "the thread waits for the reader"
    );
    drop(stream);
    assert_eq!(common::settled(&db).await, SessionState::Clean);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_ends_the_stream_after_those_before() {
    let db = memory().await;
    execute(&db, "CREATE TABLE t (a)").await.unwrap();
    let sql = "INSERT INTO t VALUES (1), (2), ('x'), (4) RETURNING a";
    let (_, stream) = db.stream::<i64>(call(sql, &[])).await.unwrap();
    let mut found: Vec<_> = stream.collect().await;
    let error = found.pop().unwrap().unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Data, Effect::Applied)
    );
    let found: Vec<i64> = found.into_iter().map(Result::unwrap).collect();
    assert_eq!(found, [1, 2]);
    assert_eq!(one::<i64>(&db, "SELECT count(*) FROM t").await, 4);
    let refused = db
        .stream::<i64>(call("SELEC", &[]))
        .await
        .map(drop)
        .unwrap_err();
    assert_eq!(refused.class(), Class::Syntax);
}

const TARGET: BulkTarget<'static> = BulkTarget {
    table: "t",
    columns: &["a", "b"],
};

#[tokio::test]
async fn a_bulk_insert_is_all_or_none() {
    let db = memory().await;
    execute(
        &db,
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL)",
    )
    .await
    .unwrap();
    let good = |count: i64| (0..count).map(|n| (n, format!("row {n}")));
    for inside in [false, true] {
        if inside {
            db.begin(TransactionOptions::default(), Deadline::NONE)
                .await
                .unwrap();
            execute(&db, "INSERT INTO t VALUES (-1, 'before')")
                .await
                .unwrap();
        }
        let before = i64::from(inside);
        let twice = good(30_000).chain([(20_000, "again".to_owned())]);
        let error = db
            .bulk_insert(TARGET, twice, Deadline::NONE)
            .await
            .unwrap_err();
        assert_eq!(
            (error.class(), error.effect()),
            (Class::Constraint, Effect::RolledBack)
        );
        assert!(
            error
                .to_string()
                .starts_with("Row 30001 could not be inserted"),
            "{error}"
        );
        let gap = good(10_000).map(|(n, b)| (n, (n != 9_000).then_some(b)));
        let error = db
            .bulk_insert(TARGET, gap, Deadline::NONE)
            .await
            .unwrap_err();
        assert_eq!(error.constraint(), Some("t_b_not_null"));
        let nan = good(9_000).map(|(n, _)| (n, if n == 8_999 { f64::NAN } else { 1.0 }));
        let error = db
            .bulk_insert(TARGET, nan, Deadline::NONE)
            .await
            .unwrap_err();
        assert_eq!(
            (error.class(), error.effect()),
            (Class::Data, Effect::RolledBack)
        );
        assert!(
            error.to_string().contains("column \"b\" in row 9000"),
            "{error}"
        );
        let narrow = [vec![Value::I32(1)]];
        let error = db
            .bulk_insert(TARGET, narrow.into_iter(), Deadline::NONE)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("Row 1 has 1 values"), "{error}");
        assert_eq!(one::<i64>(&db, "SELECT count(*) FROM t").await, before);
        assert_eq!(
            db.bulk_insert(TARGET, good(0), Deadline::NONE)
                .await
                .unwrap(),
            0
        );
        assert_eq!(
            db.bulk_insert(TARGET, good(25_000), Deadline::NONE)
                .await
                .unwrap(),
            25_000
        );
        let state = if inside {
            SessionState::InTransaction
        } else {
            SessionState::Clean
        };
        assert_eq!(db.state(), state);
        if inside {
            db.commit().await.unwrap();
        }
        assert_eq!(
            one::<i64>(&db, "SELECT count(*) FROM t").await,
            25_000 + before
        );
        execute(&db, "DELETE FROM t").await.unwrap();
    }
    let nowhere = BulkTarget {
        table: "no\"where",
        columns: &["a", "b"],
    };
    let error = db
        .bulk_insert(nowhere, good(1), Deadline::NONE)
        .await
        .unwrap_err();
    assert_eq!(error.effect(), Effect::RolledBack, "{error}");
    let endless = (0_i64..).map(|n| (n, "x"));
    let error = db
        .bulk_insert(TARGET, endless, within(60))
        .await
        .unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!(error.effect(), Effect::RolledBack);
    assert_eq!(one::<i64>(&db, "SELECT count(*) FROM t").await, 0);
    assert_eq!(db.state(), SessionState::Clean);
}
