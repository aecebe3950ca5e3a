//! Values that do not fit are named with table, key and column.

use underpin_testkit::{Postgres, or_skip};

use crate::place::{InPlace, copy, postgres, sqlite};

#[tokio::test]
async fn what_sqlite_does_not_hold_is_named() {
    let server = or_skip!(Postgres::shared());
    for (of, value, why) in [
        ("double precision", "'NaN'", "NaN"),
        ("date", "'10000-01-01'", "its year is not from 1 to 9999"),
        (
            "timestamptz",
            "'0044-03-15 00:00+00 BC'",
            "its year is not from 1 to 9999",
        ),
        ("bytea[]", "'{\"\\\\x00\"}'", "an array of bytes"),
    ] {
        let (from, to) = (postgres(server, "misfit"), sqlite());
        from.batch(&format!(
            "CREATE TABLE things (id integer PRIMARY KEY, v {of});
             INSERT INTO things VALUES (1, NULL), (2, {value}), (3, NULL)"
        ))
        .await;
        let named = ["public.things, row id = 2, column \"v\"", why];
        copy(&from, &to, &["--create"]).expect(4, &named);
        assert_eq!(to.count("things").await, 0);
        copy(&from, &to, &["--create", "--skip-bad"]).expect(
            1,
            &["left out: public.things, row id = 2", why, "rows left out"],
        );
        assert_eq!(
            to.rows("SELECT id FROM things ORDER BY id").await,
            ["1", "3"]
        );
    }
}

#[tokio::test]
async fn what_postgres_does_not_hold_is_named() {
    let server = or_skip!(Postgres::shared());
    for (declared, of, value, why) in [
        (
            "VARCHAR(5)",
            "varchar(5)",
            "'secret value'",
            "longer than 5 characters",
        ),
        ("TEXT", "text", "'a' || char(0) || 'b'", "NUL"),
        ("SMALLINT", "smallint", "40000", "out of the range"),
        ("TEXT", "date", "'yesterday'", "cannot be read as"),
        ("DECIMAL(6,2)", "numeric(6,2)", "1.234", "after the point"),
        ("JSON", "jsonb", "'{'", "json"),
        ("INTEGER", "integer CHECK (v < 9)", "10", "violates"),
        ("INTEGER", "integer NOT NULL DEFAULT 1", "NULL", "null"),
    ] {
        let (from, to) = (sqlite(), postgres(server, "misfit"));
        from.batch(&format!(
            "CREATE TABLE things (name TEXT, id INTEGER, v {declared}, PRIMARY KEY (id, name));
             INSERT INTO things VALUES ('a', 1, {good}), ('b', 2, {value}), ('c', 3, {good})",
            good = match declared {
                "JSON" => "'{}'",
                "TEXT" if of == "date" => "'2026-01-31'",
                _ => "1",
            }
        ))
        .await;
        to.batch(&format!(
            "CREATE TABLE things (id integer, name text, v {of}, PRIMARY KEY (id, name))"
        ))
        .await;
        let named = ["main.things, row id = 2, name = b, column \"v\"", why];
        let named = match value {
            // The server does not tell the column of a check.
            "10" => ["main.things, row id = 2, name = b", why],
            _ => named,
        };
        let said = copy(&from, &to, &[]).expect(4, &named);
        assert!(!said.err.contains("secret"), "{}", said.err);
        assert_eq!(to.count("things").await, 0, "{of}");
        copy(&from, &to, &["--skip-bad"]).expect(1, &["left out: main.things, row id = 2", why]);
        assert_eq!(
            to.rows("SELECT id FROM things ORDER BY id").await,
            ["1", "3"]
        );
    }
}

#[tokio::test]
async fn many_rows_that_the_server_refuses_are_left_out_and_counted() {
    let server = or_skip!(Postgres::shared());
    let (from, to) = (sqlite(), postgres(server, "refused"));
    from.batch(
        "CREATE TABLE n (id INTEGER PRIMARY KEY, v INTEGER);
         WITH RECURSIVE up(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM up WHERE i < 500)
         INSERT INTO n SELECT i, i % 50 FROM up",
    )
    .await;
    // One here and there, many in a row, and the last ones.
    to.batch(
        "CREATE TABLE n (id integer PRIMARY KEY, v integer,
             CHECK (v > 0 AND id NOT BETWEEN 100 AND 140 AND id < 490))",
    )
    .await;
    let said = copy(&from, &to, &["--skip-bad", "--create"]).expect(1, &["rows left out"]);
    assert_eq!(said.err.matches("left out: main.n, row id = ").count(), 60);
    assert_eq!(to.count("n").await, 440);
    let good = "SELECT count(*) FROM n WHERE v > 0 AND id NOT BETWEEN 100 AND 140 AND id < 490";
    assert_eq!(to.rows(good).await, ["440"]);
}
