//! Temporary databases.

use underpin::schema::{Schema, Scratch, Selection, introspect};
use underpin::{Class, Config, Connection, Database};
use underpin_testkit::{Postgres, TestDatabase, or_skip, secrets};

use crate::place::{InPlace, Place, eventually};

/// The scratch databases on the server of `observer`.
async fn scratches(observer: &Connection) -> Vec<String> {
    let sql = "SELECT datname::text FROM pg_database WHERE datname LIKE 'underpin\\_scratch\\_%'";
    let names: Vec<(String,)> = observer.query_as(sql, ()).await.unwrap();
    names.into_iter().map(|(name,)| name).collect()
}

async fn name_of(db: &Database) -> String {
    let sql = "SELECT current_database()::text";
    db.query_scalar(sql, ()).await.unwrap()
}

#[tokio::test]
async fn one_is_empty_and_apart_and_gone_when_it_is_removed() {
    for place in Place::each("scratch") {
        let db = place.open().await;
        db.batch("CREATE TABLE here (id integer)").await.unwrap();
        let scratch = Scratch::beside(&db.config()).await.unwrap();
        let within = scratch.database().clone();
        let empty = introspect(&within, &Selection::default()).await.unwrap();
        assert!(empty.tables.is_empty(), "{}", db.engine());
        within
            .batch("CREATE TABLE there (id integer)")
            .await
            .unwrap();
        let made = introspect(&within, &Selection::default()).await.unwrap();
        assert_eq!(tables(&made), ["there"], "{}", db.engine());
        let own = introspect(&db, &Selection::default()).await.unwrap();
        assert_eq!(tables(&own), ["here"], "{}", db.engine());

        scratch.remove().await.unwrap();
        let closed = within.query_scalar::<i64>("SELECT 1", ()).await;
        assert_eq!(closed.unwrap_err().class(), Class::Closed);
        db.close(std::time::Duration::from_secs(5)).await.unwrap();
    }
}

fn tables(schema: &Schema) -> Vec<&str> {
    schema.tables.keys().map(|of| of.name.as_str()).collect()
}

#[tokio::test]
async fn one_that_is_dropped_is_removed_all_the_same() {
    let server = or_skip!(Postgres::shared());
    let place = server.database("scratch_dropped");
    let observer = Connection::connect(place.url()).await.unwrap();
    let config = Config::from_url(&place.url()).unwrap();
    let scratch = Scratch::beside(&config).await.unwrap();
    let name = name_of(scratch.database()).await;
    assert!(scratches(&observer).await.contains(&name));
    drop(scratch);
    eventually("the scratch database is gone", async || {
        !scratches(&observer).await.contains(&name)
    })
    .await;
}

#[tokio::test]
async fn one_that_a_killed_process_left_goes_when_it_is_old() {
    let server = or_skip!(Postgres::shared());
    let place = server.database("scratch_left");
    let observer = Connection::connect(place.url()).await.unwrap();
    let old = format!("underpin_scratch_00000001_{:08x}", std::process::id());
    let young = format!("underpin_scratch_ffffffff_{:08x}", std::process::id());
    for name in [&old, &young] {
        let sql = format!("CREATE DATABASE {name} TEMPLATE template0");
        observer.batch(&sql).await.unwrap();
    }
    let config = Config::from_url(&place.url()).unwrap();
    let scratch = Scratch::beside(&config).await.unwrap();
    let left = scratches(&observer).await;
    assert!(!left.contains(&old) && left.contains(&young), "{left:?}");
    scratch.remove().await.unwrap();
    let sql = format!("DROP DATABASE {young}");
    observer.batch(&sql).await.unwrap();
}

#[tokio::test]
async fn the_configured_database_need_not_be_there() {
    let server = or_skip!(Postgres::shared());
    let place = server.database("scratch_none");
    let config = Config::from_url(&place.url()).unwrap().to_builder();
    let config = config.database("never_made").build().unwrap();
    let scratch = Scratch::beside(&config).await.unwrap();
    assert_ne!(name_of(scratch.database()).await, "never_made");
    scratch.remove().await.unwrap();
}

#[tokio::test]
async fn a_user_who_may_not_create_one_gets_advice() {
    let server = or_skip!(Postgres::shared());
    let place = server.database("scratch_forbidden");
    let role = role_without_rights(&place).await;
    let error = Scratch::beside(&role).await.unwrap_err();
    assert_eq!(error.class(), Class::Permission);
    let said = error.to_string();
    assert!(
        said.contains("scratch database") && said.contains("CREATEDB"),
        "{said}"
    );
}

async fn role_without_rights(place: &TestDatabase) -> Config {
    let password = secrets::password();
    let client = place.client().await;
    let name = format!("{}_role", place.name());
    let sql = format!("CREATE ROLE {name} LOGIN PASSWORD '{password}'");
    client.batch_execute(&sql).await.unwrap();
    let config = Config::from_url(&place.url()).unwrap().to_builder();
    config.user(name).password(password).build().unwrap()
}
