//! Which tables and rows are copied, and what only looks.

use std::fs;
use std::process::{Command, Stdio};

use underpin_testkit::{Postgres, SqliteFile, or_skip};

use crate::place::{InPlace, Place, Said, copy, postgres, sqlite};

const SHOP: &str = "
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id));
CREATE TABLE tmp_1 (id INTEGER PRIMARY KEY);
INSERT INTO users VALUES (1, 'a'), (2, 'b'), (3, 'c');
INSERT INTO orders VALUES (1, 1), (2, 3);
INSERT INTO tmp_1 VALUES (1);
CREATE VIEW names AS SELECT name FROM users;";

#[tokio::test]
async fn tables_and_rows_are_chosen() {
    let (from, to) = (sqlite(), sqlite());
    from.batch(SHOP).await;
    let chosen = [
        "--create",
        "--exclude",
        "tmp_*",
        "--where",
        "users=id >= 2 AND id <> 9",
        "--where",
        "orders=user_id > 1",
    ];
    copy(&from, &to, &chosen).expect(0, &["equal"]);
    assert_eq!(
        to.rows("SELECT id FROM users ORDER BY id").await,
        ["2", "3"]
    );
    assert_eq!(to.rows("SELECT id FROM orders").await, ["2"]);
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'tmp_1'";
    assert_eq!(to.rows(tables).await, ["0"]);
    copy(&from, &sqlite(), &["--create", "--tables", "users,nothing"])
        .expect(2, &["no table that \"nothing\" names"]);
    copy(&from, &to, &["--where", "users"]).expect(2, &["no table before a `=`"]);
}

#[tokio::test]
async fn what_has_no_place_is_named() {
    let server = or_skip!(Postgres::shared());
    let (from, to) = (sqlite(), postgres(server, "left"));
    from.batch(SHOP).await;
    copy(&from, &to, &["--create"]).expect(0, &["not carried: view main.names"]);
    let other = sqlite();
    other.batch("CREATE TABLE other (id INTEGER)").await;
    copy(&to, &other, &[]).expect(4, &["has no table main.orders", "--create"]);
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let server = or_skip!(Postgres::shared());
    let from = sqlite();
    from.batch(SHOP).await;
    let file = SqliteFile::new();
    let path = file.path();
    let to = Place::Sqlite(file);
    let said = copy(&from, &to, &["--create", "--dry-run"]);
    let said = said.expect(
        0,
        &["CREATE TABLE \"users\"", "-- main.users to main.users"],
    );
    let order = |table: &str| said.out.find(&format!("-- main.{table} to")).unwrap();
    assert!(order("orders") > 0 && !path.exists());
    let there = postgres(server, "dry");
    let said = copy(&from, &there, &["--create", "--dry-run"]);
    said.expect(
        0,
        &[
            "CREATE TABLE",
            "FOREIGN KEY",
            "-- main.users to public.users",
        ],
    );
    assert_eq!(
        there
            .rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
            .await,
        ["0"]
    );
}

#[tokio::test]
async fn rows_that_are_there_are_left_or_replaced_as_is_asked() {
    let server = or_skip!(Postgres::shared());
    for to in [sqlite(), postgres(server, "conflict")] {
        let from = sqlite();
        from.batch(SHOP).await;
        copy(&from, &to, &["--create", "--tables", "users,orders"]).expect(0, &["equal"]);
        to.batch("INSERT INTO users VALUES (9, 'z')").await;
        let tables = ["--tables", "users,orders"];
        copy(&from, &to, &tables).expect(2, &["--on-conflict replace"]);
        assert_eq!(to.count("users").await, 4);
        let skip = [&tables[..], &["--on-conflict", "skip"]].concat();
        copy(&from, &to, &skip).expect(0, &["left as it is"]);
        assert_eq!(to.count("users").await, 4);
        let replace = [&tables[..], &["--on-conflict", "replace"]].concat();
        copy(&from, &to, &replace).expect(0, &["equal"]);
        assert_eq!(to.count("users").await, 3);
        assert_eq!(to.count("orders").await, 2);
    }
}

#[tokio::test]
async fn databases_are_named_by_the_configuration_too() {
    let (from, to) = (sqlite(), sqlite());
    from.batch(SHOP).await;
    let directory = tempfile::tempdir().unwrap();
    let text = format!(
        "[databases.shop]\nurl = \"{}\"\n[databases.archive]\nurl = \"{}\"\n",
        from.url(),
        to.url()
    );
    fs::write(directory.path().join("underpin.toml"), text).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_underpin"));
        for (name, _) in std::env::vars() {
            if name.starts_with("DB_") || name.contains("DATABASE_URL") {
                command.env_remove(name);
            }
        }
        command.current_dir(directory.path()).stdin(Stdio::null());
        Said::of(command.args(arguments).output().unwrap())
    };
    let said = run(&["--format", "json", "copy", "shop", "archive", "--create"]);
    let said = said.expect(
        0,
        &["\"equal\": true", "\"outcome\": \"equal\"", "\"rows\": 3"],
    );
    let value: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(value["tables"].as_array().unwrap().len(), 3);
    assert_eq!(to.count("users").await, 3);
    run(&["copy", "shop", "new.db", "--create"]).expect(
        2,
        &[
            "There is no file new.db",
            "write sqlite:new.db and --create",
        ],
    );
    let said = run(&["--format", "csv", "copy", "shop", "archive"]);
    said.expect(
        0,
        &["from,to,rows,left_out,checksum,outcome", "equal before"],
    );
}
