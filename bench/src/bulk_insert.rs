use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use underpin::Database;

use crate::measure::{Report, in_turns_from};
use crate::server::Server;

type Item = (i64, String, f64, bool, Option<i32>, String);

const COLUMNS: [&str; 6] = ["id", "name", "weight", "active", "parent", "note"];

/// The same row for the same number, so that both sides insert the same data.
fn item(n: i64) -> Item {
    let parent = (n % 5 != 0).then_some((n / 5) as i32);
    (
        n,
        format!("item number {n}"),
        n as f64 / 7.0,
        n % 2 == 0,
        parent,
        "a note of some length".into(),
    )
}

const TABLE: &str = "CREATE TABLE items (id BIGINT PRIMARY KEY, name TEXT NOT NULL,
    weight DOUBLE PRECISION, active BOOLEAN, parent INTEGER, note TEXT)";

pub(crate) async fn postgres(server: &Server, rows: i64, report: &mut Report) {
    let ours = server.ours().await;
    ours.batch(TABLE).await.unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    write_copy_text(file.path(), rows);
    let url = server.url();
    let copy = format!("\\copy items FROM '{}'", file.path().display());
    let pair = in_turns_from(
        3,
        async || {
            ours.batch("TRUNCATE items").await.unwrap();
            ours.batch("CHECKPOINT").await.unwrap();
        },
        || async {
            let inserted = ours
                .bulk_insert("items", &COLUMNS, (0..rows).map(item))
                .await
                .unwrap();
            assert_eq!(inserted, rows as u64);
        },
        || async {
            let status = Command::new("psql")
                .args(["-X", "-q", "-d", &url, "-c", &copy])
                .stdin(Stdio::null())
                .status()
                .expect("psql is installed");
            assert!(status.success());
        },
    )
    .await;
    let what = format!("bulk_insert, {rows} rows × 6, PostgreSQL");
    report.add(what, "psql \\copy from a text file", 1, &pair, Some(0.8));
}

fn write_copy_text(path: &Path, rows: i64) {
    let mut out = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    for n in 0..rows {
        let (id, name, weight, active, parent, note) = item(n);
        let parent = parent.map_or_else(|| "\\N".into(), |parent| parent.to_string());
        writeln!(out, "{id}\t{name}\t{weight}\t{active}\t{parent}\t{note}").unwrap();
    }
    out.flush().unwrap();
}

pub(crate) async fn sqlite(rows: i64, report: &mut Report) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("items.db");
    let ours = Database::connect(format!("sqlite:///{}?mode=rwc", path.display()))
        .await
        .unwrap();
    ours.batch(TABLE).await.unwrap();
    // The peer writes a file of its own with the same settings, so that neither waits for
    // the other's lock.
    let other = directory.path().join("peer.db");
    let peer = rusqlite::Connection::open(&other).unwrap();
    peer.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
        .unwrap();
    peer.execute_batch(TABLE).unwrap();
    let pair = in_turns_from(
        3,
        async || {
            ours.execute("DELETE FROM items", ()).await.unwrap();
            peer.execute("DELETE FROM items", []).unwrap();
        },
        || async {
            let inserted = ours
                .bulk_insert("items", &COLUMNS, (0..rows).map(item))
                .await
                .unwrap();
            assert_eq!(inserted, rows as u64);
        },
        || async {
            let transaction = peer.unchecked_transaction().unwrap();
            let mut insert = peer
                .prepare("INSERT INTO items VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
                .unwrap();
            for n in 0..rows {
                insert.execute(item(n)).unwrap();
            }
            transaction.commit().unwrap();
        },
    )
    .await;
    let what = format!("bulk_insert, {rows} rows × 6, SQLite");
    report.add(
        what,
        "rusqlite, prepared, one transaction",
        1,
        &pair,
        Some(0.8),
    );
}
