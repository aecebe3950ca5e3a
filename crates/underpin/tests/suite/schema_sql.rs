//! Schemas that are written as SQL.

use std::fs;
use std::path::Path;
use std::process::Command;

use underpin::schema::{Hints, ObjectName, Rename, Selection, Source, Sources, Target, diff};
use underpin::schema::{introspect, of_sql};
use underpin::{Class, Config, Error, Result};
use underpin_testkit::postgres::pg_dump;
use underpin_testkit::{Postgres, or_skip, secrets};

use crate::place::{InPlace, Place};

/// A directory of SQL files for one test.
fn directory(files: &[(&str, &str)]) -> underpin_testkit::SqliteFile {
    let place = underpin_testkit::SqliteFile::new();
    for (name, text) in files {
        let path = place.directory().join("schema").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    place
}

async fn read(place: &Place, files: &[(&str, &str)]) -> Result<Target> {
    let made = directory(files);
    let config = Config::from_url(&place.url()).unwrap();
    let path = made.directory().join("schema");
    of_sql(path, &config, &Selection::default()).await
}

/// The error of one file, without its path.
async fn mistake(place: &Place, text: &str) -> (Class, String) {
    let error: Error = read(place, &[("a.sql", text)]).await.unwrap_err();
    let said = error.to_string();
    let at = said.find("a.sql").unwrap_or_else(|| panic!("{said}"));
    (error.class(), said[at..].to_owned())
}

fn named(namespace: &str, name: &str) -> ObjectName {
    ObjectName::new(namespace, name)
}

fn namespace(place: &Place) -> &'static str {
    match place {
        Place::Postgres(_) => "public",
        Place::Sqlite(_) => "main",
    }
}

#[tokio::test]
async fn a_directory_is_read_in_the_order_of_its_paths() {
    for place in Place::each("sql_directory") {
        let files = [
            (
                "10_users.sql",
                "CREATE TABLE users (id integer PRIMARY KEY);\n",
            ),
            (
                "20/orders.sql",
                "\u{feff}CREATE TABLE orders (id integer PRIMARY KEY,\n  user_id integer REFERENCES users (id));\n\
                 INSERT INTO users VALUES (1);\n",
            ),
            ("20/notes.txt", "Not SQL at all.\n"),
            (".hidden.sql", "Neither is this.\n"),
            ("30_view.sql", "CREATE VIEW ids AS SELECT id FROM orders;\n"),
        ];
        let target = read(&place, &files).await.unwrap();
        let names: Vec<&str> = target
            .schema
            .tables
            .keys()
            .map(|of| of.name.as_str())
            .collect();
        assert_eq!(names, ["orders", "users"]);
        assert_eq!(target.schema.views.len(), 1);
        assert!(target.described);
        assert_eq!(target.hints, Hints::default());
    }
}

#[tokio::test]
async fn comments_say_what_has_another_name() {
    for place in Place::each("sql_renames") {
        let text = "\
-- renamed from: users
CREATE TABLE People (
  id integer PRIMARY KEY,
  -- renamed from: name
  full_name text NOT NULL
);
";
        let target = read(&place, &[("a.sql", text)]).await.unwrap();
        let name = match place {
            Place::Postgres(_) => "people",
            Place::Sqlite(_) => "People",
        };
        let table = named(namespace(&place), name);
        let expected = [
            Rename::Table {
                from: table.sibling("users"),
                to: table.clone(),
            },
            Rename::Column {
                table,
                from: "name".to_owned(),
                to: "full_name".to_owned(),
            },
        ];
        assert_eq!(target.hints.renames, expected);

        let db = place.open().await;
        db.batch("CREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL)")
            .await
            .unwrap();
        let now = introspect(&db, &Selection::default()).await.unwrap();
        let changes = diff(&now, &target.schema, &target.hints).changes;
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        let renames = |change: &String| change.starts_with("Rename ");
        assert!(
            changes.len() > 1 && changes.iter().all(renames),
            "{changes:?}"
        );
    }
}

