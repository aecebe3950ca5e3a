//! Files that cannot be opened, read or written. Each error is a sentence that says what, where and
//! what to do, with the right class and effect.

mod common;

use std::time::Duration;

use common::{call, execute, one, open, within, writer};
use underpin_core::driver::{
    BulkTarget, Connection as _, ConnectionExt as _, Connector as _, Pooled as _, SessionState,
};
use underpin_core::{
    Class, Deadline, Effect, Endpoint, Error, Role, Stage, TransactionOptions, Value,
};
use underpin_sqlite::{Connector, Options};
use underpin_testkit::{SqliteFile, or_skip};

async fn refused(path: impl Into<std::path::PathBuf>, options: Options) -> Error {
    let connector = Connector::new(Endpoint::file(path), options);
    connector
        .connect(Deadline::NONE)
        .await
        .map(drop)
        .unwrap_err()
}

fn says(error: &Error, class: Class, parts: &[&str]) {
    let text = error.to_string();
    assert_eq!(error.class(), class, "{text}");
    assert!(error.hint().is_some() && text.ends_with('.'), "{text}");
    for part in parts {
        assert!(text.contains(part), "{text:?} has no {part:?}");
    }
}

#[tokio::test]
async fn paths_that_lead_to_no_file() {
    let file = SqliteFile::new();
    let path = file.path().display().to_string();
    let directory = file.directory().to_owned();
    let error = refused(
        file.path(),
        Options {
            create: false,
            ..Options::writer()
        },
    )
    .await;
    says(
        &error,
        Class::Missing,
        &[&path, "does not exist", "Correct the path"],
    );
    assert_eq!(error.effect(), Effect::NotSent);
    says(
        &refused(file.path(), Options::reader()).await,
        Class::Missing,
        &[&path],
    );
    let nowhere = directory.join("no/such/place.db");
    let error = refused(&nowhere, Options::writer()).await;
    says(
        &error,
        Class::Missing,
        &[
            &nowhere.display().to_string(),
            "The directory",
            "Create the directory",
        ],
    );
    let error = refused(&directory, Options::writer()).await;
    says(
        &error,
        Class::Config,
        &[&directory.display().to_string(), "is a directory"],
    );
    says(
        &refused("", Options::writer()).await,
        Class::Config,
        &["empty"],
    );
    let endpoint = Endpoint::tcp("db1", 5432);
    let connector = Connector::new(endpoint, Options::writer());
    let error = connector
        .connect(Deadline::NONE)
        .await
        .map(drop)
        .unwrap_err();
    assert_eq!(error.class(), Class::Config);
}

#[tokio::test]
async fn damaged_files() {
    let file = SqliteFile::new();
    let path = file.path().display().to_string();
    let db = writer(&file).await;
    db.batch(
        "CREATE TABLE t (a); INSERT INTO t VALUES (1)",
        Deadline::NONE,
    )
    .await
    .unwrap();
    Box::new(db).close(Deadline::NONE).await;
    file.corrupt();
    for options in [Options::writer(), Options::reader()] {
        says(
            &refused(file.path(), options).await,
            Class::Corrupt,
            &[&path, "damaged", "backup"],
        );
    }
    file.replace_header();
    for options in [Options::writer(), Options::reader()] {
        says(
            &refused(file.path(), options).await,
            Class::Corrupt,
            &[&path, "not a SQLite database"],
        );
    }
    std::fs::write(
        file.path(),
        "This is a letter to my aunt, and no database at all.".repeat(20),
    )
    .unwrap();
    says(
        &refused(file.path(), Options::writer()).await,
        Class::Corrupt,
        &[&path],
    );
}

#[tokio::test]
async fn damage_that_is_found_later() {
    let file = SqliteFile::new();
    let db = writer(&file).await;
    let fill = "CREATE TABLE t (a); INSERT INTO t
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT hex(randomblob(200)) FROM n";
    db.batch(fill, Deadline::NONE).await.unwrap();
    Box::new(db).close(Deadline::NONE).await;
    let mut bytes = std::fs::read(file.path()).unwrap();
    let half = bytes.len() / 2;
    bytes[half..].fill(0xA5);
    std::fs::write(file.path(), bytes).unwrap();
    let db = writer(&file).await;
    let error = db
        .query::<String>(call("SELECT a FROM t", &[]), usize::MAX)
        .await
        .unwrap_err();
    says(
        &error,
        Class::Corrupt,
        &[&file.path().display().to_string()],
    );
    assert_eq!(error.effect(), Effect::RolledBack);
}

