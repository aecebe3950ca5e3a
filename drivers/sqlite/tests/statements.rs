//! Single statements: counts, parameters, effects, and which of them read or change the session.

mod common;

use common::{call, execute, memory, one, rows};
use underpin_core::driver::{Connection as _, ConnectionExt as _, Pooled as _, SessionState};
use underpin_core::{Class, Deadline, Effect, Role, Value, ValueRow};

#[tokio::test]
async fn execute_counts_what_changed_or_was_read() {
    let db = memory().await;
    assert_eq!(db.role(), Role::Primary);
    assert_eq!(
        execute(&db, "CREATE TABLE t (a INTEGER UNIQUE)")
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        execute(&db, "INSERT INTO t VALUES (1), (2), (3)")
            .await
            .unwrap(),
        3
    );
    // SQLite still remembers the 3.
    assert_eq!(execute(&db, "CREATE TABLE u (a)").await.unwrap(), 0);
    assert_eq!(execute(&db, "SELECT * FROM t").await.unwrap(), 3);
    assert_eq!(
        execute(&db, "UPDATE t SET a = -a WHERE a < 3 RETURNING a")
            .await
            .unwrap(),
        2
    );
    assert_eq!(execute(&db, "DELETE FROM t WHERE a = 99").await.unwrap(), 0);
    assert_eq!(db.state(), SessionState::Clean);
}

#[tokio::test]
async fn parameters_of_every_spelling() {
    let db = memory().await;
    let params = [Value::I32(1), Value::Text("b".into())];
    for sql in ["SELECT $1, $2", "SELECT ?1, ?2", "SELECT ?, ?"] {
        let found: Vec<(i64, String)> = db.query(call(sql, &params), 9).await.unwrap();
        assert_eq!(found, [(1, "b".to_owned())], "{sql}");
    }
    let error = db.execute(call("SELECT $1", &params)).await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Data, Effect::NotSent)
    );
    let error = db
        .execute(call("SELECT $1", &[Value::F64(f64::NAN)]))
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Data, Effect::NotSent)
    );
}

#[tokio::test]
async fn only_one_statement_but_in_a_batch() {
    let db = memory().await;
    let both = "CREATE TABLE t (a); INSERT INTO t VALUES (1)";
    let error = execute(&db, both).await.unwrap_err();
    assert_eq!(error.class(), Class::Syntax);
    assert!(error.to_string().contains("batch"), "{error}");
    db.batch(both, Deadline::NONE).await.unwrap();
    assert_eq!(one::<i64>(&db, "SELECT a FROM t").await, 1);
}

#[tokio::test]
async fn a_batch_that_fails_says_where_and_what_stays() {
    let db = memory().await;
    let error = db
        .batch("SELECT 1; SELEC 2", Deadline::NONE)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("Statement 2 of the batch failed. "),
        "{error}"
    );
    assert_eq!(error.effect(), Effect::RolledBack);
    let error = db.batch(
        "CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES (1); INSERT INTO t VALUES (1)",
        Deadline::NONE,
    );
    let error = error.await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Constraint, Effect::Applied)
    );
    assert_eq!(one::<i64>(&db, "SELECT count(*) FROM t").await, 1);
    let error = db.batch(
        "BEGIN; INSERT INTO t VALUES (2); INSERT OR ROLLBACK INTO t VALUES (1)",
        Deadline::NONE,
    );
    assert_eq!(error.await.unwrap_err().effect(), Effect::RolledBack);
    assert_eq!(one::<i64>(&db, "SELECT count(*) FROM t").await, 1);
    assert_eq!(db.state(), SessionState::Clean);
}

#[tokio::test]
async fn errors_have_class_effect_and_constraint() {
    let db = memory().await;
    db.batch(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, age INTEGER CONSTRAINT grown CHECK (age >= 18));
         CREATE TABLE orders (owner INTEGER NOT NULL REFERENCES users);
         INSERT INTO users VALUES (1, 'a@example.com', 30)",
        Deadline::NONE,
    )
    .await
    .unwrap();
    let cases = [
        (
            "INSERT INTO users VALUES (2, 'a@example.com', 30)",
            Class::Constraint,
            Some("users_email_key"),
        ),
        (
            "INSERT INTO users VALUES (1, 'b@example.com', 30)",
            Class::Constraint,
            Some("users_pkey"),
        ),
        (
            "INSERT INTO users VALUES (2, NULL, 30)",
            Class::Constraint,
            Some("users_email_not_null"),
        ),
        (
            "INSERT INTO users VALUES (2, 'b@example.com', 3)",
            Class::Constraint,
            Some("grown"),
        ),
        ("INSERT INTO orders VALUES (7)", Class::Constraint, None),
        (
            "INSERT INTO users VALUES ('x', 'b@example.com', 30)",
            Class::Data,
            None,
        ),
        ("SELEC 1", Class::Syntax, None),
        ("SELECT nothing FROM users", Class::Syntax, None),
        ("SELECT 1 FROM elsewhere", Class::Missing, None),
    ];
    for (sql, class, constraint) in cases {
        let error = execute(&db, sql).await.unwrap_err();
        assert_eq!(error.class(), class, "{error}");
        assert_eq!(error.effect(), Effect::RolledBack, "{error}");
        assert_eq!(error.constraint(), constraint, "{error}");
        assert!(error.code().is_some() && std::error::Error::source(&error).is_some());
    }
    let error = execute(
        &db,
        "INSERT OR FAIL INTO users VALUES (2, 'b', 30), (1, 'c', 30)",
    )
    .await
    .unwrap_err();
    assert_eq!(error.effect(), Effect::Applied, "the first row stays");
    assert_eq!(one::<i64>(&db, "SELECT count(*) FROM users").await, 2);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_does_not_undo_the_statement() {
    let db = memory().await;
    execute(&db, "CREATE TABLE t (a)").await.unwrap();
    let insert = "INSERT INTO t VALUES ('x'), ('y'), ('z') RETURNING a";
    let error = db.query::<i64>(call(insert, &[]), 9).await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Data, Effect::Applied)
    );
    assert_eq!(one::<i64>(&db, "SELECT count(*) FROM t").await, 3);
    let error = db
        .query::<(i64, i64)>(call(insert, &[]), 9)
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Data, Effect::NotSent)
    );
    assert_eq!(one::<i64>(&db, "SELECT count(*) FROM t").await, 3);
    let found: Vec<String> = db.query(call(insert, &[]), 1).await.unwrap();
    assert_eq!(found, ["x"]);
    assert_eq!(
        one::<i64>(&db, "SELECT count(*) FROM t").await,
        6,
        "the limit is on what is read"
    );
}

