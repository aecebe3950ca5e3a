//! Rows and values that a copy once lost silently, or could lose.

use underpin_testkit::{Postgres, or_skip};

use crate::place::{InPlace, copy, postgres, sqlite};

#[tokio::test]
async fn rows_of_a_child_stay_where_its_parent_is_copied_again() {
    let server = or_skip!(Postgres::shared());
    let (from, to) = (postgres(server, "child"), postgres(server, "child_copy"));
    let tables = "CREATE TABLE p (id integer PRIMARY KEY, v text);
         CREATE TABLE c (w integer) INHERITS (p);
         CREATE TABLE z (id integer PRIMARY KEY, v text);";
    from.batch(&format!(
        "{tables} INSERT INTO p VALUES (1, 'a'), (2, 'b'); INSERT INTO c VALUES (11, 'c', 5);
         INSERT INTO z VALUES (1, 'bad')"
    ))
    .await;
    to.batch(tables).await;
    to.batch("ALTER TABLE z ADD CHECK (v <> 'bad')").await;
    copy(&from, &to, &["--jobs", "1"]).expect(4, &["public.z, row id = 1"]);
    from.batch("UPDATE ONLY p SET v = 'x' WHERE id = 1; UPDATE z SET v = 'good'")
        .await;
    copy(&from, &to, &[]).expect(0, &["equal before"]);
    assert_eq!(to.rows("SELECT * FROM c").await, ["11|c|5"]);
    assert_eq!(
        to.rows("SELECT * FROM ONLY p ORDER BY id").await,
        ["1|x", "2|b"]
    );
}

#[tokio::test]
async fn what_was_left_for_the_end_is_not_forgotten() {
    let server = or_skip!(Postgres::shared());
    let (from, to) = (sqlite(), postgres(server, "left_for_the_end"));
    from.batch(
        "CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT);
         CREATE TABLE b (id INTEGER PRIMARY KEY, v DECIMAL(5,2));
         CREATE INDEX of_v ON a (v);
         INSERT INTO a VALUES (1, 'x'); INSERT INTO b VALUES (1, 1.234)",
    )
    .await;
    copy(&from, &to, &["--create"]).expect(4, &["main.b, row id = 1"]);
    from.batch("UPDATE b SET v = 1.23").await;
    let said = [
        "An earlier run with --create has not ended",
        "Say --create again",
    ];
    copy(&from, &to, &[]).expect(2, &said);
    copy(&from, &to, &["--create"]).expect(0, &["An earlier run had not ended"]);
    let indexes = "SELECT count(*) FROM pg_indexes WHERE indexname = 'of_v'";
    assert_eq!(to.rows(indexes).await, ["1"]);
    copy(&from, &to, &[]).expect(0, &["equal before"]);
}

#[tokio::test]
async fn rows_that_were_left_out_before_are_named_again() {
    let server = or_skip!(Postgres::shared());
    let (from, to) = (sqlite(), postgres(server, "left_out"));
    from.batch(
        "CREATE TABLE a (id INTEGER PRIMARY KEY, v VARCHAR(3));
         INSERT INTO a VALUES (1, 'x'), (2, 'too long'), (3, 'y')",
    )
    .await;
    copy(&from, &to, &["--create", "--skip-bad"]).expect(1, &["rows left out"]);
    let again = copy(&from, &to, &["--skip-bad"]).expect(1, &["rows left out"]);
    assert!(again.out.contains(" 2 │        1 │"), "{}", again.out);
    copy(&from, &to, &[]).expect(4, &["main.a, row id = 2"]);
    assert_eq!(to.count("a").await, 2);
}

#[tokio::test]
async fn every_condition_of_a_table_counts() {
    for [one, other] in [["a=id > 1", "a=v = 1"], ["a=id > 1", "main.*=v = 1"]] {
        let (from, to) = (sqlite(), sqlite());
        from.batch(
            "CREATE TABLE a (id INTEGER PRIMARY KEY, v INTEGER);
             INSERT INTO a VALUES (1, 1), (2, 0), (3, 1), (4, 0)",
        )
        .await;
        copy(&from, &to, &["--create", "--where", one, "--where", other]).expect(0, &["equal"]);
        assert_eq!(to.rows("SELECT id FROM a").await, ["3"], "{one} {other}");
    }
}

