//! The tables as others see them.

use std::process::Command;

use underpin::Engine;
use underpin_testkit::{Postgres, or_skip};

use crate::place::{InPlace, Place, close};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/compare_metadata.py");

/// Alembic compares the migrated database with models that are written from the
/// specification.
#[tokio::test]
async fn alembic_finds_nothing_to_change() {
    let server = or_skip!(Postgres::shared());
    let place = Place::Postgres(server.database("alembic"));
    let python = std::env::var("UNDERPIN_TEST_PYTHON").unwrap_or_else(|_| "python3".into());
    let imports = ["-c", "import alembic, sqlalchemy, psycopg2"];
    let has = Command::new(&python).args(imports).output();
    if !has.is_ok_and(|output| output.status.success()) {
        underpin_testkit::skip!(
            "alembic_finds_nothing_to_change",
            "{python} has no alembic, sqlalchemy and psycopg2."
        );
    }
    let database = place.migrated().await;
    let output = Command::new(&python)
        .arg(SCRIPT)
        .env("DATABASE_URL", place.url())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:#?}");
    // It does find a difference that is there.
    database
        .batch("DROP INDEX idx_jobs_company_active")
        .await
        .unwrap();
    let output = Command::new(&python)
        .arg(SCRIPT)
        .env("DATABASE_URL", place.url())
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("idx_jobs_company_active"));
    assert!(!output.status.success());
    close(database).await;
}

#[tokio::test]
async fn down_and_up_again_leaves_the_schema_as_it_was() {
    for place in Place::each("down_up") {
        let sql = match place.engine() {
            Engine::POSTGRES => {
                "SELECT table_name || '.' || column_name || ' ' || data_type FROM
                 information_schema.columns WHERE table_schema = 'public'
                 UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
                 UNION ALL SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint
                 WHERE connamespace = 'public'::regnamespace ORDER BY 1"
            }
            _ => "SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY 1",
        };
        let database = place.migrated().await;
        let before: Vec<String> = database.query_as(sql, ()).await.unwrap();
        let migrator = jobmatch::migrator(&database).unwrap();
        migrator.down("base").await.unwrap();
        let empty: Vec<String> = database.query_as(sql, ()).await.unwrap();
        assert!(!empty.iter().any(|line| line.contains("jobs")), "{empty:?}");
        migrator.up("head").await.unwrap();
        let after: Vec<String> = database.query_as(sql, ()).await.unwrap();
        assert_eq!(before, after);
        assert!(before.len() > 17);
        close(database).await;
    }
}

#[tokio::test]
async fn the_command_builds_its_database() {
    for place in Place::each("migrate") {
        let unbuilt = place.command(&["stats"]);
        assert_eq!(unbuilt.status.code(), Some(4), "{unbuilt:?}");
        assert!(String::from_utf8_lossy(&unbuilt.stderr).contains("`jobmatch migrate up`"));
        for _ in 0..2 {
            let output = place.command(&["migrate", "up"]);
            assert_eq!(output.status.code(), Some(0), "{output:?}");
        }
        let stats = place.command(&["stats", "--format", "json"]);
        assert_eq!(stats.status.code(), Some(0), "{stats:?}");
        assert!(String::from_utf8_lossy(&stats.stdout).contains("\"jobs\":0"));
    }
}
