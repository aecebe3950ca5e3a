//! What is read where not everything is asked for.

use underpin::schema::{Selection, introspect};
use underpin_testkit::{Postgres, or_skip};

use crate::round_trip::connect;

const SQL: &str = "
CREATE SCHEMA shop; CREATE SCHEMA \"Odd\";
CREATE TYPE shop.mood AS ENUM ('a');
CREATE TABLE shop.users (id serial PRIMARY KEY, mood shop.mood);
CREATE TABLE shop.user_notes (id int REFERENCES shop.users, CHECK (id > 0));
CREATE TABLE shop.usersx (id int);
CREATE SEQUENCE shop.free;
CREATE TABLE public.orders (id int PRIMARY KEY, by_user int REFERENCES shop.users);
CREATE VIEW \"Odd\".users AS SELECT id FROM shop.users;
CREATE TABLE public.schema_history (id serial);
CREATE INDEX ON shop.user_notes (id);
CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t BEFORE INSERT ON shop.user_notes FOR EACH ROW EXECUTE FUNCTION shop.touch();
CREATE POLICY p ON shop.user_notes USING (true);
CREATE TEMPORARY TABLE gone (id serial PRIMARY KEY);
";

fn names<T>(names: &std::collections::BTreeMap<underpin::schema::ObjectName, T>) -> Vec<String> {
    names.keys().map(ToString::to_string).collect()
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn only_what_is_selected_is_read() {
    let server = or_skip!(Postgres::shared());
    let place = server.database("selection");
    let db = connect(&place).await;
    db.batch(SQL).await.unwrap();

    let all = introspect(&db, &Selection::default()).await.unwrap();
    assert_eq!(all.tables.len(), 5);
    assert_eq!(all.namespaces.len(), 3);

    let shop = Selection {
        namespaces: owned(&["shop"]),
        ..Selection::default()
    };
    let read = introspect(&db, &shop).await.unwrap();
    assert_eq!(
        names(&read.tables),
        ["shop.user_notes", "shop.users", "shop.usersx"]
    );
    assert_eq!(names(&read.sequences), ["shop.free", "shop.users_id_seq"]);
    assert_eq!(
        (read.enums.len(), read.functions.len(), read.views.len()),
        (1, 1, 0)
    );
    assert_eq!(read.namespaces.keys().collect::<Vec<_>>(), ["shop"]);

    let tables = Selection {
        tables: owned(&["users", "user_*"]),
        ..Selection::default()
    };
    let read = introspect(&db, &tables).await.unwrap();
    assert_eq!(names(&read.tables), ["shop.user_notes", "shop.users"]);
    assert_eq!(names(&read.views), ["\"Odd\".users"]);
    assert_eq!(names(&read.sequences), ["shop.users_id_seq"]);
    let notes = &read.tables.values().next().unwrap();
    assert_eq!(
        (
            notes.checks.len(),
            notes.foreign_keys.len(),
            notes.indexes.len()
        ),
        (1, 1, 1)
    );
    assert_eq!((notes.triggers.len(), notes.policies.len()), (1, 1));
    assert!(read.functions.is_empty() && read.enums.is_empty() && read.namespaces.is_empty());

    let but = Selection {
        exclude: owned(&["schema_*"]),
        ..Selection::default()
    };
    let read = introspect(&db, &but).await.unwrap();
    assert_eq!(read.tables.len(), 4);
    assert_eq!(names(&read.sequences), ["shop.free", "shop.users_id_seq"]);
    assert_eq!(read.functions, all.functions);
}

#[tokio::test]
async fn a_session_of_any_settings_reads_the_same() {
    let server = or_skip!(Postgres::shared());
    let place = server.database("settings");
    let db = connect(&place).await;
    db.batch(SQL).await.unwrap();
    let sql = "CREATE TABLE at (a timestamptz DEFAULT '2020-01-01 00:00:00+00', b interval DEFAULT '1 day 2 hours',
        c date DEFAULT '2020-02-01', d bytea DEFAULT 'x', e float8 DEFAULT 0.1, f text DEFAULT 'a\\b')";
    db.batch(sql).await.unwrap();
    let usual = introspect(&db, &Selection::default()).await.unwrap();
    let name = place.name();
    db.batch(&format!(
        "ALTER DATABASE {name} SET search_path = shop, public;
         ALTER DATABASE {name} SET quote_all_identifiers = on;
         ALTER DATABASE {name} SET DateStyle = 'German';
         ALTER DATABASE {name} SET IntervalStyle = 'iso_8601';
         ALTER DATABASE {name} SET TimeZone = 'Asia/Kathmandu';
         ALTER DATABASE {name} SET bytea_output = 'escape';
         ALTER DATABASE {name} SET extra_float_digits = -5;
         ALTER DATABASE {name} SET standard_conforming_strings = off"
    ))
    .await
    .unwrap();
    let other = connect(&place).await;
    let odd: String = other.query_scalar("SHOW DateStyle", ()).await.unwrap();
    assert!(
        odd.starts_with("German"),
        "the settings have taken effect: {odd}"
    );
    assert_eq!(
        introspect(&other, &Selection::default()).await.unwrap(),
        usual
    );
}

#[tokio::test]
async fn what_an_extension_brings_is_its_own() {
    let server = or_skip!(Postgres::shared());
    let place = server.database("extension");
    let db = connect(&place).await;
    // It brings views and functions.
    db.batch("CREATE EXTENSION pg_stat_statements; CREATE VIEW mine AS SELECT 1 AS one")
        .await
        .unwrap();
    let read = introspect(&db, &Selection::default()).await.unwrap();
    assert_eq!(names(&read.views), ["public.mine"]);
    assert!(read.functions.is_empty() && read.unsupported.is_empty());
    let extensions: Vec<&String> = read.extensions.keys().collect();
    assert_eq!(extensions, ["pg_stat_statements"]);
}
