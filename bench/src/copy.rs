use std::path::Path;
use std::process::{Command, Stdio};

use underpin::Database;

use crate::measure::{Report, in_turns_from};
use crate::program;
use crate::server::Server;

const TABLE: &str = "CREATE TABLE items (id BIGINT PRIMARY KEY, name TEXT NOT NULL,
    weight DOUBLE PRECISION, active BOOLEAN, parent INTEGER, note TEXT)";

const ON_POSTGRES: &str = "INSERT INTO items
SELECT n, 'item number ' || n, n / 7.0, n % 2 = 0, CASE WHEN n % 5 <> 0 THEN n / 5 END,
       'a note of some length' FROM generate_series(1, $1::bigint) n";

const ON_SQLITE: &str =
    "WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < $1)
INSERT INTO items
SELECT n, 'item number ' || n, n / 7.0, n % 2 = 0, CASE WHEN n % 5 <> 0 THEN n / 5 END,
       'a note of some length' FROM up";

/// `underpin copy`, with its comparison of both sides at the end.
fn ours(from: &str, to: &str, more: &[&str]) {
    program::run(
        Command::new(program::ours("underpin"))
            .args(["copy", from, to])
            .args(more),
    );
}

/// Copies of a table between two engines, and within one, against the tools of the engines. Theirs
/// begin with the rows in a text file, where they have to, and compare nothing.
pub(crate) async fn run(server: &Server, rows: i64, report: &mut Report) {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        format!(
            "sqlite:///{}?mode=rwc",
            directory.path().join(name).display()
        )
    };
    let there = server.ours().await;
    there.batch(TABLE).await.unwrap();
    there.execute(ON_POSTGRES, (rows,)).await.unwrap();
    there.batch("ANALYZE items").await.unwrap();
    let local = Database::connect(file("items.db")).await.unwrap();
    local.batch(TABLE).await.unwrap();
    local.execute(ON_SQLITE, (rows,)).await.unwrap();
    to_postgres(server, &file("items.db"), rows, directory.path(), report).await;
    to_sqlite(server, rows, directory.path(), report).await;
    within_postgres(server, rows, report).await;
    there.batch("DROP TABLE items").await.unwrap();
}

async fn to_postgres(
    server: &Server,
    from: &str,
    rows: i64,
    directory: &Path,
    report: &mut Report,
) {
    let text = directory.join("items.txt");
    let out = format!("\\copy items TO '{}'", text.display());
    program::run(Command::new("psql").args(["-X", "-q", "-d", &server.url(), "-c", &out]));
    let other = server.other("copied");
    let url = other.url();
    let copied = Database::connect(url.as_str()).await.unwrap();
    copied.batch(TABLE).await.unwrap();
    let copy = format!("\\copy items FROM '{}'", text.display());
    let pair = in_turns_from(
        3,
        async || {
            copied.batch("TRUNCATE items").await.unwrap();
            copied.batch("CHECKPOINT").await.unwrap();
        },
        || async { ours(from, &url, &[]) },
        || async {
            program::run(Command::new("psql").args(["-X", "-q", "-d", &url, "-c", &copy]));
        },
    )
    .await;
    let what = format!("copy, {rows} rows × 6, SQLite to PostgreSQL");
    report.add(what, "psql \\copy from a text file", 1, &pair, Some(0.6));
}

async fn to_sqlite(server: &Server, rows: i64, directory: &Path, report: &mut Report) {
    let csv = directory.join("items.csv");
    let out = format!(
        "\\copy (SELECT id, name, weight, active::int, parent, note FROM items) TO '{}' CSV",
        csv.display()
    );
    program::run(Command::new("psql").args(["-X", "-q", "-d", &server.url(), "-c", &out]));
    let (mine, theirs) = (directory.join("mine.db"), directory.join("theirs.db"));
    let url = format!("sqlite:///{}?mode=rwc", mine.display());
    let import = format!(".import --csv {} items", csv.display());
    let from = server.url();
    let pair = in_turns_from(
        3,
        async || {
            for path in [&mine, &theirs] {
                let _ = std::fs::remove_file(path);
                let made = rusqlite::Connection::open(path).unwrap();
                let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;";
                made.execute_batch(&format!("{settings}{TABLE}")).unwrap();
            }
        },
        || async { ours(&from, &url, &[]) },
        || async {
            program::run(
                Command::new("sqlite3")
                    .arg(&theirs)
                    .arg("PRAGMA synchronous = NORMAL")
                    .arg(&import),
            );
        },
    )
    .await;
    let what = format!("copy, {rows} rows × 6, PostgreSQL to SQLite");
    report.add(what, "sqlite3 .import of a CSV file", 1, &pair, Some(0.6));
}

async fn within_postgres(server: &Server, rows: i64, report: &mut Report) {
    let other = server.other("copied");
    let (from, to) = (server.url(), other.url());
    let copied = Database::connect(to.as_str()).await.unwrap();
    let pair = in_turns_from(
        3,
        async || {
            copied.batch("DROP TABLE IF EXISTS items").await.unwrap();
            copied.batch("CHECKPOINT").await.unwrap();
        },
        || async { ours(&from, &to, &["--create", "--tables", "items"]) },
        || async {
            let mut dump = Command::new("pg_dump")
                .args(["-t", "items", "-d", &from])
                .stdout(Stdio::piped())
                .spawn()
                .expect("pg_dump is installed");
            let text = dump.stdout.take().expect("its output is a pipe");
            let status = Command::new("psql")
                .args(["-X", "-q", "-d", &to])
                .stdin(text)
                .stdout(Stdio::null())
                .status()
                .expect("psql is installed");
            assert!(status.success() && dump.wait().unwrap().success());
        },
    )
    .await;
    let what = format!("copy, {rows} rows × 6, PostgreSQL to PostgreSQL");
    report.add(what, "pg_dump | psql of the table", 1, &pair, Some(0.8));
}
