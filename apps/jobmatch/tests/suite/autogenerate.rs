//! Revisions that are written from the models.

use std::path::Path;
use std::process::Output;

use underpin::migrate::Migrator;
use underpin::schema::Schema;
use underpin::{Database, Engine};
use underpin_testkit::{Postgres, or_skip};

use crate::described::{lines, read};
use crate::place::{InPlace, Place, close};

fn said(output: &Output, code: i32) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    text.into_owned()
}

/// What a directory of revisions makes of an empty database.
async fn made(place: &Place, revisions: &Path) -> Schema {
    let database = Database::connect(place.url()).await.unwrap();
    let migrator = Migrator::of(&database).directory(revisions).unwrap();
    migrator.up("head").await.unwrap();
    let schema = read(&database).await;
    migrator.down("base").await.unwrap();
    assert!(read(&database).await.tables.is_empty());
    migrator.up("head").await.unwrap();
    assert_eq!(read(&database).await, schema);
    close(database).await;
    schema
}

#[tokio::test]
async fn on_an_empty_database_the_models_make_what_the_revisions_make() {
    let server = or_skip!(Postgres::shared());
    let place = Place::Postgres(server.database("first"));
    let directory = tempfile::tempdir().unwrap();
    let revisions = directory.path().display().to_string();
    let mut arguments = vec![
        "migrate",
        "--revisions",
        &revisions,
        "new",
        "--autogenerate",
    ];
    arguments.extend([
        "-m",
        "the tables",
        "--engine",
        "postgres",
        "--engine",
        "sqlite",
    ]);
    let written = said(&place.command(&arguments), 0);
    assert_eq!(written.lines().count(), 1, "{written}");
    for place in Place::each("made_from_models") {
        let own = match place.engine() {
            Engine::POSTGRES => Place::Postgres(server.database("own")),
            _ => Place::Sqlite(underpin_testkit::SqliteFile::new()),
        };
        let migrated = own.migrated().await;
        let mut found = read(&migrated).await;
        close(migrated).await;
        // Models do not say the triggers that round salaries on SQLite.
        let jobs = found.tables.iter_mut();
        let jobs = jobs.filter(|(name, _)| name.name == "jobs");
        jobs.for_each(|(_, table)| table.triggers.clear());
        assert_eq!(found.tables.len(), 6);
        let made = made(&place, directory.path()).await;
        assert_eq!(lines(&made), lines(&found));
    }
}

#[tokio::test]
async fn beside_the_revisions_the_models_want_nothing() {
    for place in Place::each("nothing") {
        let own: &[&str] = match place.engine() {
            Engine::SQLITE => &["--engine", "sqlite"],
            _ => &[],
        };
        let new = ["migrate", "new", "--autogenerate", "-m", "nothing"];
        let output = place.command(&[&new[..], own].concat());
        assert!(said(&output, 0).contains("no file was written"));
        let output = place.command(&[&["migrate", "check"], own].concat());
        assert_eq!(
            said(&output, 0),
            "The revisions create the wanted schema.\n"
        );
    }
}
