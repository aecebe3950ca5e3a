//! What a schema cannot carry is named, a change of it is seen, and so is what needs it.

use underpin::Database;
use underpin::schema::{Hints, Schema, Selection, diff, introspect};
use underpin_testkit::{Postgres, or_skip};

use crate::round_trip::connect;

const SQL: &str = "
CREATE TABLE t (id int PRIMARY KEY, note text);
CREATE PUBLICATION news FOR TABLE t;
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER away FOREIGN DATA WRAPPER nothing;
CREATE USER MAPPING FOR PUBLIC SERVER away OPTIONS (password 'secret');
CREATE FOREIGN TABLE far (id int) SERVER away;
CREATE VIEW seen AS SELECT id FROM far;
CREATE OPERATOR CLASS backwards FOR TYPE int USING btree AS
  OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 btint4cmp(int, int);
CREATE INDEX t_backwards ON t (id backwards);
CREATE CONVERSION odd FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
";

const NAMED: [&str; 8] = [
    "conversion public.odd",
    "foreign data wrapper nothing",
    "foreign server away",
    "foreign table public.far",
    "operator class public.backwards USING btree",
    "operator family public.backwards USING btree",
    "publication news",
    "user mapping for public on away",
];

/// Changes of one thing each, and its name.
const CHANGES: [(&str, &str); 6] = [
    (
        "ALTER PUBLICATION news SET (publish = 'insert')",
        "publication news",
    ),
    (
        "ALTER FOREIGN TABLE far ADD more text",
        "foreign table public.far",
    ),
    (
        "ALTER SERVER away OPTIONS (ADD host 'h')",
        "foreign server away",
    ),
    (
        "ALTER USER MAPPING FOR PUBLIC SERVER away OPTIONS (ADD who 'x')",
        "user mapping for public on away",
    ),
    (
        "COMMENT ON CONVERSION odd IS 'changed'",
        "conversion public.odd",
    ),
    (
        "DROP INDEX t_backwards; DROP OPERATOR FAMILY backwards USING btree CASCADE;
         CREATE OPERATOR CLASS backwards FOR TYPE int USING btree AS
           OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int);
         CREATE INDEX t_backwards ON t (id backwards)",
        "operator class public.backwards USING btree",
    ),
];

async fn read(db: &Database) -> Schema {
    introspect(db, &Selection::default()).await.unwrap()
}

#[tokio::test]
async fn what_cannot_be_carried_is_named_with_what_needs_it() {
    let server = or_skip!(Postgres::shared());
    let place = server.database("unsupported");
    let db = connect(&place).await;
    db.batch(SQL).await.unwrap();
    let schema = read(&db).await;
    let named = schema.unsupported.iter().map(ToString::to_string);
    let mut named: Vec<String> = named.collect();
    named.sort_unstable();
    assert_eq!(named, NAMED);
    let needs = schema
        .needs_unsupported
        .iter()
        .flat_map(|(object, all)| all.iter().map(move |one| format!("{object} needs {one}")));
    assert_eq!(
        needs.collect::<Vec<_>>(),
        [
            "table public.t needs operator class public.backwards USING btree",
            "view public.seen needs foreign table public.far",
        ]
    );
    let text = serde_json::to_string(&schema).unwrap();
    assert!(!text.contains("secret"), "a secret is in the schema");

    let only = Selection {
        namespaces: vec!["elsewhere".to_owned()],
        ..Selection::default()
    };
    let schema = introspect(&db, &only).await.unwrap();
    assert!(schema.unsupported.is_empty(), "{:?}", schema.unsupported);
}

#[tokio::test]
async fn a_change_of_what_cannot_be_carried_is_seen() {
    let server = or_skip!(Postgres::shared());
    let (first, second) = (
        server.database("unsupported_from"),
        server.database("unsupported_to"),
    );
    let (db, other) = (connect(&first).await, connect(&second).await);
    for db in [&db, &other] {
        db.batch(SQL).await.unwrap();
    }
    let mut was = read(&db).await;
    let seen = diff(&was, &read(&other).await, &Hints::default());
    assert!(seen.unsupported.is_empty(), "{:?}", seen.unsupported);
    for (change, name) in CHANGES {
        other.batch(change).await.unwrap();
        let now = read(&other).await;
        let seen = diff(&was, &now, &Hints::default());
        let named: Vec<String> = seen.unsupported.iter().map(ToString::to_string).collect();
        assert!(named.iter().any(|one| one == name), "{change}: {named:?}");
        was = now;
    }
}

#[tokio::test]
async fn the_catalog_of_the_server_is_nobodys_schema() {
    let server = or_skip!(Postgres::shared());
    let place = server.database("own_namespaces");
    let db = connect(&place).await;
    db.batch("CREATE TABLE t (id int)").await.unwrap();
    for name in ["pg_catalog", "information_schema", "pg_toast"] {
        let only = Selection {
            namespaces: vec![name.to_owned(), "public".to_owned()],
            ..Selection::default()
        };
        let read = introspect(&db, &only).await.unwrap();
        let counts = (read.tables.len(), read.views.len(), read.functions.len());
        assert_eq!(counts, (1, 0, 0), "{name}");
        assert!(
            read.unsupported.is_empty() && read.defined.is_empty(),
            "{name}"
        );
        assert_eq!(read.namespaces.keys().collect::<Vec<_>>(), ["public"]);
    }
}