#[tokio::test]
async fn every_mistake_has_its_file_and_line() {
    for place in Place::each("sql_mistakes") {
        let (class, said) = mistake(
            &place,
            "CREATE TABLE a (id int);\n\nCREATE TABLE a (id int);",
        )
        .await;
        assert!(
            said.starts_with("a.sql, line 3: `CREATE TABLE a (id int)` failed. "),
            "{said}"
        );
        assert_ne!(class, Class::Config);
        for (text, expected) in [
            (
                "SELECT 'open",
                "a.sql, line 1: The string that begins here with ' is not closed.",
            ),
            (
                "\\restrict abc\n\\i other.sql\n",
                "a.sql, line 2: `\\i` is a command of psql, not SQL. Only psql itself supports its \
                 commands; leave it out.",
            ),
            (
                "CREATE TABLE a (id int);\nCOPY a FROM stdin;\n1\n\\.\n",
                "a.sql, line 2: This COPY has rows. A schema has no rows: leave it out, or write the \
                 file with `pg_dump --schema-only`.",
            ),
            (
                "BEGIN;\nCREATE TABLE a (id int);\n",
                "a.sql, line 1: the transaction that begins here is not ended. Write COMMIT after \
                 its last statement, or leave out BEGIN.",
            ),
            (
                "-- renamed from: b\nCREATE TABLE a (id int);\nDROP TABLE a;",
                "a.sql, line 1: there is no table `a` at the end.",
            ),
            (
                "CREATE TABLE a (\n-- renamed from: b\nc int, d int);\nALTER TABLE a DROP COLUMN c;",
                "a.sql, line 2: NAMESPACE.a has no column c at the end.",
            ),
            (
                "CREATE TABLE a (\n-- renamed from: b.c\nc int);",
                "a.sql, line 2: write only the old name, without its table or schema.",
            ),
            (
                "-- renamed from: x.b\nCREATE TABLE a (c int);",
                "a.sql, line 1: a table cannot change its schema by a rename.",
            ),
            (
                "CREATE TABLE a (b int, -- renamed from: c\nd int);",
                "a.sql, line 1: The comment is not on a line of its own: put it on a line before \
                 the object with the new name.",
            ),
        ] {
            let (class, said) = mistake(&place, text).await;
            assert_eq!(said, expected.replace("NAMESPACE", namespace(&place)));
            assert_eq!(class, Class::Config);
        }
        let beyond = match place {
            Place::Postgres(_) => ("CREATE ROLE app;", "CREATE ROLE"),
            Place::Sqlite(_) => ("ATTACH 'other.db' AS other;", "ATTACH 'other.db'"),
        };
        let (_, said) = mistake(&place, beyond.0).await;
        let expected = format!(
            "a.sql, line 1: `{} …` affects more than the database, so it is not part of a schema. \
             Leave it \
             out of the files that describe a schema.",
            beyond.1
        );
        assert_eq!(said, expected);
    }
}

#[tokio::test]
async fn unreadable_sources_are_named() {
    let place = directory(&[("a.txt", "")]);
    let sqlite = Config::from_url("sqlite::memory:").unwrap();
    let at = |path: &Path| {
        let (path, sqlite) = (path.to_owned(), sqlite.clone());
        async move {
            let error = of_sql(path, &sqlite, &Selection::default())
                .await
                .unwrap_err();
            assert_eq!(error.class(), Class::Config);
            error.to_string()
        }
    };
    let said = at(&place.directory().join("schema")).await;
    assert!(
        said.starts_with("There is no .sql file in the directory "),
        "{said}"
    );
    let path = place.directory().join("schema.sql");
    fs::write(&path, b"SELECT 1;\nSELECT '\xff';\n").unwrap();
    let said = at(&path).await;
    assert!(
        said.ends_with("schema.sql, line 2: the file is not UTF-8 text."),
        "{said}"
    );
    fs::write(&path, b"SQLite format 3\0\xff\xff").unwrap();
    let said = at(&path).await;
    assert!(
        said.contains("schema.sql is a SQLite database, not SQL. Write sqlite:"),
        "{said}"
    );
}

#[test]
fn a_source_is_what_can_be_said() {
    let file = directory(&[("a.sql", "")]);
    let path = file.directory().join("schema").display().to_string();
    for text in ["database", "models", "revisions", path.as_str()] {
        assert_eq!(text.parse::<Source>().unwrap().to_string(), text);
    }
    let secret = secrets::password();
    let url = format!("postgres://app:{secret}@db1/shop");
    let shown = url.parse::<Source>().unwrap().to_string();
    assert!(shown.contains("***") && shown.contains("db1"), "{shown}");
    let wrong = format!("{url}?no_such_option=1");
    for said in [shown, wrong.parse::<Source>().unwrap_err().to_string()] {
        assert!(!said.contains(&secret), "a secret is shown");
    }
    let error = "shcema.sql".parse::<Source>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "shcema.sql is not a file, a directory or another source of a schema. A schema comes from \
         `database` (the configured one), a URL such as postgres://app@db1/shop or sqlite:shop.db, \
         the path of a .sql file or of a directory of them, or, of the program, its `models` or its \
         `revisions`."
    );
    assert_eq!(error.class(), Class::Config);
}

