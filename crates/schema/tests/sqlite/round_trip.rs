//! Create, read, dump, create elsewhere, read: the same.

use underpin::schema::{Schema, Selection, introspect, sqlite};
use underpin::{Config, Database};
use underpin_testkit::SqliteFile;

use crate::pragmas::assert_told;

/// Gives the schema that was read, once it came back the same.
pub(crate) async fn round_trip(name: &str, sql: &str) -> Schema {
    let place = SqliteFile::new();
    let db = connect(&place).await;
    if let Err(error) = db.batch(sql).await {
        panic!("{name}: {error}");
    }
    let read = read(&db).await;
    assert_told(name, &db, &read).await;
    comes_back(name, &read).await;
    read
}

/// That a schema made elsewhere is the same.
pub(crate) async fn comes_back(name: &str, schema: &Schema) {
    let place = SqliteFile::new();
    let statements = sqlite::dump(schema).unwrap();
    let db = connect(&place).await;
    apply(&db, name, &statements).await;
    let again = read(&db).await;
    assert_same(name, schema, &again, &statements);
    assert_eq!(sqlite::dump(&again).unwrap(), statements, "{name}");
}

pub(crate) async fn read(db: &Database) -> Schema {
    introspect(db, &Selection::default()).await.unwrap()
}

/// With no more connections than are asked for.
pub(crate) async fn connect(place: &SqliteFile) -> Database {
    let config = Config::from_url(&place.url()).unwrap().to_builder();
    let config = config.pool_min_size(0).build().unwrap();
    Database::connect(config).await.unwrap()
}

/// Runs the statements on one connection.
pub(crate) async fn apply(db: &Database, name: &str, statements: &[String]) {
    let lease = db.acquire().await.unwrap();
    for statement in statements {
        if let Err(error) = lease.batch(statement).await {
            panic!(
                "{name}: {error}\n{statement}\nof\n{}",
                statements.join(";\n")
            );
        }
    }
}

/// As lines of JSON, so that a failure shows what differs and not two whole schemas.
pub(crate) fn assert_same(name: &str, left: &Schema, right: &Schema, statements: &[String]) {
    if left == right {
        return;
    }
    let [left, right] = [left, right].map(|of| serde_json::to_string_pretty(of).unwrap());
    let lines = || left.lines().zip(right.lines());
    let at = lines().position(|(l, r)| l != r).unwrap_or_default();
    let around = |text: &str, sign: &str| {
        let lines = text.lines().skip(at.saturating_sub(12)).take(18);
        lines
            .map(|line| format!("{sign} {line}\n"))
            .collect::<String>()
    };
    panic!(
        "{name}: what came back differs.\n{}\n{}\nafter\n{}",
        around(&left, "<"),
        around(&right, ">"),
        statements.join(";\n")
    );
}
