//! The status of a database, relative to the program that uses it.

use underpin::migrate::Migrator;
use underpin::schema::{SchemaStatus, Selection, Target, introspect, of_sql, status};
use underpin::{Config, Database, Model, models};

use crate::migrate::migrator;
use crate::place::{InPlace, Place};

const REVISIONS: [&str; 2] = [
    "-- up\nCREATE TABLE users (id integer PRIMARY KEY, email text NOT NULL);\n-- down\nDROP TABLE users;\n",
    "-- up\nCREATE INDEX users_email ON users (email);\n-- down\nDROP INDEX users_email;\n",
];

/// The result of the revisions, as a person would write it.
const TARGET: &str = "CREATE TABLE users (id integer PRIMARY KEY, email text NOT NULL);
CREATE INDEX users_email ON users (email);";

async fn target(place: &Place) -> Target {
    let directory = underpin_testkit::SqliteFile::new();
    let path = directory.directory().join("schema.sql");
    std::fs::write(&path, TARGET).unwrap();
    let config = Config::from_url(&place.url()).unwrap();
    of_sql(path, &config, &Selection::default()).await.unwrap()
}

fn ids(revisions: &[underpin::migrate::RevisionId]) -> Vec<&str> {
    revisions.iter().map(|id| id.as_str()).collect()
}

#[tokio::test]
async fn a_database_is_behind_until_all_revisions_are_applied() {
    for place in Place::each("schema_status_behind") {
        let db = place.open().await;
        let migrator = migrator(&place, &REVISIONS);
        let target = target(&place).await;
        let before = status(&db, &migrator, Some(&target)).await.unwrap();
        let SchemaStatus::Behind { pending } = &before else {
            panic!("{before:?}");
        };
        assert_eq!(ids(pending), ["r0", "r1"]);
        assert_eq!(
            before.to_string(),
            "The database is behind: it does not have the revisions `r0`, `r1`. `up` applies the \
             missing revisions."
        );
        migrator.up("r0").await.unwrap();
        let half = status(&db, &migrator, Some(&target)).await.unwrap();
        assert!(matches!(&half, SchemaStatus::Behind { pending } if ids(pending) == ["r1"]));
        migrator.up("head").await.unwrap();
        let after = status(&db, &migrator, Some(&target)).await.unwrap();
        assert!(after.is_up_to_date(), "{after}");
        assert_eq!(after.to_string(), "The database is up to date.");
        let alone = status(&db, &migrator, None).await.unwrap();
        assert_eq!(alone, SchemaStatus::UpToDate);
    }
}

#[tokio::test]
async fn a_database_is_ahead_of_an_older_program() {
    for place in Place::each("schema_status_ahead") {
        let db = place.open().await;
        migrator(&place, &REVISIONS).up("head").await.unwrap();
        let older: Migrator = migrator(&place, &REVISIONS[..1]);
        let now = status(&db, &older, None).await.unwrap();
        assert!(matches!(&now, SchemaStatus::Ahead { unknown, pending }
            if ids(unknown) == ["r1"] && pending.is_empty()));
        assert_eq!(
            now.to_string(),
            "The database is ahead: it has the revision `r1`, which this program does not know. Run a \
             newer version of the program."
        );
    }
}

#[tokio::test]
async fn a_database_that_was_changed_by_hand_has_drifted() {
    for place in Place::each("schema_status_drifted") {
        let db = place.open().await;
        let migrator = migrator(&place, &REVISIONS);
        migrator.up("head").await.unwrap();
        db.batch("DROP INDEX users_email; CREATE TABLE mine (id integer)")
            .await
            .unwrap();
        let target = target(&place).await;
        let now = status(&db, &migrator, Some(&target)).await.unwrap();
        let namespace = match place {
            Place::Postgres(_) => "public",
            Place::Sqlite(_) => "main",
        };
        assert_eq!(
            now.to_string(),
            format!(
                "The database has drifted. These changes would restore the expected schema:\n  \
                 Drop table {namespace}.mine\n  Create index users_email of {namespace}.users"
            )
        );
        // Without a target, drift cannot be detected.
        let alone = status(&db, &migrator, None).await.unwrap();
        assert_eq!(alone, SchemaStatus::UpToDate);
    }
}

#[derive(Model)]
#[model(table = "users", index(email, name = "users_email"))]
struct User {
    #[model(primary_key)]
    id: i32,
    email: String,
}

#[tokio::test]
async fn models_say_what_a_database_should_be() {
    for place in Place::each("schema_status_models") {
        let db = place.open().await;
        let migrator = migrator(&place, &REVISIONS);
        migrator.up("head").await.unwrap();
        // Models cannot describe views.
        db.batch("CREATE VIEW emails AS SELECT email FROM users")
            .await
            .unwrap();
        let target = async || {
            let now = introspect(&db, &Selection::default()).await.unwrap();
            let target = Target::of_models::<Database>(&models![User], &db.config(), &now).await;
            target.unwrap()
        };
        let now = status(&db, &migrator, Some(&target().await)).await;
        assert_eq!(now.unwrap(), SchemaStatus::UpToDate);
        db.batch("ALTER TABLE users ADD nick text").await.unwrap();
        let now = status(&db, &migrator, Some(&target().await)).await;
        assert!(
            matches!(now.unwrap(), SchemaStatus::Drifted { changes, .. } if changes.len() == 1)
        );
    }
}

/// A server may store its own notes among the options.
#[tokio::test]
async fn options_that_no_list_has_are_no_drift() {
    for place in Place::each("schema_status_unlisted") {
        if matches!(place, Place::Sqlite(_)) {
            continue;
        }
        let db = place.open().await;
        let migrator = migrator(&place, &REVISIONS);
        migrator.up("head").await.unwrap();
        let by_sql = target(&place).await;
        for option in ["pg_attver=22183600", "later=1"] {
            db.batch(&format!(
                "SET allow_system_table_mods = on;
                 UPDATE pg_attribute SET attoptions = array_append(attoptions, '{option}')
                   WHERE attrelid = 'users'::regclass AND attnum > 0;
                 UPDATE pg_class SET reloptions = array_append(reloptions, '{option}')
                   WHERE relname IN ('users', 'users_email', 'users_pkey');
                 SET allow_system_table_mods = off"
            ))
            .await
            .unwrap();
            let now = introspect(&db, &Selection::default()).await.unwrap();
            let by_models = Target::of_models::<Database>(&models![User], &db.config(), &now).await;
            for target in [&by_sql, &by_models.unwrap()] {
                let now = status(&db, &migrator, Some(target)).await.unwrap();
                assert_eq!(now, SchemaStatus::UpToDate, "{option}");
            }
        }
        // Objects that models cannot describe remain.
        db.batch(
            "SET allow_system_table_mods = on;
             UPDATE pg_attribute SET attoptions = NULL WHERE attrelid = 'users'::regclass;
             ALTER TABLE users ALTER email SET (n_distinct = 5)",
        )
        .await
        .unwrap();
        let now = introspect(&db, &Selection::default()).await.unwrap();
        let by_models = Target::of_models::<Database>(&models![User], &db.config(), &now).await;
        let now = status(&db, &migrator, Some(&by_models.unwrap())).await;
        assert_eq!(now.unwrap(), SchemaStatus::UpToDate);
        let now = status(&db, &migrator, Some(&by_sql)).await.unwrap();
        assert!(matches!(now, SchemaStatus::Drifted { changes, .. } if changes.len() == 1));
    }
}