/// The differences between two sources, in words.
async fn differences(place: &Place, one: &Source, other: &Source) -> Vec<String> {
    let sources = Sources::new(Config::from_url(&place.url()).unwrap());
    let (from, mut to) = sources
        .read_both(one, other, &Selection::default())
        .await
        .unwrap();
    sources.settle(&from, &mut to).await.unwrap();
    let changes = diff(&from.schema, &to.schema, &to.hints).changes;
    changes.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn objects_that_a_target_does_not_name_are_left_alone() {
    let server = or_skip!(Postgres::shared());
    let place = Place::Postgres(server.database("sql_counterpart"));
    let db = place.open().await;
    db.batch(
        "CREATE EXTENSION pg_trgm; CREATE TABLE others (id int); CREATE TABLE underpin_migrations (id text);
         CREATE SCHEMA shop; CREATE TABLE shop.orders (id int); CREATE TABLE shop.extra (id int)",
    )
    .await
    .unwrap();
    let made = directory(&[(
        "a.sql",
        "CREATE SCHEMA shop; CREATE TABLE shop.orders (id int);",
    )]);
    let sql = Source::Sql(made.directory().join("schema"));
    let drops = differences(&place, &Source::Database, &sql).await;
    assert_eq!(drops, ["Drop table shop.extra"]);
    let creates = differences(&place, &sql, &Source::Database).await;
    assert_eq!(creates, ["Create table shop.extra"]);
    // Two databases are compared completely, except for the history.
    let empty = server.database("sql_counterpart_empty");
    let url: Source = empty.url().parse().unwrap();
    let all = differences(&place, &url, &Source::Database).await;
    let expected = [
        "Create schema shop",
        "Create extension pg_trgm",
        "Create table public.others",
        "Create table shop.extra",
        "Create table shop.orders",
    ];
    assert_eq!(all, expected);
}

#[tokio::test]
async fn the_output_of_pg_dump_is_read() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("sql_pg_dump");
    let place = Place::Postgres(database);
    let db = place.open().await;
    let version = "SELECT current_setting('server_version_num')::int4";
    let version: i32 = db.query_scalar(version, ()).await.unwrap();
    let pg_dump = or_skip!(pg_dump(version));
    db.batch(
        "CREATE EXTENSION pg_trgm;
         CREATE TYPE mood AS ENUM ('sad', 'ok');
         CREATE SCHEMA shop;
         CREATE TABLE shop.users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL,
             mood mood DEFAULT 'ok', created timestamptz NOT NULL DEFAULT now());
         CREATE INDEX users_name ON shop.users USING gin (name gin_trgm_ops) WHERE name <> '';
         CREATE TABLE shop.orders (id serial, user_id bigint REFERENCES shop.users ON DELETE CASCADE,
             made date NOT NULL, PRIMARY KEY (id, made)) PARTITION BY RANGE (made);
         CREATE TABLE shop.orders_2026 PARTITION OF shop.orders FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
         CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.created := now(); RETURN NEW; END $$;
         CREATE TRIGGER touch BEFORE UPDATE ON shop.users FOR EACH ROW EXECUTE FUNCTION shop.touch();
         CREATE VIEW shop.names AS SELECT name FROM shop.users;
         COMMENT ON TABLE shop.users IS 'Who; may buy';
         ALTER TABLE shop.users ENABLE ROW LEVEL SECURITY;
         CREATE POLICY own ON shop.users USING (name = current_user);
         GRANT SELECT ON shop.users TO public;
         INSERT INTO shop.users (name) VALUES ('Ada')",
    )
    .await
    .unwrap();
    let dumped = Command::new(pg_dump)
        .args(["--schema-only", "--dbname", &place.url()])
        .output()
        .unwrap();
    assert!(
        dumped.status.success(),
        "{}",
        String::from_utf8_lossy(&dumped.stderr)
    );
    let text = String::from_utf8(dumped.stdout).unwrap();
    let made = directory(&[("dump.sql", &text)]);
    let sql = Source::Sql(made.directory().join("schema/dump.sql"));
    let none: [&str; 0] = [];
    assert_eq!(differences(&place, &Source::Database, &sql).await, none);
    assert_eq!(differences(&place, &sql, &Source::Database).await, none);
}

#[tokio::test]
async fn the_output_of_the_sqlite_shell_is_read() {
    let Ok(_) = Command::new("sqlite3").arg("--version").output() else {
        underpin_testkit::skip!(
            "the_output_of_the_sqlite_shell_is_read",
            "sqlite3 is not here."
        );
    };
    let place = Place::Sqlite(underpin_testkit::SqliteFile::new());
    let db = place.open().await;
    db.batch(
        "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, age INT CHECK (age > 0));
         CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INT REFERENCES users (id)) STRICT;
         CREATE INDEX users_name ON users (name COLLATE NOCASE) WHERE age > 1;
         CREATE VIEW names AS SELECT name FROM users;
         CREATE TRIGGER touch AFTER UPDATE ON users BEGIN UPDATE users SET age = 1; SELECT 2; END;
         INSERT INTO users (name) VALUES ('Ada'); ANALYZE;",
    )
    .await
    .unwrap();
    db.close(std::time::Duration::from_secs(5)).await.unwrap();
    let Place::Sqlite(file) = &place else { return };
    for command in [".schema", ".dump"] {
        let written = Command::new("sqlite3")
            .arg(file.path())
            .arg(command)
            .output()
            .unwrap();
        assert!(written.status.success());
        let text = String::from_utf8(written.stdout).unwrap();
        assert!(text.contains("sqlite_sequence"), "{text}");
        let made = directory(&[("schema.sql", &text)]);
        let sql = Source::Sql(made.directory().join("schema"));
        let none: [&str; 0] = [];
        assert_eq!(
            differences(&place, &Source::Database, &sql).await,
            none,
            "{command}"
        );
    }
}
