//! Create, read, dump, create elsewhere, read: the same.

use underpin::Database;
use underpin::schema::{Schema, Selection, introspect, sqlite};
use underpin_testkit::SqliteFile;

use crate::compare::open;
pub(crate) use crate::compare::{apply, assert_same};
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

pub(crate) async fn connect(place: &SqliteFile) -> Database {
    open(&place.url()).await
}
