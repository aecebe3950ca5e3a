//! Defaults, given values and updates of a model write one form, which the engine's own functions
//! read.

use underpin::model::Models;
use underpin::schema::sqlite;
use underpin::sqlite::rusqlite;
use underpin::value::{Numeric, Timestamp, TimestampTz, Uuid};
use underpin::{Class, ColumnType, Database, Engine, FromValue, IntoValue, Model, models};
use underpin_testkit::SqliteFile;

#[derive(Debug, Clone, PartialEq, Model)]
#[model(table = "stamps")]
struct Stamp {
    #[model(primary_key, identity)]
    id: i64,
    #[model(default = "now()")]
    created: TimestampTz,
    #[model(default = "now()", on_update)]
    updated: TimestampTz,
    #[model(default = "now()", on_update)]
    local: Timestamp,
    #[model(default = "now()", on_update, sqlite(type = "INTEGER"))]
    seconds: TimestampTz,
    #[model(default = 0)]
    changes: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, FromValue, IntoValue, ColumnType)]
#[value(rename_all = "snake_case")]
enum Level {
    Low,
    High,
}

#[derive(Debug, Clone, PartialEq, Model)]
#[model(table = "keyed")]
struct Keyed {
    #[model(primary_key, sqlite(type = "BLOB"))]
    id: Uuid,
    level: Level,
    #[model(type = "numeric(12,2)")]
    price: Option<Numeric>,
}

static MODELS: Models = models![Stamp, Keyed];

async fn opened(file: &SqliteFile) -> Database {
    let db = Database::connect(file.url()).await.unwrap();
    let schema = MODELS.schema(Engine::SQLITE).unwrap();
    for statement in sqlite::dump(&schema).unwrap() {
        db.batch(&statement).await.unwrap();
    }
    db
}

const TIMES: [&str; 3] = ["created", "updated", "local"];

/// Checks with another client that every time in the table has one form.
fn are_of_one_form(file: &SqliteFile) {
    let other = rusqlite::Connection::open(file.path()).unwrap();
    for column in TIMES {
        let sql = format!(
            "SELECT count(*), sum(date({column}) IS NOT NULL), sum(unixepoch({column}) IS NOT NULL),
                    sum({column} IS replace(replace(strftime('%Y-%m-%d %H:%M:%f', {column}), '.000', ''), 'x', '')
                        OR length({column}) = 26)
             FROM stamps"
        );
        let counts: [i64; 4] = other
            .query_row(&sql, [], |row| {
                Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
            })
            .unwrap();
        assert!(
            counts.iter().all(|count| *count == counts[0]),
            "{column}: {counts:?}"
        );
    }
    let sql = "SELECT count(*) - sum(typeof(seconds) = 'integer') FROM stamps";
    let others: i64 = other.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(others, 0);
}

#[tokio::test]
async fn defaults_given_values_and_updates_write_one_form() {
    let file = SqliteFile::new();
    let db = opened(&file).await;
    let first = Stamp::insert(&db, NewStamp::new()).await.unwrap();
    for text in [
        "2026-01-31 12:34:56.5",
        "2026-01-31 12:34:56",
        "2026-01-31 12:34:56.123456",
    ] {
        let at: TimestampTz = text.parse().unwrap();
        let whole = TimestampTz::from_micros(at.micros() / 1_000_000 * 1_000_000);
        let given = NewStamp {
            created: Some(at),
            updated: Some(at),
            local: Some(text.parse().unwrap()),
            seconds: Some(whole),
            ..NewStamp::new()
        };
        let stamp = Stamp::insert(&db, given).await.unwrap();
        assert_eq!((stamp.created, stamp.seconds), (at, whole));
        are_of_one_form(&file);
        let same: i64 = db
            .query_scalar("SELECT count(*) FROM stamps WHERE created = $1", (at,))
            .await
            .unwrap();
        assert_eq!(same, 1);
        let since: i64 = db
            .query_scalar(
                "SELECT count(*) FROM stamps WHERE updated >= $1",
                (first.updated,),
            )
            .await
            .unwrap();
        assert_eq!(since, 1);
        let changes = StampChanges {
            changes: Some(1),
            ..StampChanges::default()
        };
        let changed = Stamp::update(&db, stamp.id, changes).await.unwrap();
        assert!(changed.updated > at && changed.seconds > whole);
        are_of_one_form(&file);
        Stamp::delete(&db, stamp.id).await.unwrap();
    }
    let mut last = first;
    for n in 0..20 {
        let changes = StampChanges {
            changes: Some(n),
            ..StampChanges::default()
        };
        let next = Stamp::update(&db, last.id, changes).await.unwrap();
        assert!(next.updated > last.updated && next.local > last.local);
        assert!(next.seconds > last.seconds);
        last = next;
        are_of_one_form(&file);
    }
}

