//! Revisions that the command `underpin`, which has no models, writes from SQL.

use std::path::Path;
use std::process::{Command, Stdio};

use underpin_testkit::{Place, SqliteFile};

struct Project {
    directory: tempfile::TempDir,
    place: Place,
}

impl Project {
    fn at(place: Place) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("revisions")).unwrap();
        Project { directory, place }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn want(&self, sql: &str) {
        std::fs::write(self.path().join("schema.sql"), sql).unwrap();
    }

    /// What it prints, on both outputs.
    fn migrate(&self, code: i32, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_underpin"));
        command.args(["--url", &self.place.url(), "migrate"]);
        command.args(arguments).current_dir(self.path());
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        // To the test run's output, which is searched for secrets.
        print!("{text}");
        assert_eq!(output.status.code(), Some(code), "{text}");
        text
    }

    fn autogenerate(&self, id: &str) -> String {
        let new = [
            "new",
            "--autogenerate",
            "-m",
            id,
            "--id",
            id,
            "--from-sql",
            "schema.sql",
        ];
        let path = self.migrate(0, &new);
        std::fs::read_to_string(self.path().join(path.trim_end())).unwrap()
    }

    fn is_as_wanted(&self) {
        let check = self.migrate(0, &["check", "--from-sql", "schema.sql"]);
        assert_eq!(check, "The revisions create the wanted schema.\n");
        let new = [
            "new",
            "--autogenerate",
            "-m",
            "x",
            "--from-sql",
            "schema.sql",
        ];
        let said = self.migrate(0, &new);
        assert_eq!(
            said,
            "The revisions already create the wanted schema; no file was written.\n"
        );
    }
}

#[test]
fn sql_says_what_is_wanted() {
    for place in Place::each("from_sql") {
        let project = Project::at(place);
        project.want(
            "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer CHECK (age > 0));
             CREATE VIEW grown AS SELECT id FROM users WHERE age > 17;",
        );
        let first = project.autogenerate("first");
        assert!(first.contains("CREATE VIEW"), "{first}");
        project.is_as_wanted();
        project.want(
            "CREATE TABLE users (
                 id integer PRIMARY KEY,
                 -- renamed from: name
                 full_name text,
                 age integer CHECK (age > 0)
             );
             CREATE INDEX users_age ON users (age);",
        );
        let drift = project.migrate(1, &["check", "--from-sql", "schema.sql"]);
        assert!(drift.contains("\n  Drop view "), "{drift}");
        let second = project.autogenerate("second");
        assert!(
            second.contains("RENAME COLUMN \"name\" TO \"full_name\";"),
            "{second}"
        );
        assert!(second.contains("DROP VIEW"), "{second}");
        project.is_as_wanted();
        project.migrate(0, &["up"]);
        project.migrate(0, &["down", "base"]);
        project.migrate(0, &["up"]);
    }
}

#[test]
fn without_models_and_sql_there_is_nothing_to_compare_with() {
    let project = Project::at(Place::Sqlite(SqliteFile::new()));
    for arguments in [&["check"][..], &["new", "--autogenerate", "-m", "x"]] {
        let said = project.migrate(2, arguments);
        assert!(
            said.starts_with("error: This program has no models that describe the schema."),
            "{said}"
        );
        assert!(said.contains("--from-sql"), "{said}");
    }
}