#[tokio::test]
async fn read_only_files_can_be_read() {
    let mut file = SqliteFile::new();
    let path = file.path().display().to_string();
    let db = writer(&file).await;
    db.batch(
        "CREATE TABLE t (a); INSERT INTO t VALUES (1)",
        Deadline::NONE,
    )
    .await
    .unwrap();
    Box::new(db).close(Deadline::NONE).await;
    or_skip!(file.read_only());
    says(
        &refused(file.path(), Options::writer()).await,
        Class::ReadOnly,
        &[&path, "cannot be written", "read_only"],
    );
    let options = Options {
        read_only: true,
        ..Options::writer()
    };
    let db = open(&file, options).await.unwrap();
    assert_eq!(db.role(), Role::Replica);
    assert_eq!(one::<i64>(&db, "SELECT a FROM t").await, 1);
    let error = execute(&db, "INSERT INTO t VALUES (2)").await.unwrap_err();
    says(&error, Class::ReadOnly, &[&path]);
    assert_eq!(error.effect(), Effect::RolledBack);
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let file = SqliteFile::new();
    let db = writer(&file).await;
    execute(&db, "CREATE TABLE t (a)").await.unwrap();
    let reader = open(&file, Options::reader()).await.unwrap();
    assert_eq!(reader.role(), Role::Replica);
    execute(&db, "INSERT INTO t VALUES (1)").await.unwrap();
    assert_eq!(one::<i64>(&reader, "SELECT a FROM t").await, 1);
    for sql in [
        "INSERT INTO t VALUES (2)",
        "CREATE TABLE u (a)",
        "PRAGMA user_version = 3",
    ] {
        let error = execute(&reader, sql).await.unwrap_err();
        says(&error, Class::ReadOnly, &["writer"]);
    }
    let error = reader
        .begin(TransactionOptions::default(), Deadline::NONE)
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::ReadOnly);
    assert_eq!(reader.state(), SessionState::Changed);
}

#[tokio::test]
async fn a_full_disk() {
    let file = or_skip!(SqliteFile::small_tmpfs(512 * 1024));
    let path = file.path().display().to_string();
    let db = writer(&file).await;
    execute(&db, "CREATE TABLE t (a)").await.unwrap();
    execute(&db, "INSERT INTO t VALUES (1)").await.unwrap();
    let large = [Value::Bytes(vec![7; 1024 * 1024])];
    let error = db
        .execute(call("INSERT INTO t VALUES ($1)", &large))
        .await
        .unwrap_err();
    says(&error, Class::Resource, &[&path, "full", "Free space"]);
    assert_eq!(error.effect(), Effect::RolledBack);
    assert_eq!(db.state(), SessionState::Clean);
    assert_eq!(one::<i64>(&db, "SELECT count(*) FROM t").await, 1);

    db.begin(TransactionOptions::default(), Deadline::NONE)
        .await
        .unwrap();
    execute(&db, "INSERT INTO t VALUES (2)").await.unwrap();
    let outcome = db.execute(call("INSERT INTO t VALUES ($1)", &large)).await;
    let error = match outcome {
        // It may stay in memory until the commit writes it.
        Ok(_) => db.commit().await.unwrap_err(),
        Err(error) => {
            let _ = db.rollback(Deadline::NONE).await;
            error
        }
    };
    says(&error, Class::Resource, &[&path, "full"]);
    assert_eq!(error.effect(), Effect::RolledBack);
    assert_eq!(db.state(), SessionState::Clean);

    let target = BulkTarget {
        table: "t",
        columns: &["a"],
    };
    let rows = (0..1000).map(|_| (vec![7_u8; 2000],));
    let error = db
        .bulk_insert(target, rows, Deadline::NONE)
        .await
        .unwrap_err();
    says(&error, Class::Resource, &[&path, "full"]);
    assert_eq!(error.effect(), Effect::RolledBack);
    assert_eq!(one::<i64>(&db, "SELECT count(*) FROM t").await, 1);
    assert_eq!(db.state(), SessionState::Clean);
}

#[tokio::test]
async fn a_file_that_is_gone_is_noticed() {
    let file = SqliteFile::new();
    let db = writer(&file).await;
    db.ping(Deadline::NONE).await.unwrap();
    std::fs::remove_file(file.path()).unwrap();
    let error = db.ping(Deadline::NONE).await.unwrap_err();
    says(
        &error,
        Class::Missing,
        &[&file.path().display().to_string()],
    );
    assert!(!db.is_open());
}

#[tokio::test]
async fn opening_a_locked_database_ends_at_the_deadline() {
    let file = SqliteFile::new();
    let db = writer(&file).await;
    db.batch(
        "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE t (a)",
        Deadline::NONE,
    )
    .await
    .unwrap();
    let connector = Connector::new(Endpoint::file(file.path()), Options::writer());
    let error = connector.connect(within(80)).await.map(drop).unwrap_err();
    says(
        &error,
        Class::Timeout {
            stage: Stage::Connect,
        },
        &[&file.path().display().to_string()],
    );
    let quick = Options {
        busy_timeout: Duration::from_millis(20),
        ..Options::writer()
    };
    says(
        &refused(file.path(), quick).await,
        Class::Busy,
        &["locked", "busy_timeout"],
    );
}

#[tokio::test]
async fn odd_names_are_names() {
    let file = SqliteFile::new();
    for name in ["a b?c#d%41.db", "file:x.db", "ünï.db"] {
        let path = file.directory().join(name);
        let connector = Connector::new(Endpoint::file(&path), Options::writer());
        let db = connector.connect(Deadline::NONE).await.unwrap();
        execute(&db, "CREATE TABLE t (a)").await.unwrap();
        assert!(path.exists(), "{name}");
    }
}
