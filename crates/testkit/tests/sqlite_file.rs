//! Damages real SQLite databases, and sees what SQLite says.

use rusqlite::{Connection, ErrorCode};
use underpin_testkit::{SqliteFile, or_skip};

const FILL: &str = "CREATE TABLE t (x TEXT);
    INSERT INTO t SELECT hex(zeroblob(500)) FROM (VALUES (1), (2), (3), (4), (5), (6), (7), (8));";

fn filled() -> SqliteFile {
    let file = SqliteFile::new();
    let connection = Connection::open(file.path()).unwrap();
    connection.execute_batch(FILL).unwrap();
    file
}

fn rows(file: &SqliteFile) -> Result<i64, ErrorCode> {
    Connection::open(file.path())
        .and_then(|c| c.query_row("SELECT count(*) FROM t", (), |row| row.get(0)))
        .map_err(|error| error.sqlite_error_code().unwrap())
}

#[test]
fn a_new_file_is_removed_with_its_value() {
    let file = filled();
    assert_eq!(rows(&file), Ok(8));
    assert!(file.url().starts_with("sqlite:////"));
    let directory = file.directory().to_owned();
    drop(file);
    assert!(!directory.exists());
}

#[test]
fn a_corrupt_file_is_malformed() {
    let file = filled();
    file.corrupt();
    assert_eq!(rows(&file), Err(ErrorCode::DatabaseCorrupt));
}

#[test]
fn a_file_without_its_header_is_no_database() {
    let file = filled();
    file.replace_header();
    assert_eq!(rows(&file), Err(ErrorCode::NotADatabase));
}

#[test]
fn a_read_only_file_can_be_read_and_not_written() {
    let mut file = filled();
    or_skip!(file.read_only());
    assert_eq!(rows(&file), Ok(8));
    let connection = Connection::open(file.path()).unwrap();
    let error = connection.execute("DELETE FROM t", ()).unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::ReadOnly));
    drop(connection);
    let directory = file.directory().to_owned();
    drop(file);
    assert!(!directory.exists());
}

#[test]
fn a_small_disk_fills_up() {
    let file = or_skip!(SqliteFile::small_tmpfs(256 * 1024));
    let connection = Connection::open(file.path()).unwrap();
    connection.execute_batch(FILL).unwrap();
    let error = (0..100)
        .find_map(|_| {
            connection
                .execute("INSERT INTO t SELECT * FROM t", ())
                .err()
        })
        .unwrap();
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::DiskFull));
    drop(connection);
    let directory = file.directory().to_owned();
    drop(file);
    assert!(!directory.exists());
}
