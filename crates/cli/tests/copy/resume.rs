//! A copy that was killed goes on, and each row is there once.

use std::time::Duration;

use underpin::Database;
use underpin_testkit::{Postgres, or_skip};

use crate::place::{InPlace, Place, copy, postgres, spawn, sqlite};

/// Three tables, each with so many rows, on SQLite.
const ON_SQLITE: &str = "
CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT NOT NULL);
CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER REFERENCES a (id), v TEXT NOT NULL);
CREATE TABLE c (id INTEGER PRIMARY KEY, v TEXT NOT NULL);
WITH RECURSIVE up(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM up WHERE i < 60000)
INSERT INTO a SELECT i, 'the value of ' || i FROM up;
INSERT INTO b SELECT id, id, v FROM a;
INSERT INTO c SELECT id, v FROM a;";
const ON_POSTGRES: &str = "
CREATE TABLE a (id integer PRIMARY KEY, v text NOT NULL);
CREATE TABLE b (id integer PRIMARY KEY, a integer REFERENCES a (id), v text NOT NULL);
CREATE TABLE c (id integer PRIMARY KEY, v text NOT NULL);
INSERT INTO a SELECT i, 'the value of ' || i FROM generate_series(1, 60000) i;
INSERT INTO b SELECT id, id, v FROM a;
INSERT INTO c SELECT id, v FROM a;";

const ROWS: i64 = 60_000;

/// How many rows each table has; none where it does not exist.
async fn counts(place: &Place) -> [i64; 3] {
    let mut counts = [0; 3];
    let names = match place {
        Place::Postgres(_) => "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
        Place::Sqlite(_) => "SELECT name FROM sqlite_schema WHERE type = 'table'",
    };
    let there = place.rows(names).await;
    for (count, table) in counts.iter_mut().zip(["a", "b", "c"]) {
        if there.iter().any(|name| name == table) {
            *count = place.count(table).await;
        }
    }
    counts
}