#[tokio::test]
async fn two_names_that_are_one_in_the_target_are_refused() {
    let server = or_skip!(Postgres::shared());
    let from = postgres(server, "two_names");
    from.batch(
        "CREATE TABLE a (id integer PRIMARY KEY, v text, \"V\" text); INSERT INTO a VALUES (1, 'x', 'y')",
    )
    .await;
    let columns = ["The columns \"v\" and \"V\" of public.a are both the column \"v\" of main.a"];
    let to = sqlite();
    copy(&from, &to, &["--create"]).expect(2, &columns);
    to.batch("CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT)")
        .await;
    copy(&from, &to, &[]).expect(2, &columns);
    assert_eq!(to.count("a").await, 0);
    from.batch("ALTER TABLE a DROP COLUMN \"V\"; CREATE TABLE \"A\" (id integer)")
        .await;
    copy(&from, &sqlite(), &["--create"])
        .expect(2, &["public.\"A\" and public.a are both the table"]);
}

#[tokio::test]
async fn a_table_without_columns_is_named() {
    let server = or_skip!(Postgres::shared());
    let (from, to) = (postgres(server, "bare"), postgres(server, "bare_copy"));
    from.batch(
        "CREATE TABLE bare (); INSERT INTO bare DEFAULT VALUES; CREATE TABLE a (id integer)",
    )
    .await;
    let named = ["not carried: table public.bare: it has no columns"];
    copy(&from, &to, &["--create"]).expect(0, &named);
    copy(&from, &to, &[]).expect(0, &named);
    copy(&from, &to, &["--tables", "bare"]).expect(2, &["A table without columns is not copied"]);
}

#[tokio::test]
async fn rows_of_others_that_refer_to_replaced_rows_are_counted() {
    let (from, to) = (sqlite(), sqlite());
    let users = "CREATE TABLE users (id INTEGER PRIMARY KEY);";
    from.batch(&format!("{users} INSERT INTO users VALUES (1)"))
        .await;
    to.batch(&format!(
        "{users} CREATE TABLE orders (id INTEGER PRIMARY KEY, u INTEGER REFERENCES users (id));
         INSERT INTO users VALUES (1), (2); INSERT INTO orders VALUES (1, 1), (2, 2)"
    ))
    .await;
    let named = ["main.orders was not copied: 1 of its rows refer to rows that"];
    copy(&from, &to, &["--on-conflict", "replace"]).expect(1, &named);
    assert_eq!(to.count("orders").await, 2);
}

#[tokio::test]
async fn bounds_of_arrays_are_kept_between_two_databases_of_postgres() {
    let server = or_skip!(Postgres::shared());
    let (from, to) = (postgres(server, "bounds"), postgres(server, "bounds_copy"));
    from.batch(
        "CREATE TYPE mood AS ENUM ('a', 'b');
         CREATE TABLE a (id integer PRIMARY KEY, n integer[], t text[], m mood[], f double precision[], b bytea[]);
         INSERT INTO a VALUES (1, '[0:2]={1,NULL,3}', '{{\"a,b\",\"NULL\"},{\"\",\"\\\\\"}}', '[5:5]={b}', '{NaN,-0,0.1}', '{\"\\\\x00ff\"}'),
             (2, '{}', NULL, '{}', '[-1:0]={Infinity,1e300}', '{}')",
    )
    .await;
    copy(&from, &to, &["--create"]).expect(0, &["equal"]);
    let texts = "SELECT id, n::text, t::text, m::text, f::text, b::text FROM a ORDER BY id";
    let there = to.rows(texts).await;
    assert_eq!(there, from.rows(texts).await);
    assert!(there[0].starts_with("1|[0:2]={1,NULL,3}|"), "{there:?}");
}

#[tokio::test]
async fn a_database_is_not_copied_into_itself() {
    let server = or_skip!(Postgres::shared());
    for place in [sqlite(), postgres(server, "itself")] {
        place
            .batch("CREATE TABLE a (id integer PRIMARY KEY); INSERT INTO a VALUES (1)")
            .await;
        let same = ["The source and the target are the same database"];
        copy(&place, &place, &["--on-conflict", "replace"]).expect(2, &same);
        assert_eq!(place.count("a").await, 1);
    }
}
