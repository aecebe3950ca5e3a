//! `effect()` is true to what happened to a statement: each case is cut at its point by a proxy in
//! front of a real server, and the server is asked afterwards.

use std::time::Duration;

use underpin::{Class, Database, Effect, Error};
use underpin_testkit::{CutPoint, Postgres, Proxy, TestDatabase, or_skip};

use crate::place::{eventually, small};

struct Scene {
    database: TestDatabase,
    proxy: Proxy,
    db: Database,
}

impl Scene {
    async fn new(server: &'static Postgres, test: &str) -> Scene {
        let database = server.database(test);
        let proxy = Proxy::before(server);
        let client = database.client().await;
        client
            .batch_execute("CREATE TABLE t (n int PRIMARY KEY, note text)")
            .await
            .unwrap();
        let db = small(&database.url_through(&proxy), 1).await;
        // The connection has already prepared the statement, so that its execution is cut.
        db.execute(INSERT, (0, "first")).await.unwrap();
        Scene {
            database,
            proxy,
            db,
        }
    }

    async fn rows(&self, n: i32) -> i64 {
        let client = self.database.client().await;
        let sql = "SELECT count(*) FROM t WHERE n = $1";
        client.query_one(sql, &[&n]).await.unwrap().get(0)
    }

    /// Compares the error's effect with the rows on the server.
    async fn assert_truth(&self, error: &Error, expected: Effect, n: i32, rows: i64) {
        assert_eq!(error.effect(), expected, "{error}");
        // The server may still be rolling back when the client already knows that it was cut off.
        eventually("the server has what is expected", async || {
            self.rows(n).await == rows
        })
        .await;
        match expected {
            Effect::NotSent | Effect::RolledBack => assert_eq!(rows, 0, "{error}"),
            Effect::Applied => assert_eq!(rows, 1, "{error}"),
            Effect::Unknown => {}
        }
        // The pool has noticed: the next statement runs on another connection.
        self.db.execute(INSERT, (n + 1000, "after")).await.unwrap();
    }
}

const INSERT: &str = "INSERT INTO t VALUES ($1, $2)";

#[tokio::test]
async fn cut_before_the_statement_is_written() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "cut_before").await;
    let lease = scene.db.acquire().await.unwrap();
    scene.proxy.cut();
    eventually("the connection has noticed", async || {
        use underpin_postgres::Connection;
        let connection: &Connection = lease.postgres().unwrap();
        !is_open(connection)
    })
    .await;
    let error = lease.execute(INSERT, (1, "never")).await.unwrap_err();
    assert_eq!(error.class(), Class::Connect, "{error}");
    drop(lease);
    scene.assert_truth(&error, Effect::NotSent, 1, 0).await;
}

fn is_open(connection: &underpin_postgres::Connection) -> bool {
    use underpin_core::driver::Pooled;
    connection.is_open()
}

#[tokio::test]
async fn cut_while_the_statement_is_written() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "cut_while").await;
    scene
        .proxy
        .arm(CutPoint::while_statement_arrives(64 * 1024));
    let huge = "x".repeat(64 << 20);
    let error = scene.db.execute(INSERT, (2, huge)).await.unwrap_err();
    assert_eq!(error.class(), Class::Connect, "{error}");
    scene.assert_truth(&error, Effect::RolledBack, 2, 0).await;
}

#[tokio::test]
async fn cut_before_the_answer() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "cut_answer").await;
    scene.proxy.arm(CutPoint::before_answer("INSERT INTO t"));
    let error = scene
        .db
        .execute(INSERT, (3, "unanswered"))
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Connect, "{error}");
    scene.proxy.cut_happened().await;
    // It took effect, and this side cannot know that.
    scene.assert_truth(&error, Effect::Unknown, 3, 1).await;
}

#[tokio::test]
async fn cut_before_the_statement_reached_the_server_is_as_unknown() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "cut_on_the_way").await;
    scene
        .proxy
        .arm(CutPoint::before_statement_forwarded("INSERT INTO t"));
    let error = scene.db.execute(INSERT, (4, "lost")).await.unwrap_err();
    scene.proxy.cut_happened().await;
    scene.assert_truth(&error, Effect::Unknown, 4, 0).await;
}

