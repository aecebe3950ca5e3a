//! SQLite files: when one is created, which connection a handle uses, and the content of the file
//! once it is closed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use underpin::sqlite::rusqlite::{self, OpenFlags};
use underpin::{Class, Config, Connection, Database};
use underpin_testkit::SqliteFile;

use crate::place::eventually;

/// A copy of the file alone, without the files beside it.
fn copied(file: &SqliteFile) -> PathBuf {
    let copy = file.directory().join("copy.db");
    std::fs::copy(file.path(), &copy).unwrap();
    copy
}

/// The number of rows in `t`, as another client sees it.
fn count_by_another(path: &Path) -> rusqlite::Result<i64> {
    let other = rusqlite::Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    other.query_row("SELECT count(*) FROM t", [], |row| row.get(0))
}

fn log(file: &SqliteFile) -> PathBuf {
    file.directory().join("test.db-wal")
}

/// A database with one row that readers have seen.
async fn used(file: &SqliteFile) -> Database {
    let db = Database::connect(file.url()).await.unwrap();
    db.batch("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)")
        .await
        .unwrap();
    let sql = "SELECT a FROM t";
    let all = futures_util::future::join_all((0..8).map(|_| db.query_scalar::<i64>(sql, ())));
    assert!(all.await.into_iter().all(|one| one.unwrap() == 1));
    assert!(log(file).exists());
    db
}

#[tokio::test]
async fn all_data_is_in_the_file_once_it_is_closed() {
    for _ in 0..8 {
        let file = SqliteFile::new();
        let db = used(&file).await;
        db.close(Duration::from_secs(10)).await.unwrap();
        assert!(!log(&file).exists());
        assert_eq!(count_by_another(&copied(&file)).unwrap(), 1);
    }
}

#[tokio::test]
async fn all_data_is_in_the_file_once_the_handle_is_dropped() {
    for leased in [false, true] {
        let file = SqliteFile::new();
        let db = used(&file).await;
        let lease = match leased {
            true => Some(db.read().acquire().await.unwrap()),
            false => None,
        };
        drop(db);
        drop(lease);
        eventually("the log is gone", async || !log(&file).exists()).await;
        assert_eq!(count_by_another(&copied(&file)).unwrap(), 1);
    }
}

/// Like the end of a program.
#[test]
fn all_data_is_in_the_file_once_the_runtime_is_dropped() {
    for handle_first in [true, false] {
        let file = SqliteFile::new();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let db = runtime.block_on(used(&file));
        if handle_first {
            drop(db);
            drop(runtime);
        } else {
            drop(runtime);
            drop(db);
        }
        assert!(!log(&file).exists());
        assert_eq!(count_by_another(&copied(&file)).unwrap(), 1);
    }
}

#[tokio::test]
async fn a_single_connection_and_a_second_handle_leave_the_data_too() {
    let file = SqliteFile::new();
    let db = used(&file).await;
    let second = Database::connect(file.url_of_a_file()).await.unwrap();
    let rows: Vec<i64> = second.query_as("SELECT a FROM t", ()).await.unwrap();
    assert_eq!(rows, [1]);
    db.close(Duration::from_secs(10)).await.unwrap();
    second.close(Duration::from_secs(10)).await.unwrap();
    assert_eq!(count_by_another(&copied(&file)).unwrap(), 1);
    let single = Connection::connect(file.url_of_a_file()).await.unwrap();
    single
        .execute("INSERT INTO t VALUES (2)", ())
        .await
        .unwrap();
    drop(single);
    eventually("the log is gone", async || !log(&file).exists()).await;
    assert_eq!(count_by_another(&copied(&file)).unwrap(), 2);
}

#[tokio::test]
async fn counts_of_written_rows_are_read_on_the_writer() {
    let file = SqliteFile::new();
    let db = Database::connect(file.url()).await.unwrap();
    db.batch("CREATE TABLE t (a INTEGER PRIMARY KEY)")
        .await
        .unwrap();
    db.execute("INSERT INTO t VALUES (41), (42)", ())
        .await
        .unwrap();
    for (sql, expected) in [
        ("SELECT last_insert_rowid()", 42),
        ("SELECT changes()", 2),
        ("SELECT total_changes()", 2),
        ("SELECT last_insert_rowid() + changes()", 44),
        ("WITH x AS (SELECT changes() AS n) SELECT n FROM x", 2),
    ] {
        let found: i64 = db.query_scalar(sql, ()).await.unwrap();
        assert_eq!(found, expected, "{sql}");
        let mut stream = db.query_stream::<i64>(sql, ()).await.unwrap();
        assert_eq!(stream.next().await.unwrap().unwrap(), expected, "{sql}");
        drop(stream);
        // A reader would return 0.
        let error = db.read().query(sql, ()).await.unwrap_err();
        assert!(error.to_string().contains("RETURNING"), "{sql}: {error}");
    }
}

#[tokio::test]
async fn a_stream_that_reads_leaves_the_writer_to_others() {
    let file = SqliteFile::new();
    let db = Database::connect(file.url()).await.unwrap();
    db.batch("CREATE TABLE t (a INTEGER); CREATE TABLE u (a INTEGER)")
        .await
        .unwrap();
    let rows = (0..2000_i64).map(|n| (n,));
    db.bulk_insert("t", &["a"], rows).await.unwrap();
    let short = db.deadline(Duration::from_secs(20));
    let mut read = 0;
    let mut stream = db.query_stream::<i64>("SELECT a FROM t", ()).await.unwrap();
    while let Some(a) = stream.next().await {
        if read % 100 == 0 {
            short
                .execute("INSERT INTO u VALUES ($1)", (a.unwrap(),))
                .await
                .unwrap();
        }
        read += 1;
    }
    assert_eq!(read, 2000);
    let written: i64 = db.query_scalar("SELECT count(*) FROM u", ()).await.unwrap();
    assert_eq!(written, 20);
    // A stream that writes uses the writer.
    let sql = "INSERT INTO u VALUES (1) RETURNING a";
    let mut stream = db.query_stream::<i64>(sql, ()).await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), 1);
}

