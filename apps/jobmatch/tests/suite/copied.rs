//! The database is copied to another engine and back.

use std::process::Stdio;

use jobmatch::Sample;
use jobmatch::import::ImportKind;
use underpin::{Database, Engine};
use underpin_testkit::{Postgres, SqliteFile, or_skip};

use crate::place::{Files, InPlace, Place, close, import_file, program};

async fn filled(place: &Place) {
    let database = place.migrated().await;
    let files = Files::new();
    for kind in [ImportKind::Users, ImportKind::Jobs, ImportKind::Scores] {
        let sample = Sample {
            kind,
            rows: 400,
            seed: 3,
            bad_percent: 0.0,
            users: 400,
            jobs: 400,
        };
        let path = files.write(&format!("{kind:?}.csv"), sample.text());
        import_file(&database, kind, &path).await.unwrap();
    }
    close(database).await;
    let said = place.command(&["match"]);
    assert!(said.status.success());
}

/// Copies, and gives the checksums of the tables of both sides.
fn copied(from: &Place, to: &Place, more: &[&str]) -> Vec<(String, String, String)> {
    let output = program()
        .args(["--format", "json", "copy", &from.url(), &to.url()])
        .args(more)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    print!("{said}");
    assert!(output.status.success(), "{said}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["equal"], true);
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let tables = report["tables"].as_array().unwrap().iter();
    tables
        .map(|table| {
            let name = text(&table["from"]);
            let name = name.split_once('.').unwrap().1.to_owned();
            (
                name,
                text(&table["source_checksum"]),
                text(&table["target_checksum"]),
            )
        })
        .collect()
}

async fn users(place: &Place) -> Vec<(i64, String, Option<String>)> {
    let database = Database::connect(place.url()).await.unwrap();
    let of = match place.engine() {
        Engine::POSTGRES => "created_at::text",
        _ => "created_at",
    };
    let sql = format!("SELECT id, email, rtrim(rtrim({of}, '0'), '.') FROM users ORDER BY id");
    let rows = database.query_as(&sql, ()).await.unwrap();
    close(database).await;
    rows
}

#[tokio::test]
async fn the_database_is_copied_both_ways_with_equal_checksums() {
    let server = or_skip!(Postgres::shared());
    for more in [&[][..], &["--create"][..]] {
        let there = Place::Postgres(server.database("copied"));
        let file = Place::Sqlite(SqliteFile::new());
        let back = Place::Postgres(server.database("copied_back"));
        filled(&there).await;
        if more.is_empty() {
            // Into the tables that its own revisions make, which have a row for each revision.
            for place in [&file, &back] {
                close(place.migrated().await).await;
            }
        }
        let tables = [
            "--tables",
            "users,jobs,job_scores,matching_results,email_logs,csv_imports",
        ];
        let more = [&tables[..], more].concat();
        let first = copied(&there, &file, &more);
        let second = copied(&file, &back, &more);
        assert_eq!(first.len(), 6);
        for (name, source, target) in first.iter().chain(&second) {
            assert_eq!(source, target, "{name}");
        }
        let before = users(&there).await;
        assert_eq!(before.len(), 400);
        assert_eq!(before, users(&file).await);
        assert_eq!(before, users(&back).await);
    }
}
