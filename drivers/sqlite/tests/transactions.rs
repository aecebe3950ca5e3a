//! The states of a session, and the outcomes of transactions.

mod common;

use std::time::Duration;

use common::{execute, memory, one, open, writer};
use underpin_core::driver::{Connection as _, Pooled as _, SessionState};
use underpin_core::{Class, Deadline, Effect, Isolation, TransactionOptions};
use underpin_sqlite::Options;
use underpin_testkit::SqliteFile;

const WRITES: TransactionOptions = TransactionOptions {
    isolation: None,
    read_only: false,
    deferrable: false,
};

#[tokio::test]
async fn begin_commit_and_rollback() {
    let db = memory().await;
    execute(&db, "CREATE TABLE t (a)").await.unwrap();
    for (commit, expected) in [(true, 1), (false, 1)] {
        let options = TransactionOptions {
            isolation: Some(Isolation::ReadCommitted),
            ..WRITES
        };
        db.begin(options, Deadline::NONE).await.unwrap();
        assert_eq!(db.state(), SessionState::InTransaction);
        execute(&db, "INSERT INTO t VALUES (1)").await.unwrap();
        if commit {
            db.commit().await.unwrap();
        } else {
            db.rollback(Deadline::NONE).await.unwrap();
        }
        assert_eq!(db.state(), SessionState::Clean);
        assert_eq!(one::<i64>(&db, "SELECT count(*) FROM t").await, expected);
    }
    db.rollback(Deadline::NONE).await.unwrap();
    assert_eq!(db.commit().await.unwrap_err().class(), Class::Closed);
    db.begin(WRITES, Deadline::NONE).await.unwrap();
    let error = db.begin(WRITES, Deadline::NONE).await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Unsupported, Effect::NotSent)
    );
    assert_eq!(db.state(), SessionState::InTransaction);
}

#[tokio::test]
async fn a_failed_statement_leaves_the_transaction_as_it_was() {
    let db = memory().await;
    execute(&db, "CREATE TABLE t (a UNIQUE)").await.unwrap();
    db.begin(WRITES, Deadline::NONE).await.unwrap();
    execute(&db, "INSERT INTO t VALUES (1)").await.unwrap();
    execute(&db, "INSERT INTO t VALUES (1)").await.unwrap_err();
    assert_eq!(db.state(), SessionState::InTransaction);
    db.commit().await.unwrap();
    assert_eq!(one::<i64>(&db, "SELECT count(*) FROM t").await, 1);
}

#[tokio::test]
async fn a_transaction_that_sqlite_rolled_back_takes_no_more_statements() {
    let db = memory().await;
    execute(&db, "CREATE TABLE t (a UNIQUE)").await.unwrap();
    let fail = || async {
        db.begin(WRITES, Deadline::NONE).await.unwrap();
        execute(&db, "INSERT INTO t VALUES (1)").await.unwrap();
        let error = execute(&db, "INSERT OR ROLLBACK INTO t VALUES (1)")
            .await
            .unwrap_err();
        assert_eq!(error.effect(), Effect::RolledBack);
        assert_eq!(db.state(), SessionState::Failed);
        let error = execute(&db, "INSERT INTO t VALUES (2)").await.unwrap_err();
        assert_eq!(
            (error.class(), error.effect()),
            (Class::Constraint, Effect::NotSent)
        );
        assert_eq!(db.state(), SessionState::Failed);
    };
    fail().await;
    db.rollback(Deadline::NONE).await.unwrap();
    assert_eq!(db.state(), SessionState::Clean);
    fail().await;
    let error = db.commit().await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Constraint, Effect::RolledBack)
    );
    assert_eq!(db.state(), SessionState::Clean);
    fail().await;
    db.reset(Deadline::NONE).await.unwrap();
    fail().await;
    execute(&db, "ROLLBACK").await.unwrap();
    assert_eq!(one::<i64>(&db, "SELECT count(*) FROM t").await, 0);
}

#[tokio::test]
async fn a_commit_that_fails_is_rolled_back() {
    let db = memory().await;
    db.batch(
        "CREATE TABLE parent (id INTEGER PRIMARY KEY);
         CREATE TABLE child (p REFERENCES parent DEFERRABLE INITIALLY DEFERRED)",
        Deadline::NONE,
    )
    .await
    .unwrap();
    db.begin(WRITES, Deadline::NONE).await.unwrap();
    execute(&db, "INSERT INTO child VALUES (1)").await.unwrap();
    let error = db.commit().await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Constraint, Effect::RolledBack)
    );
    assert_eq!(db.state(), SessionState::Clean);
    assert_eq!(one::<i64>(&db, "SELECT count(*) FROM child").await, 0);
}

#[tokio::test]
async fn a_read_only_transaction_refuses_writes_and_sees_one_state() {
    let file = SqliteFile::new();
    let (db, other) = (writer(&file).await, writer(&file).await);
    execute(&db, "CREATE TABLE t (a)").await.unwrap();
    let options = TransactionOptions {
        read_only: true,
        ..WRITES
    };
    db.begin(options, Deadline::NONE).await.unwrap();
    assert_eq!(one::<i64>(&db, "SELECT count(*) FROM t").await, 0);
    execute(&other, "INSERT INTO t VALUES (1)").await.unwrap();
    assert_eq!(one::<i64>(&db, "SELECT count(*) FROM t").await, 0);
    let error = execute(&db, "INSERT INTO t VALUES (2)").await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::ReadOnly, Effect::RolledBack)
    );
    db.commit().await.unwrap();
    execute(&db, "INSERT INTO t VALUES (2)").await.unwrap();
    assert_eq!(one::<i64>(&db, "SELECT count(*) FROM t").await, 2);
    // If the caller's own statement ends it, it has ended as well.
    db.begin(options, Deadline::NONE).await.unwrap();
    execute(&db, "COMMIT").await.unwrap();
    execute(&db, "INSERT INTO t VALUES (3)").await.unwrap();
    assert_eq!(db.state(), SessionState::Clean);
}

#[tokio::test]
async fn a_writer_waits_for_the_lock_and_then_gets_busy() {
    let file = SqliteFile::new();
    let db = writer(&file).await;
    let quick = Options {
        busy_timeout: Duration::from_millis(60),
        ..Options::writer()
    };
    let other = open(&file, quick).await.unwrap();
    execute(&db, "CREATE TABLE t (a)").await.unwrap();
    db.begin(WRITES, Deadline::NONE).await.unwrap();
    let error = other.begin(WRITES, Deadline::NONE).await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Busy, Effect::RolledBack)
    );
    assert!(
        error
            .to_string()
            .contains(&file.path().display().to_string()),
        "{error}"
    );
    let error = execute(&other, "INSERT INTO t VALUES (1)")
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Busy, Effect::RolledBack)
    );
    assert_eq!(other.state(), SessionState::Clean);
    db.commit().await.unwrap();
    execute(&other, "INSERT INTO t VALUES (1)").await.unwrap();
}