#[tokio::test]
async fn a_file_is_created_only_if_requested() {
    let at = |file: &SqliteFile, query: &str| format!("{}{query}", file.url_of_a_file());
    for query in ["", "?mode=rw", "?mode=ro", "?immutable=1", "?create=off"] {
        let file = SqliteFile::new();
        let error = Database::connect(at(&file, query))
            .await
            .map(drop)
            .unwrap_err();
        assert_eq!(error.class(), Class::Missing, "{query}: {error}");
        assert!(error.hint().is_some(), "{query}: {error}");
        let lazy = Database::connect_lazy(at(&file, query)).unwrap();
        assert_eq!(
            lazy.ping().await.unwrap_err().class(),
            Class::Missing,
            "{query}"
        );
        assert!(!lazy.health().await.is_healthy(), "{query}");
        let single = Connection::connect(at(&file, query)).await.map(drop);
        assert_eq!(single.unwrap_err().class(), Class::Missing, "{query}");
        assert_eq!(
            std::fs::read_dir(file.directory()).unwrap().count(),
            0,
            "{query}"
        );
    }
    for query in ["?mode=rwc", "?create=on"] {
        let file = SqliteFile::new();
        let db = Database::connect(at(&file, query)).await.unwrap();
        db.ping().await.unwrap();
        assert!(file.path().exists(), "{query}");
    }
    let file = SqliteFile::new();
    let config = Config::from_url(&at(&file, "")).unwrap();
    let config = config.to_builder().create(true).build().unwrap();
    Database::connect(config).await.unwrap();
    assert!(file.path().exists());
}

#[tokio::test]
async fn a_path_that_was_meant_from_the_root_gets_a_hint() {
    let file = SqliteFile::new();
    let db = Database::connect(file.url()).await.unwrap();
    db.close(Duration::from_secs(10)).await.unwrap();
    let path = file.path().display().to_string();
    // Three slashes, and the absolute path without its own.
    let url = format!("sqlite:///{}", path.trim_start_matches('/'));
    let error = Database::connect(&url).await.map(drop).unwrap_err();
    assert_eq!(error.class(), Class::Missing);
    let hint = error.hint().unwrap();
    assert!(hint.contains(&format!("sqlite:{path}")), "{hint}");
    assert!(hint.contains(&format!("sqlite:///{path}")), "{hint}");
    Database::connect(format!("sqlite:{path}")).await.unwrap();
}

#[tokio::test]
async fn a_mode_of_a_file_is_kept() {
    let file = SqliteFile::new();
    used(&file)
        .await
        .close(Duration::from_secs(10))
        .await
        .unwrap();
    let at = |query: &str| format!("{}{query}", file.url_of_a_file());
    let db = Database::connect(at("?mode=rw")).await.unwrap();
    db.execute("INSERT INTO t VALUES (2)", ()).await.unwrap();
    db.close(Duration::from_secs(10)).await.unwrap();
    for query in ["?mode=ro", "?immutable=1"] {
        let db = Database::connect(at(query)).await.unwrap();
        let count: i64 = db.query_scalar("SELECT count(*) FROM t", ()).await.unwrap();
        assert_eq!(count, 2, "{query}");
        let error = db.execute("DELETE FROM t", ()).await.unwrap_err();
        assert_eq!(error.class(), Class::ReadOnly, "{query}: {error}");
    }
    // An immutable file has neither lock nor log.
    let copy = copied(&file);
    let url = format!("sqlite:///{}?immutable=1", copy.display());
    let db = Database::connect(url).await.unwrap();
    let count: i64 = db.query_scalar("SELECT count(*) FROM t", ()).await.unwrap();
    assert_eq!(count, 2);
    for beside in ["copy.db-wal", "copy.db-shm"] {
        assert!(!file.directory().join(beside).exists(), "{beside}");
    }
}

#[tokio::test]
async fn handles_share_a_database_in_memory_by_its_name() {
    let url = "sqlite:file:shared_by_name?mode=memory&cache=shared";
    let (one, other) = (
        Database::connect(url).await.unwrap(),
        Database::connect("sqlite:///shared_by_name?mode=memory&cache=shared")
            .await
            .unwrap(),
    );
    assert!(one.config().is_memory());
    one.batch("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (7)")
        .await
        .unwrap();
    let seen: i64 = other.query_scalar("SELECT a FROM t", ()).await.unwrap();
    assert_eq!(seen, 7);
    // Another client in this program sees it too.
    let uri = "file:shared_by_name?mode=memory&cache=shared";
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI;
    let client = rusqlite::Connection::open_with_flags(uri, flags).unwrap();
    let seen: i64 = client
        .query_row("SELECT a FROM t", [], |row| row.get(0))
        .unwrap();
    assert_eq!(seen, 7);
    let apart = Database::connect("sqlite:///another_name?mode=memory&cache=shared")
        .await
        .unwrap();
    assert!(apart.query("SELECT a FROM t", ()).await.is_err());
    let masked = one.config().to_url_masked();
    let again = Database::connect(&masked).await.unwrap();
    let seen: i64 = again.query_scalar("SELECT a FROM t", ()).await.unwrap();
    assert_eq!(seen, 7, "{masked}");
    assert!(!Path::new("shared_by_name").exists());
}