/// An update leaves a row in its existing form.
#[tokio::test]
async fn an_update_keeps_the_form_of_the_row() {
    let file = SqliteFile::new();
    let db = opened(&file).await;
    for (stored, like) in [
        (
            "'2099-01-31T12:34:56.500+00:00'",
            "2099-01-31T12:34:56.501+00:00",
        ),
        (
            "'2099-01-31 12:34:56.500+00:00'",
            "2099-01-31 12:34:56.501+00:00",
        ),
        ("'2099-01-31T12:34:56.5Z'", "2099-01-31T12:34:56.501Z"),
        ("'2099-01-31 12:34:56.5'", "2099-01-31 12:34:56.501"),
        ("'2099-01-31 12:34:56.999'", "2099-01-31 12:34:57"),
        ("'2099-01-31 12:34:56.5+00'", "2099-01-31 12:34:56.501"),
    ] {
        db.execute("DELETE FROM stamps", ()).await.unwrap();
        db.batch(&format!(
            "INSERT INTO stamps (id, updated) VALUES (1, {stored})"
        ))
        .await
        .unwrap();
        let changes = StampChanges {
            changes: Some(1),
            ..StampChanges::default()
        };
        Stamp::update(&db, 1, changes).await.unwrap();
        let sql = "SELECT CAST(updated AS TEXT) FROM stamps";
        let found: String = db.query_scalar(sql, ()).await.unwrap();
        assert_eq!(found, like, "{stored}");
    }
}

#[tokio::test]
async fn a_key_of_bytes_is_found_by_every_call() {
    let file = SqliteFile::new();
    let db = opened(&file).await;
    let ids = [Uuid::from_u128(7), Uuid::from_u128(8), Uuid::from_u128(9)];
    Keyed::insert(&db, NewKeyed::new(ids[0], Level::Low))
        .await
        .unwrap();
    let many = [NewKeyed::new(ids[1], Level::High)];
    Keyed::insert_many(&db, many).await.unwrap();
    // Another client adds one in its own form.
    let other = rusqlite::Connection::open(file.path()).unwrap();
    let sql = "INSERT INTO keyed (id, level) VALUES (?1, 'low')";
    other.execute(sql, [ids[2].into_bytes()]).unwrap();
    for id in ids {
        let row = Keyed::get(&db, id).await.unwrap().unwrap();
        assert_eq!(row.id, id);
        let again = Keyed::insert(&db, NewKeyed::new(id, Level::Low)).await;
        assert_eq!(again.unwrap_err().class(), Class::Constraint);
        let again = Keyed::insert_many(&db, [NewKeyed::new(id, Level::Low)]).await;
        assert_eq!(again.unwrap_err().class(), Class::Constraint);
        let upserted = Keyed::upsert(&db, NewKeyed::new(id, Level::High), &["id"]).await;
        assert_eq!(upserted.unwrap().level, Level::High);
    }
    assert_eq!(Keyed::load(&db, ids).await.unwrap().len(), 3);
    let kinds: i64 = other
        .query_row(
            "SELECT count(*) FROM keyed WHERE typeof(id) = 'blob'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(kinds, 3);
    assert!(Keyed::delete(&db, ids[2]).await.unwrap());
}

#[tokio::test]
async fn a_field_of_a_number_refuses_what_its_column_would_lose() {
    let file = SqliteFile::new();
    let db = opened(&file).await;
    let keyed = |price: &str| NewKeyed {
        price: Some(price.parse::<Numeric>().unwrap()).into(),
        ..NewKeyed::new(Uuid::from_u128(1), Level::Low)
    };
    for price in ["1234567890123456.78", "9999999999.995", "Infinity", "NaN"] {
        let error = Keyed::insert(&db, keyed(price)).await.unwrap_err();
        assert_eq!(error.class(), Class::Data, "{price}: {error}");
        let error = Keyed::insert_many(&db, [keyed(price)]).await.unwrap_err();
        assert_eq!(error.class(), Class::Data, "{price}: {error}");
    }
    let row = Keyed::insert(&db, keyed("1234567890.78")).await.unwrap();
    assert_eq!(row.price.unwrap().as_str(), "1234567890.78");
    // It is rounded like on PostgreSQL.
    for (given, kept) in [
        ("1.235", "1.24"),
        ("-1.235", "-1.24"),
        ("0.1234567890123456789", "0.12"),
    ] {
        let changes = KeyedChanges {
            price: Some(given.parse::<Numeric>().unwrap()).into(),
            ..KeyedChanges::default()
        };
        let row = Keyed::update(&db, Uuid::from_u128(1), changes)
            .await
            .unwrap();
        assert_eq!(row.price.unwrap().as_str(), kept);
    }
}

/// One invalid label would make every list of the table fail.
#[tokio::test]
async fn an_unknown_label_is_refused() {
    let file = SqliteFile::new();
    let db = opened(&file).await;
    Keyed::insert(&db, NewKeyed::new(Uuid::from_u128(1), Level::Low))
        .await
        .unwrap();
    let other = rusqlite::Connection::open(file.path()).unwrap();
    for sql in [
        "INSERT INTO keyed (id, level) VALUES (x'02', 'middle')",
        "INSERT INTO keyed (id, level) VALUES (x'02', 7)",
        "UPDATE keyed SET level = 'LOW'",
    ] {
        let error = other.execute(sql, []).unwrap_err();
        assert!(error.to_string().contains("CHECK"), "{sql}: {error}");
    }
    let all: Vec<Keyed> = db.query_as("SELECT * FROM keyed", ()).await.unwrap();
    assert_eq!(all.len(), 1);
}
