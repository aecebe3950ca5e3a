//! What `diff --sql` and `dump` print is what psql and SQLite's shell run.

use std::io::Write;
use std::process::{Command, Stdio};

use underpin_testkit::postgres::program;
use underpin_testkit::{Postgres, or_skip, skip};

use crate::place::Place;

fn fed(mut program: Command, script: &str) -> (bool, String) {
    let spawned = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = spawned.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(script.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success(), text)
}

/// The script of the way from the database to the file leads there, and a dump of that makes
/// the same elsewhere.
async fn leads_there(place: &Place, empty: &Place, shell: impl Fn(&Place) -> Command) {
    let to = "schema.sql";
    let way = place.run(&["schema", "diff", "database", to, "--sql"]);
    assert_eq!(way.code, 1, "{}", way.err);
    let (well, said) = fed(shell(place), &way.out);
    assert!(well, "{said}");
    let there = place.run(&["schema", "diff", "database", to]);
    assert_eq!(there.out, "The schemas are the same.\n");
    assert_eq!(there.code, 0);

    let dump = place.run(&["schema", "dump"]);
    assert_eq!(dump.code, 0, "{}", dump.err);
    let (well, said) = fed(shell(empty), &dump.out);
    assert!(well, "{said}");
    let same = place.run(&["schema", "diff", "database", &empty.url()]);
    assert_eq!(same.out, "The schemas are the same.\n");
}

#[tokio::test]
async fn psql_runs_what_is_printed() {
    let server = or_skip!(Postgres::shared());
    let psql = or_skip!(program("psql"));
    let shell = |place: &Place| {
        let mut command = Command::new(&psql);
        command.args(["--no-psqlrc", "--quiet", "--dbname", &place.url()]);
        command
    };
    let place = Place::on_postgres(server, "script");
    place
        .batch("CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE users (id bigint PRIMARY KEY, name text, mood mood); INSERT INTO users VALUES (1, 'Ada', 'sad')")
        .await;
    place.write(
        "schema.sql",
        "CREATE TYPE mood AS ENUM ('sad', 'ok');
         CREATE TABLE users (id bigint PRIMARY KEY,
           -- renamed from: name
           full_name text NOT NULL, mood mood DEFAULT 'ok');
         CREATE TABLE orders (id serial PRIMARY KEY, user_id bigint REFERENCES users, UNIQUE (id, user_id));
         CREATE FUNCTION names() RETURNS SETOF text LANGUAGE sql AS 'SELECT full_name FROM users; ';
         CREATE VIEW all_names AS SELECT full_name FROM users;",
    );
    let empty = Place::on_postgres(server, "script_empty");
    leads_there(&place, &empty, shell).await;
    let kept = place.run(&["query", "SELECT full_name FROM users", "--format", "csv"]);
    assert_eq!(kept.out, "full_name\nAda\n");
}

fn sqlite3(place: &Place) -> Command {
    let mut command = Command::new("sqlite3");
    let url = place.url();
    command.arg(
        url.strip_prefix("sqlite://")
            .unwrap_or(&url)
            .trim_start_matches("sqlite:")
            .trim_end_matches("?mode=rwc"),
    );
    command
}

const NAMES: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id) ON DELETE CASCADE);
    INSERT INTO users VALUES (1, 'Ada'), (2, NULL); INSERT INTO orders VALUES (1, 1)";

