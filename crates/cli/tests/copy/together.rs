//! Two copies into one target are kept apart.

use std::process::Child;
use std::time::Duration;

use underpin::Database;
use underpin_testkit::{Postgres, or_skip};

use crate::place::{InPlace, Place, copy, postgres, spawn, sqlite};

const ON_SQLITE: &str = "
CREATE TABLE a (id INTEGER, v TEXT);
CREATE TABLE b (id INTEGER, v TEXT);
WITH RECURSIVE up(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM up WHERE i < 3000)
INSERT INTO a SELECT i, 'x' FROM up;
INSERT INTO b SELECT id, v FROM a;";

/// Makes the server wait for a lock at a row in the middle of `b`.
const WAITS: &str = "
CREATE TABLE a (id bigint, v text);
CREATE TABLE b (id bigint, v text);
CREATE FUNCTION waits() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NEW; END';
CREATE TRIGGER waits BEFORE INSERT ON b FOR EACH ROW WHEN (NEW.id = 2000) EXECUTE FUNCTION waits();";

/// Waits until a run has finished its first table.
async fn until_first_is_there(run: &mut Child, to: &Place, names: &str) {
    loop {
        assert!(run.try_wait().unwrap().is_none(), "it waits in its second");
        let there = to.rows(names).await.iter().any(|name| name == "a");
        if there && to.count("a").await == 3000 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Every row of both tables is there once, though they have no key.
async fn each_row_is_there_once(to: &Place) {
    for table in ["a", "b"] {
        let sql = format!("SELECT count(*), count(DISTINCT id) FROM {table}");
        assert_eq!(to.rows(&sql).await, ["3000|3000"], "{table}");
    }
}

#[tokio::test]
async fn a_second_copy_into_postgres_is_refused_until_the_first_has_ended() {
    let server = or_skip!(Postgres::shared());
    let (from, to) = (sqlite(), postgres(server, "together"));
    from.batch(ON_SQLITE).await;
    to.batch(WAITS).await;
    let gate = Database::connect(to.url()).await.unwrap();
    let held = gate.acquire().await.unwrap();
    held.query("SELECT pg_advisory_lock(7)", ()).await.unwrap();
    let mut run = spawn(&from, &to, &[]);
    let names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'";
    until_first_is_there(&mut run, &to, names).await;
    for more in [&[][..], &["--on-conflict", "replace"], &["--tables", "b"]] {
        copy(&from, &to, more).expect(
            4,
            &[
                "Another copy into the target is at work (process ",
                "nothing was copied",
            ],
        );
    }
    // A look takes no lock.
    copy(&from, &to, &["--dry-run"]).expect(0, &["main.b to public.b"]);
    held.query("SELECT pg_advisory_unlock(7)", ())
        .await
        .unwrap();
    assert!(run.wait().unwrap().success());
    each_row_is_there_once(&to).await;
    copy(&from, &to, &[]).expect(0, &["equal before"]);
    each_row_is_there_once(&to).await;
}

#[tokio::test]
async fn a_second_copy_into_sqlite_is_refused_until_the_first_has_ended() {
    let server = or_skip!(Postgres::shared());
    let (from, to) = (postgres(server, "together"), sqlite());
    from.batch(
        "CREATE TABLE a (id bigint, v text); CREATE TABLE b (id bigint, v text);
         INSERT INTO a SELECT n, 'x' FROM generate_series(1, 3000) n;
         INSERT INTO b SELECT * FROM a",
    )
    .await;
    let gate = Database::connect(from.url()).await.unwrap();
    let held = gate.acquire().await.unwrap();
    held.query("SELECT pg_advisory_lock(7)", ()).await.unwrap();
    let waits = [
        "--create",
        "--where",
        "b=id <> 2000 OR pg_advisory_xact_lock_shared(7) IS NOT NULL",
    ];
    let mut run = spawn(&from, &to, &waits);
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table'";
    until_first_is_there(&mut run, &to, names).await;
    copy(&from, &to, &["--create"]).expect(
        4,
        &[&format!(
            "Another copy into the target is at work (process {}); nothing was copied",
            run.id()
        )],
    );
    held.query("SELECT pg_advisory_unlock(7)", ())
        .await
        .unwrap();
    assert!(run.wait().unwrap().success());
    each_row_is_there_once(&to).await;
    // The lock of a run that was killed is free.
    held.query("SELECT pg_advisory_lock(7)", ()).await.unwrap();
    let other = sqlite();
    let mut run = spawn(&from, &other, &waits);
    until_first_is_there(&mut run, &other, names).await;
    run.kill().unwrap();
    run.wait().unwrap();
    copy(&from, &other, &["--create"]).expect(0, &["An earlier run had not ended", "equal"]);
    each_row_is_there_once(&other).await;
}

#[tokio::test]
async fn many_copies_at_once_leave_each_row_once() {
    let server = or_skip!(Postgres::shared());
    for to in [sqlite(), postgres(server, "at_once")] {
        let from = sqlite();
        from.batch(ON_SQLITE).await;
        let mut runs: Vec<Child> = (0..6).map(|_| spawn(&from, &to, &["--create"])).collect();
        let ended = runs.iter_mut().map(|run| run.wait().unwrap());
        assert!(ended.filter(|status| status.success()).count() >= 1);
        each_row_is_there_once(&to).await;
        copy(&from, &to, &[]).expect(0, &["equal before"]);
        let left = match &to {
            Place::Sqlite(_) => "SELECT count(*) FROM sqlite_schema WHERE name = '_underpin_copy'",
            Place::Postgres(_) => {
                "SELECT count(*) FROM pg_tables WHERE tablename = '_underpin_copy'"
            }
        };
        assert_eq!(to.rows(left).await, ["0"]);
    }
}
