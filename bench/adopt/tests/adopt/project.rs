use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use underpin_testkit::{Place, Postgres};

/// A directory with another tool's migrations, and a database.
pub(crate) struct Project {
    directory: tempfile::TempDir,
    place: Place,
}

impl Project {
    pub(crate) fn at(place: Place) -> Self {
        Project {
            directory: tempfile::tempdir().unwrap(),
            place,
        }
    }

    pub(crate) fn on_postgres(server: &Postgres, name: &str) -> Self {
        Project::at(Place::Postgres(server.database(name)))
    }

    pub(crate) fn url(&self) -> String {
        self.place.url()
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn migrations(&self) -> PathBuf {
        self.path().join("migrations")
    }

    /// Writes a file of the directory `migrations`.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.migrations().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Runs `underpin`, expects its exit code, and gives what it prints.
    pub(crate) fn run(&self, code: i32, arguments: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_underpin-adopt"))
            .args(["--url", &self.url()])
            .args(arguments)
            .current_dir(self.path())
            .stdin(Stdio::null())
            .output()
            .expect("the command starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        print!("{text}");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        text
    }

    pub(crate) fn adopt(&self, code: i32, tool: &str, options: &[&str]) -> String {
        let command = ["migrate", "adopt", "--from", tool];
        self.run(code, &[&command, options].concat())
    }

    /// The first column of what `underpin migrate` lists.
    pub(crate) fn ids(&self, command: &str) -> String {
        let text = self.run(0, &["--format", "csv", "migrate", command]);
        let ids = text
            .lines()
            .skip(1)
            .filter_map(|line| line.split(',').next());
        ids.collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn query(&self, sql: &str) -> String {
        let text = self.run(0, &["--format", "csv", "query", sql]);
        text.lines().skip(1).collect::<Vec<_>>().join("\n")
    }

    /// All that is in the database, the tables apart in which tools keep what is applied.
    pub(crate) fn schema(&self) -> String {
        let sql = match &self.place {
            Place::Sqlite(_) => {
                "SELECT name || ' ' || replace(coalesce(sql, ''), char(9), '    ') FROM sqlite_schema \
                 WHERE tbl_name IN ('users', 'mails', 'orders') ORDER BY 1"
            }
            Place::Postgres(_) => {
                "SELECT c.relname || ' ' || a.attnum || ' ' || a.attname || ' ' || \
                 format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull \
                 FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid \
                 WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 \
                 AND NOT a.attisdropped \
                 AND c.relname ~ '^(users|mails|orders)' ORDER BY 1"
            }
        };
        self.query(sql)
    }

    /// That a refused adoption has left neither files nor a history.
    pub(crate) fn is_untouched(&self) {
        assert!(!self.path().join("revisions").exists());
        let sql = match &self.place {
            Place::Sqlite(_) => {
                "SELECT count(*) FROM sqlite_schema WHERE name = 'underpin_migrations'"
            }
            Place::Postgres(_) => {
                "SELECT count(*) FROM pg_class WHERE relname = 'underpin_migrations'"
            }
        };
        assert_eq!(self.query(sql), "0");
    }
}

/// What every tool's database shows once two of three migrations have run: they are
/// recorded, the third is pending, nothing else has changed, and `theirs`, which the tool
/// has brought to the end, is as a database that is made from the revisions.
pub(crate) fn changes_over(
    project: &Project,
    tool: &str,
    table: &str,
    ids: [&str; 3],
    theirs: &Project,
) {
    let rows = format!("SELECT * FROM {table} ORDER BY 1");
    let before = project.query(&rows);
    project.query("INSERT INTO users (id) VALUES (7)");

    let said = project.adopt(0, tool, &[]);
    assert!(
        said.contains(&format!(
            "Of 3 migrations of {tool}, 3 were written as revisions and 2 recorded as applied"
        )),
        "{said}"
    );
    assert_eq!(project.ids("history"), ids.join(" "));
    assert_eq!(project.ids("pending"), ids[2]);
    project.run(0, &["migrate", "validate"]);
    assert_eq!(project.query(&rows), before, "its own table is as it was");

    let again = project.adopt(0, tool, &[]);
    assert!(
        again.contains(&format!(
            "All 3 migrations of {tool} were already adopted; nothing was changed."
        )),
        "{again}"
    );
    project.run(0, &["migrate", "up"]);
    assert_eq!(
        project.query("SELECT id FROM users"),
        "7",
        "the data is there"
    );
    assert_eq!(project.query(&rows), before);
    assert_eq!(project.schema(), theirs.schema());

    // Another database of the same team: the files are there, and it is recorded.
    let revisions = project.path().join("revisions");
    let revisions = revisions.to_str().unwrap();
    let said = theirs.adopt(0, tool, &["--revisions", revisions]);
    assert!(
        said.contains("0 were written as revisions and 3 recorded as applied"),
        "{said}"
    );
}