#[tokio::test]
async fn sqlite_reports_statements_that_only_read() {
    let db = memory().await;
    execute(&db, "CREATE TABLE t (a)").await.unwrap();
    for sql in [
        "SELECT * FROM t",
        " /* a */ select 1",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "VALUES (1)",
        "EXPLAIN QUERY PLAN DELETE FROM t",
        "PRAGMA table_info(t)",
        "PRAGMA user_version",
    ] {
        assert_eq!(db.only_reads(sql).await.unwrap(), Some(true), "{sql}");
    }
    for sql in [
        "INSERT INTO t VALUES (1)",
        "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
        "BEGIN",
        "SAVEPOINT s",
        "COMMIT",
        "ATTACH ':memory:' AS x",
        "PRAGMA user_version = 3",
        "VACUUM",
        "CREATE TABLE u (a)",
        "PRAGMA foreign_keys = OFF",
        "EXPLAIN PRAGMA foreign_keys = OFF",
    ] {
        assert_eq!(db.only_reads(sql).await.unwrap(), Some(false), "{sql}");
    }
    assert_eq!(
        db.only_reads("SELECT FROM").await.unwrap_err().class(),
        Class::Syntax
    );
    assert_eq!(
        one::<i64>(&db, "PRAGMA foreign_keys").await,
        1,
        "asking changed nothing"
    );
    assert_eq!(
        db.state(),
        SessionState::Clean,
        "a PRAGMA that only looks changes nothing either"
    );
}

#[tokio::test]
async fn reset_makes_the_session_as_new() {
    let db = memory().await;
    db.batch(
        "CREATE TABLE kept (a); PRAGMA foreign_keys = OFF; PRAGMA query_only = OFF; PRAGMA busy_timeout = 1;
         ATTACH ':memory:' AS \"o\"\"ther\"; CREATE TEMP TABLE t (a); CREATE TEMP VIEW v AS SELECT * FROM t;
         CREATE TEMP TRIGGER r AFTER INSERT ON kept BEGIN DELETE FROM kept; END; BEGIN; INSERT INTO t VALUES (1)",
        Deadline::NONE,
    )
    .await
    .unwrap();
    assert_eq!(db.state(), SessionState::InTransaction);
    db.reset(Deadline::NONE).await.unwrap();
    assert_eq!(db.state(), SessionState::Clean);
    let attached = "SELECT name FROM pragma_database_list WHERE name <> 'temp'";
    assert_eq!(rows::<String>(&db, attached).await, ["main"]);
    assert_eq!(
        one::<i64>(&db, "SELECT count(*) FROM temp.sqlite_schema").await,
        0
    );
    assert_eq!(
        one::<i64>(&db, "SELECT count(*) FROM sqlite_schema").await,
        1
    );
    assert_eq!(one::<i64>(&db, "PRAGMA foreign_keys").await, 1);
}

#[tokio::test]
async fn the_native_client_is_at_hand() {
    let db = memory().await;
    let changes = db.with_client(Deadline::NONE, |conn| {
        conn.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
            .unwrap();
        conn.changes()
    });
    assert_eq!(changes.await.unwrap(), 1);
    assert_eq!(db.state(), SessionState::Changed);
    db.reset(Deadline::NONE).await.unwrap();
    assert_eq!(db.state(), SessionState::Clean);
    db.ping(Deadline::NONE).await.unwrap();
    let panic = tokio::spawn(async move {
        let _ = db
            .with_client(Deadline::NONE, |_| panic!("the caller's own"))
            .await;
        db
    });
    assert!(
        panic.await.unwrap_err().is_panic(),
        "the panic goes to the caller"
    );
}

#[tokio::test]
async fn a_kept_statement_follows_the_schema() {
    let db = memory().await;
    db.batch(
        "CREATE TABLE t (a); INSERT INTO t VALUES (1)",
        Deadline::NONE,
    )
    .await
    .unwrap();
    assert_eq!(
        one::<ValueRow>(&db, "SELECT * FROM t").await.values().len(),
        1
    );
    execute(&db, "ALTER TABLE t ADD COLUMN b DEFAULT 2")
        .await
        .unwrap();
    assert_eq!(one::<(i64, i64)>(&db, "SELECT * FROM t").await, (1, 2));
}