#[tokio::test]
async fn cut_after_the_answer_and_before_commit() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "cut_before_commit").await;
    let tx = scene.db.begin().await.unwrap();
    scene.proxy.arm(CutPoint::after_answer("INSERT INTO t"));
    tx.execute(INSERT, (5, "in a transaction")).await.unwrap();
    scene.proxy.cut_happened().await;
    // Whether the commit finds the connection dead or breaks on it, the transaction is gone.
    let error = loop_until_noticed(&scene, tx).await;
    assert_eq!(error.class(), Class::Connect, "{error}");
    assert!(
        matches!(error.effect(), Effect::NotSent | Effect::RolledBack),
        "{error:?}"
    );
    let effect = error.effect();
    scene.assert_truth(&error, effect, 5, 0).await;
}

async fn loop_until_noticed(scene: &Scene, tx: underpin::Transaction) -> Error {
    eventually("the pool knows that the connection is lost", async || {
        tx.execute("SELECT 1", ()).await.is_err()
    })
    .await;
    let _ = scene;
    tx.commit().await.unwrap_err()
}

#[tokio::test]
async fn cut_before_the_answer_within_a_transaction_is_rolled_back() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "cut_within").await;
    let tx = scene.db.begin().await.unwrap();
    scene.proxy.arm(CutPoint::before_answer("INSERT INTO t"));
    let error = tx
        .execute(INSERT, (6, "in a transaction"))
        .await
        .unwrap_err();
    drop(tx);
    scene.assert_truth(&error, Effect::RolledBack, 6, 0).await;
}

#[tokio::test]
async fn cut_during_commit() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "cut_commit").await;
    let tx = scene.db.begin().await.unwrap();
    tx.execute(INSERT, (7, "in a transaction")).await.unwrap();
    scene.proxy.arm(CutPoint::before_answer("COMMIT"));
    let error = tx.commit().await.unwrap_err();
    scene.proxy.cut_happened().await;
    scene.assert_truth(&error, Effect::Unknown, 7, 1).await;
}

#[tokio::test]
async fn a_row_that_cannot_be_decoded_after_insert_returning_was_applied() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "decode_returning").await;
    let insert = "INSERT INTO t VALUES ($1, 'x') RETURNING n, note";
    // The note is text, and is read as a number.
    let error = scene
        .db
        .query_as::<(i32, i64)>(insert, (8,))
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Data, "{error}");
    assert!(error.to_string().contains("\"note\""), "{error}");
    scene.assert_truth(&error, Effect::Applied, 8, 1).await;
}

#[tokio::test]
async fn an_error_of_the_server_rolls_back() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "server_error").await;
    let sql = "INSERT INTO t SELECT 9, (1 / (n - n))::text FROM t";
    let error = scene.db.execute(sql, ()).await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("22012"));
    scene.assert_truth(&error, Effect::RolledBack, 9, 0).await;
}

#[tokio::test]
async fn committing_a_failed_transaction_says_that_it_was_rolled_back() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "failed_commit").await;
    let tx = scene.db.begin().await.unwrap();
    tx.execute(INSERT, (10, "x")).await.unwrap();
    tx.execute("SELECT 1/0", ()).await.unwrap_err();
    let error = tx.commit().await.unwrap_err();
    scene.assert_truth(&error, Effect::RolledBack, 10, 0).await;
}

#[tokio::test]
async fn only_idempotent_statements_are_retried() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "idempotent").await;
    let upsert = "INSERT INTO t VALUES ($1, 'again') ON CONFLICT (n) DO UPDATE SET note = 'twice'";
    let patient = scene
        .db
        .idempotent()
        .retries(1)
        .unwrap()
        .deadline(Duration::from_secs(20));
    patient.execute(upsert, (11,)).await.unwrap();
    scene.proxy.arm(CutPoint::before_answer("ON CONFLICT"));
    patient.execute(upsert, (12,)).await.unwrap();
    assert_eq!(scene.rows(12).await, 1);
    let note: String = scene
        .db
        .query_scalar("SELECT note FROM t WHERE n = 12", ())
        .await
        .unwrap();
    assert_eq!(note, "twice");
}

#[tokio::test]
async fn sqlite_tells_effects_apart_too() {
    let db = Database::connect("sqlite::memory:").await.unwrap();
    db.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, note TEXT)", ())
        .await
        .unwrap();
    let insert = "INSERT INTO t VALUES ($1, 'x') RETURNING note";
    let error = db.query_as::<i64>(insert, (1,)).await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Data, Effect::Applied),
        "{error}"
    );
    let error = db.query_as::<String>(insert, (1,)).await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Constraint, Effect::RolledBack)
    );
    let count: i64 = db.query_scalar("SELECT count(*) FROM t", ()).await.unwrap();
    assert_eq!(count, 1);
}