/// Kills a run once `a` is there while it waits in the middle of `b`, and goes on. `waits` are the
/// arguments of the first run, and `freed` lets go of what it waited for.
async fn killed_and_resumed(from: &Place, to: &Place, waits: &[&str], freed: impl AsyncFnOnce()) {
    let mut run = spawn(from, to, waits);
    while counts(to).await[0] != ROWS {
        assert!(
            run.try_wait().unwrap().is_none(),
            "it ended before a table was there"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // SIGKILL.
    run.kill().unwrap();
    run.wait().unwrap();
    freed().await;
    let left = counts(to).await;
    assert_eq!(left, [ROWS, 0, 0], "a table is whole or empty");
    // What changes in the source meanwhile is copied again.
    from.batch("UPDATE a SET v = 'changed' WHERE id = 5").await;
    let said = copy(from, to, &["--create"]).expect(0, &["equal"]);
    assert!(
        said.err.contains("An earlier run had not ended"),
        "{}",
        said.err
    );
    assert_eq!(counts(to).await, [ROWS; 3]);
    assert_eq!(to.rows("SELECT v FROM a WHERE id = 5").await, ["changed"]);
    for table in ["a", "b", "c"] {
        let distinct = format!("SELECT count(DISTINCT id) FROM {table}");
        assert_eq!(to.rows(&distinct).await, [ROWS.to_string()]);
    }
    // Once more, there is nothing to do.
    let said = copy(from, to, &["--create"]).expect(0, &["equal before"]);
    assert!(!said.err.contains("An earlier run"), "{}", said.err);
    assert_eq!(counts(to).await, [ROWS; 3]);
}

/// Makes the server wait for a lock at a row in the middle of `b`.
const WAITS: &str = "
CREATE FUNCTION waits() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NEW; END';
CREATE TRIGGER waits BEFORE INSERT ON b FOR EACH ROW WHEN (NEW.id = 40000) EXECUTE FUNCTION waits();";

#[tokio::test]
async fn a_killed_copy_from_sqlite_to_postgres_goes_on() {
    let server = or_skip!(Postgres::shared());
    let (from, to) = (sqlite(), postgres(server, "resumed"));
    from.batch(ON_SQLITE).await;
    let tables = ON_POSTGRES.split("INSERT").next().unwrap();
    to.batch(&format!("{tables}{WAITS}")).await;
    let lock = Database::connect(to.url()).await.unwrap();
    let held = lock.acquire().await.unwrap();
    held.query("SELECT pg_advisory_lock(7)", ()).await.unwrap();
    let freed = async || {
        held.query("SELECT pg_advisory_unlock(7)", ())
            .await
            .unwrap();
        // The server learns of the end of the run once it asks for its next rows.
        let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
            AND pid <> pg_backend_pid() AND query LIKE 'COPY%'";
        while held.query_scalar::<i64>(others, ()).await.unwrap() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    killed_and_resumed(&from, &to, &["--jobs", "1"], freed).await;
}

#[tokio::test]
async fn a_killed_copy_from_postgres_to_sqlite_goes_on() {
    let server = or_skip!(Postgres::shared());
    let (from, to) = (postgres(server, "resumed"), sqlite());
    from.batch(ON_POSTGRES).await;
    let waits = [
        "--create",
        "--where",
        "b=id <> 40000 OR pg_sleep(600) IS NULL",
    ];
    killed_and_resumed(&from, &to, &waits, async || ()).await;
}

#[tokio::test]
async fn a_table_that_somebody_changed_between_two_runs_is_not_overwritten() {
    let server = or_skip!(Postgres::shared());
    let (from, to) = (
        postgres(server, "touched"),
        postgres(server, "touched_copy"),
    );
    let tables = "CREATE TABLE a (id integer PRIMARY KEY, v text);
                  CREATE TABLE b (id integer PRIMARY KEY, v varchar(3));";
    from.batch(&format!(
        "{tables} INSERT INTO a VALUES (1, 'x'); INSERT INTO b VALUES (1, 'y')"
    ))
    .await;
    to.batch(&tables.replace("varchar(3)", "varchar(1) CHECK (v <> 'y')"))
        .await;
    copy(&from, &to, &["--jobs", "1"]).expect(4, &["public.b, row id = 1"]);
    assert_eq!(to.count("a").await, 1);
    to.batch("UPDATE a SET v = 'own'; ALTER TABLE b DROP CONSTRAINT b_v_check")
        .await;
    copy(&from, &to, &[]).expect(2, &["has other rows in public.a"]);
    copy(&from, &to, &["--on-conflict", "skip"]).expect(0, &["left as it is"]);
    assert_eq!(to.rows("SELECT v FROM a").await, ["own"]);
    assert_eq!(to.count("b").await, 1);
}

#[tokio::test]
async fn all_tables_are_of_one_snapshot() {
    let server = or_skip!(Postgres::shared());
    let (from, to) = (postgres(server, "moving"), sqlite());
    from.batch(
        "CREATE TABLE a (id integer PRIMARY KEY, v text);
         CREATE TABLE b (id integer PRIMARY KEY, v text);
         CREATE TABLE c (id integer PRIMARY KEY, v text);
         INSERT INTO a SELECT n, 'x' FROM generate_series(1, 20000) n;
         INSERT INTO b SELECT * FROM a; INSERT INTO c SELECT * FROM a",
    )
    .await;
    let others = [sqlite(), postgres(server, "moving_copy")];
    for to in [&to, &others[0], &others[1]] {
        let mut run = spawn(&from, to, &["--create", "--jobs", "3"]);
        let mut id = from.rows("SELECT max(id) FROM a").await[0]
            .parse::<i64>()
            .unwrap();
        while run.try_wait().unwrap().is_none() {
            id += 1;
            from.batch(&format!(
                "INSERT INTO a VALUES ({id}, ''); INSERT INTO b VALUES ({id}, '');
                 INSERT INTO c VALUES ({id}, '')"
            ))
            .await;
        }
        assert!(run.wait().unwrap().success());
        let found = counts(to).await;
        assert!(found[0] == found[1] && found[1] == found[2], "{found:?}");
    }
}
