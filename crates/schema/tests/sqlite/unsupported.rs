//! What a schema cannot carry is named.

use underpin::schema::{Domain, ObjectName, Schema, sqlite};

use crate::round_trip::{connect, read, round_trip};
use underpin_testkit::SqliteFile;

const SQL: &str = "
CREATE VIRTUAL TABLE words USING fts5(text);
CREATE TABLE parent (a INT, b INT, PRIMARY KEY (a, b));
CREATE TABLE child (a INT, b INT,
  CONSTRAINT odd FOREIGN KEY (a, b) REFERENCES parent MATCH PARTIAL,
  FOREIGN KEY (b) REFERENCES parent (a) ON INSERT CASCADE);
";

#[tokio::test]
async fn what_cannot_be_carried_is_named() {
    let place = SqliteFile::new();
    let db = connect(&place).await;
    db.batch(SQL).await.unwrap();
    let schema = read(&db).await;
    let named: Vec<String> = schema.unsupported.iter().map(ToString::to_string).collect();
    assert_eq!(
        named,
        [
            "MATCH PARTIAL of foreign key odd on child",
            "ON INSERT of foreign key child_b_fkey on child",
            "virtual table words",
        ]
    );
    // What a virtual table is made of is its own.
    assert_eq!(schema.tables.len(), 2);
}

#[tokio::test]
async fn a_schema_that_was_edited_by_hand_is_refused_with_its_name() {
    let place = SqliteFile::new();
    let db = connect(&place).await;
    db.batch(
        "CREATE TABLE t (a INT); PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = 'CREATE TABLE t (a INT, CHECK ((a > 0))) STRICT, ODD' WHERE name = 't';",
    )
    .await
    .unwrap();
    let selection = underpin::schema::Selection::default();
    let error = underpin::schema::introspect(&db, &selection).await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("schema (t)") && error.contains("ODD"),
        "{error}"
    );
}

#[tokio::test]
async fn what_sqlite_cannot_have_is_refused() {
    let mut schema = round_trip("refused", "CREATE TABLE t (a TEXT)").await;
    schema
        .domains
        .insert(ObjectName::new("main", "d"), Domain::default());
    let error = sqlite::dump(&schema).unwrap_err();
    assert_eq!(error.class(), underpin::Class::Unsupported);
    assert!(error.to_string().contains("domain main.d"), "{error}");
    let refused = |change: &dyn Fn(&mut underpin::schema::Table)| {
        let mut schema = Schema {
            tables: schema.tables.clone(),
            ..Schema::default()
        };
        change(schema.tables.values_mut().next().unwrap());
        sqlite::dump(&schema).unwrap_err().to_string()
    };
    let error = refused(&|table| table.columns[0].data_type.array = true);
    assert!(error.contains("TEXT[]"), "{error}");
    let error = refused(&|table| {
        table
            .options
            .insert("fillfactor".to_owned(), "70".to_owned());
    });
    assert!(error.contains("fillfactor"), "{error}");
}
