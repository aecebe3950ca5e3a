//! Create, read, dump, create elsewhere, read: the same.

use underpin::Database;
use underpin::schema::{Schema, Selection, introspect, postgres};
use underpin_testkit::{Postgres, TestDatabase, skip};

use crate::compare::open;
pub(crate) use crate::compare::{apply, assert_same};

/// Gives the schema that was read, once it came back the same; none where there is no server.
pub(crate) async fn round_trip(name: &str, sql: &str) -> Option<Schema> {
    let server = match Postgres::shared() {
        Ok(server) => server,
        Err(reason) => {
            skip::report(name, reason);
            return None;
        }
    };
    let (first, second) = (server.database(name), server.database(name));
    let db = connect(&first).await;
    if let Err(error) = db.batch(sql).await {
        panic!("{name}: {error}\n{sql}");
    }
    let read = introspect(&db, &Selection::default()).await.unwrap();
    let statements = postgres::dump(&read).unwrap();
    let elsewhere = connect(&second).await;
    apply(&elsewhere, name, &statements).await;
    let again = introspect(&elsewhere, &Selection::default()).await.unwrap();
    assert_same(name, &read, &again, &statements);
    assert_eq!(postgres::dump(&again).unwrap(), statements, "{name}");
    Some(read)
}

pub(crate) async fn connect(place: &TestDatabase) -> Database {
    open(&place.url()).await
}
