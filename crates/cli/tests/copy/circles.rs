//! Tables that refer to one another and to themselves.

use underpin_testkit::{Postgres, or_skip};

use crate::place::{InPlace, copy, postgres, sqlite};

/// A circle of two tables, and one that refers to itself, whose rows refer to later ones.
const TABLES: &str = "
CREATE TABLE users (id integer PRIMARY KEY, team integer NOT NULL, boss integer REFERENCES users (id));
CREATE TABLE teams (id integer PRIMARY KEY, lead integer NOT NULL REFERENCES users (id));
CREATE TABLE items (id integer PRIMARY KEY, of integer NOT NULL REFERENCES teams (id));";
const CLOSED: &str = "
ALTER TABLE users ADD CONSTRAINT users_team_fkey FOREIGN KEY (team) REFERENCES teams (id);";
const ROWS: &str = "
BEGIN;
ALTER TABLE users DROP CONSTRAINT users_team_fkey;
INSERT INTO users SELECT n, 1 + n % 10, CASE WHEN n < 30000 THEN 30001 - n END FROM generate_series(1, 30000) n;
INSERT INTO teams SELECT n, n FROM generate_series(1, 10) n;
INSERT INTO items SELECT n, 1 + n % 10 FROM generate_series(1, 100) n;
ALTER TABLE users ADD CONSTRAINT users_team_fkey FOREIGN KEY (team) REFERENCES teams (id);
COMMIT;";

const KEYS: &str = "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated
    AND conrelid::regclass::text IN ('users', 'teams', 'items')";

#[tokio::test]
async fn circles_are_copied_into_tables_that_have_their_keys() {
    let server = or_skip!(Postgres::shared());
    let (from, to) = (postgres(server, "circle"), postgres(server, "circle_copy"));
    from.batch(&format!("{TABLES}{CLOSED}{ROWS}")).await;
    to.batch(&format!("{TABLES}{CLOSED}")).await;
    copy(&from, &to, &[]).expect(0, &["equal"]);
    assert_eq!(to.count("users").await, 30_000);
    assert_eq!(to.rows(KEYS).await, ["4"]);
    // Copied again, from where rows were changed.
    from.batch("DELETE FROM items WHERE id = 7; UPDATE users SET boss = NULL WHERE id = 1")
        .await;
    copy(&from, &to, &[]).expect(2, &["has other rows in", "nothing was copied"]);
    copy(&from, &to, &["--on-conflict", "replace"]).expect(0, &["equal"]);
    assert_eq!(to.count("items").await, 99);
    assert_eq!(to.rows(KEYS).await, ["4"]);
}

#[tokio::test]
async fn circles_go_to_sqlite_and_come_back() {
    let server = or_skip!(Postgres::shared());
    let (from, file) = (postgres(server, "circle"), sqlite());
    let back = postgres(server, "circle_back");
    from.batch(&format!("{TABLES}{CLOSED}{ROWS}")).await;
    copy(&from, &file, &["--create"]).expect(0, &["equal"]);
    copy(&file, &back, &["--create"]).expect(0, &["equal"]);
    let sum = "SELECT count(*), sum(team), sum(boss) FROM users";
    assert_eq!(from.rows(sum).await, back.rows(sum).await);
    assert_eq!(back.rows(KEYS).await, ["4"]);
}

#[tokio::test]
async fn rows_that_refer_to_nothing_are_counted() {
    let (from, to) = (sqlite(), sqlite());
    from.batch(
        "PRAGMA foreign_keys = OFF;
         CREATE TABLE a (id INTEGER PRIMARY KEY);
         CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER REFERENCES a (id));
         INSERT INTO a VALUES (1);
         INSERT INTO b VALUES (1, 1), (2, 7)",
    )
    .await;
    let said = [
        "main.b: 1 rows refer to rows that do not exist",
        "broken references",
    ];
    copy(&from, &to, &["--create"]).expect(1, &said);
    assert_eq!(to.count("b").await, 2);
}
