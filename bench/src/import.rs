use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::Command;

use jobmatch::Sample;
use jobmatch::import::{ImportKind, Source, import};
use underpin::Database;

use crate::measure::{Report, in_turns_from};
use crate::program;
use crate::server::Server;

/// Columns of the sample, in its order.
const COLUMNS: &str = "title, company_name, description, location, salary_min, salary_max,
    employment_type, experience_level, industry, is_active, posted_date";

fn sample(directory: &Path, rows: u64, bad_percent: f64) -> PathBuf {
    let path = directory.join(format!("jobs-{bad_percent}.csv"));
    let sample = Sample {
        kind: ImportKind::Jobs,
        rows,
        seed: 7,
        bad_percent,
        users: 0,
        jobs: 0,
    };
    sample
        .write(BufWriter::new(File::create(&path).unwrap()))
        .unwrap();
    path
}

async fn read_in(db: &Database, path: &Path) -> u64 {
    let source = Source::open(ImportKind::Jobs, path, &[]).unwrap();
    import(db, source, |_| ()).await.unwrap().inserted
}

/// The import, with all constraints and indexes, against the engine's own tool into the
/// same table.
pub(crate) async fn postgres(server: &Server, rows: u64, report: &mut Report) {
    let directory = tempfile::tempdir().unwrap();
    let ours = server.ours().await;
    jobmatch::migrate(&ours).await.unwrap();
    let url = server.url();
    let good = sample(directory.path(), rows, 0.0);
    let copy = format!(
        "\\copy jobs ({}) FROM '{}' WITH (FORMAT csv, HEADER)",
        COLUMNS.split_whitespace().collect::<String>(),
        good.display()
    );
    for (bad_percent, wanted) in [(0.0, 0.6), (1.0, 0.3)] {
        let file = sample(directory.path(), rows, bad_percent);
        let pair = in_turns_from(
            3,
            async || {
                ours.batch("TRUNCATE jobs, csv_imports CASCADE")
                    .await
                    .unwrap();
                ours.batch("CHECKPOINT").await.unwrap();
            },
            || async {
                let inserted = read_in(&ours, &file).await;
                assert!(inserted <= rows && inserted * 100 >= rows * 98);
            },
            || async {
                program::run(Command::new("psql").args(["-X", "-q", "-d", &url, "-c", &copy]));
            },
        )
        .await;
        let what = format!("jobmatch import, {rows} jobs, {bad_percent} % bad, PostgreSQL");
        report.add(what, "psql \\copy of the good rows", 1, &pair, Some(wanted));
    }
}

/// The same rows with every column of the table, as `sqlite3 .import` needs them: it goes by
/// position, and knows neither NULL nor defaults.
fn for_sqlite3(path: &Path) -> PathBuf {
    let other = path.with_extension("sqlite3.csv");
    let mut reader = csv::Reader::from_path(path).unwrap();
    let mut writer = csv::Writer::from_path(&other).unwrap();
    for (at, row) in reader.records().enumerate() {
        let row = row.unwrap();
        let or = |index: usize, other: &'static str| match &row[index] {
            "" => other.to_owned(),
            given => given.to_owned(),
        };
        let active = if &row[9] == "false" { "0" } else { "1" };
        let (id, moment) = ((at + 1).to_string(), "2026-01-01 00:00:00");
        let (low, high) = (or(4, "0"), or(5, "99999999"));
        let day = or(10, "2026-01-01");
        writer
            .write_record([
                &id, &row[0], &row[1], &row[2], "", &row[3], &low, &high, &row[6], &row[7],
                &row[8], active, &day, moment, moment,
            ])
            .unwrap();
    }
    writer.flush().unwrap();
    other
}

pub(crate) async fn sqlite(rows: u64, report: &mut Report) {
    let directory = tempfile::tempdir().unwrap();
    let open = |name: &str| {
        format!(
            "sqlite:///{}?mode=rwc",
            directory.path().join(name).display()
        )
    };
    let ours = Database::connect(open("ours.db")).await.unwrap();
    let peer = Database::connect(open("peer.db")).await.unwrap();
    jobmatch::migrate(&ours).await.unwrap();
    jobmatch::migrate(&peer).await.unwrap();
    let good = sample(directory.path(), rows, 0.0);
    let plain = for_sqlite3(&good);
    let import = format!(".import --csv {} jobs", plain.display());
    let file = directory.path().join("peer.db");
    for (bad_percent, wanted) in [(0.0, 0.6), (1.0, 0.3)] {
        let sample = sample(directory.path(), rows, bad_percent);
        let pair = in_turns_from(
            3,
            async || {
                for db in [&ours, &peer] {
                    db.batch("DELETE FROM jobs; DELETE FROM csv_imports")
                        .await
                        .unwrap();
                }
            },
            || async {
                let inserted = read_in(&ours, &sample).await;
                assert!(inserted <= rows && inserted * 100 >= rows * 98);
            },
            || async {
                let mut sqlite3 = Command::new("sqlite3");
                program::run(
                    sqlite3
                        .arg(&file)
                        .arg("PRAGMA synchronous = NORMAL")
                        .arg(&import),
                );
            },
        )
        .await;
        let stored: i64 = peer
            .query_scalar("SELECT count(*) FROM jobs", ())
            .await
            .unwrap();
        assert!(
            stored == 0 || stored as u64 == rows,
            "sqlite3 took {stored} rows"
        );
        let what = format!("jobmatch import, {rows} jobs, {bad_percent} % bad, SQLite");
        report.add(
            what,
            "sqlite3 .import of the good rows",
            1,
            &pair,
            Some(wanted),
        );
    }
}

/// The most memory that the program has while it imports.
pub(crate) fn memory(server: &Server, rows: u64) {
    let directory = tempfile::tempdir().unwrap();
    let file = sample(directory.path(), rows, 1.0);
    let sqlite = format!("sqlite:///{}", directory.path().join("memory.db").display());
    for (engine, url) in [
        ("PostgreSQL", server.other("memory").url()),
        ("SQLite", sqlite),
    ] {
        program::run(
            Command::new(program::ours("jobmatch")).args(["--url", &url, "migrate", "up"]),
        );
        let mut import = Command::new(program::ours("jobmatch"));
        let peak = program::peak_memory(import.args(["--url", &url, "import", "jobs"]).arg(&file));
        println!(
            "peak memory of an import of {rows} jobs on {engine}: {} MB",
            peak / 1_000_000
        );
    }
}