#[tokio::test]
async fn the_shell_of_sqlite_runs_what_is_printed() {
    if Command::new("sqlite3").arg("--version").output().is_err() {
        skip!(
            "the_shell_of_sqlite_runs_what_is_printed",
            "sqlite3 is not here."
        );
    }
    let (place, empty) = (Place::on_sqlite(), Place::on_sqlite());
    place.batch(NAMES).await;
    place.write(
        "schema.sql",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT CHECK (name <> ''));
         CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id) ON DELETE CASCADE);
         CREATE VIEW names AS SELECT name FROM users;",
    );
    leads_there(&place, &empty, sqlite3).await;
    let kept = place.run(&[
        "query",
        "SELECT count(*) AS n FROM orders",
        "--format",
        "csv",
    ]);
    assert_eq!(kept.out, "n\n1\n");

    // What the rows do not allow ends the script, and nothing is lost.
    place.write(
        "strict.sql",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
         CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id) ON DELETE CASCADE);
         CREATE VIEW names AS SELECT name FROM users;",
    );
    let way = place.run(&["schema", "diff", "database", "strict.sql", "--sql"]);
    let (well, said) = fed(sqlite3(&place), &way.out);
    assert!(!well && said.contains("NOT NULL"), "{said}");
    let kept = place.run(&[
        "query",
        "SELECT count(*) AS n FROM users",
        "--format",
        "csv",
    ]);
    assert_eq!(kept.out, "n\n2\n");
    let still = place.run(&["schema", "diff", "database", "schema.sql"]);
    assert_eq!(still.code, 0, "{}", still.out);

    // So do rows that would refer to nothing, but not those that do already.
    let orphans = Place::on_sqlite();
    orphans
        .batch(
            "CREATE TABLE users (id INTEGER PRIMARY KEY);
             CREATE TABLE notes (user_id INTEGER REFERENCES users (id));
             CREATE TABLE orders (user_id INTEGER);
             PRAGMA foreign_keys = OFF; INSERT INTO notes VALUES (7); INSERT INTO orders VALUES (9)",
        )
        .await;
    let notes = "CREATE TABLE users (id INTEGER PRIMARY KEY);
         CREATE TABLE notes (user_id INTEGER REFERENCES users (id) ON DELETE CASCADE);";
    orphans.write(
        "referring.sql",
        &format!("{notes} CREATE TABLE orders (user_id INTEGER REFERENCES users (id));"),
    );
    let way = orphans.run(&["schema", "diff", "database", "referring.sql", "--sql"]);
    let (well, said) = fed(sqlite3(&orphans), &way.out);
    assert!(
        !well && said.contains("rows_would_refer_to_nothing"),
        "{said}"
    );
    let still = orphans.run(&["schema", "diff", "database", "referring.sql"]);
    assert_eq!(still.code, 1, "{}", still.out);
    orphans.write(
        "same.sql",
        &format!("{notes} CREATE TABLE orders (user_id INTEGER);"),
    );
    let way = orphans.run(&["schema", "diff", "database", "same.sql", "--sql"]);
    let (well, said) = fed(sqlite3(&orphans), &way.out);
    assert!(well, "{said}");
}

/// An option that no list of the server has counts between two databases, and nowhere else.
#[tokio::test]
async fn two_databases_differ_in_options_that_no_list_has() {
    let server = or_skip!(Postgres::shared());
    let [place, other] =
        ["unlisted_one", "unlisted_other"].map(|name| Place::on_postgres(server, name));
    for place in [&place, &other] {
        place.batch("CREATE TABLE users (id bigint)").await;
    }
    let add = |option: &str| {
        format!(
            "SET allow_system_table_mods = on; \
             UPDATE pg_attribute SET attoptions = array_append(attoptions, '{option}') \
             WHERE attrelid = 'users'::regclass AND attname = 'id'"
        )
    };
    let compare = || place.run(&["schema", "diff", "database", &other.url()]);
    place.batch(&add("pg_attver=1")).await;
    other.batch(&add("pg_attver=2")).await;
    assert_eq!(compare().out, "The schemas are the same.\n");
    place.batch(&add("later=1")).await;
    let said = compare();
    assert_eq!(
        said.out,
        "Only the first has option later=1 of column public.users.id, which a plan cannot change.\n"
    );
    assert_eq!(said.code, 1);
    let validated = place.run(&["schema", "validate", &other.url(), "--format", "csv"]);
    assert_eq!(
        validated.out,
        "drift,what\nonly in the database,option later=1 of column public.users.id\n"
    );
    other.batch(&add("later=1")).await;
    assert_eq!(compare().code, 0);
    other.batch(&add("later=2")).await;
    let said = compare().out;
    assert!(
        said.starts_with("Only the second has option later=2"),
        "{said}"
    );
}
