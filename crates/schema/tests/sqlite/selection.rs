//! What is read where not everything is asked for.

use underpin::schema::{Selection, introspect};
use underpin_testkit::SqliteFile;

use crate::round_trip::connect;

const SQL: &str = "
CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE);
CREATE TABLE user_notes (id INTEGER REFERENCES users);
CREATE TABLE usersx (id INT);
CREATE INDEX by_id ON user_notes (id);
CREATE VIEW user_view AS SELECT id FROM usersx;
CREATE TRIGGER t AFTER INSERT ON user_notes BEGIN SELECT 1; END;
CREATE TEMPORARY TABLE users_gone (id INT);
ANALYZE;
";

#[tokio::test]
async fn only_what_is_selected_is_read() {
    let place = SqliteFile::new();
    let db = connect(&place).await;
    db.batch(SQL).await.unwrap();
    let names = |selection: Selection| {
        let db = &db;
        async move {
            let schema = introspect(db, &selection).await.unwrap();
            let names = schema.tables.keys().chain(schema.views.keys());
            names.map(|name| name.name.clone()).collect::<Vec<_>>()
        }
    };
    let all = names(Selection::default()).await;
    assert_eq!(all, ["user_notes", "users", "usersx", "user_view"]);
    let some = Selection {
        tables: vec!["users".to_owned(), "user_*".to_owned()],
        exclude: vec!["*view".to_owned()],
        ..Selection::default()
    };
    let schema = introspect(&db, &some).await.unwrap();
    assert_eq!(names(some).await, ["user_notes", "users"]);
    let notes = schema.tables.values().next().unwrap();
    assert_eq!((notes.indexes.len(), notes.triggers.len()), (1, 1));
}
