//! A copy of the shop's revisions in a directory of the test, and a database.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use underpin_testkit::{Place, Postgres};

const FIRST: &str = include_str!("../../examples/shop/revisions/5b0c7d1e9f24_the_shop.sql");

/// Where the first revision of the shop is.
pub(crate) struct Shop {
    directory: tempfile::TempDir,
    place: Place,
}

/// What the program said, and how it ended.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Shop {
    pub(crate) fn at(place: Place) -> Self {
        let shop = Shop::empty_at(place);
        shop.put("5b0c7d1e9f24", FIRST);
        shop
    }

    pub(crate) fn on(server: &Postgres, name: &str) -> Self {
        Shop::at(Place::Postgres(server.database(name)))
    }

    /// Without any revision.
    pub(crate) fn empty_at(place: Place) -> Self {
        Shop {
            directory: tempfile::tempdir().unwrap(),
            place,
        }
    }

    pub(crate) fn url(&self) -> String {
        self.place.url()
    }

    pub(crate) fn directory(&self) -> String {
        self.directory.path().display().to_string()
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.directory.path().join(format!("{name}.sql"));
        std::fs::write(path, text).unwrap();
    }

    /// A revision on the first that somebody wrote by hand, so that the models want something.
    pub(crate) fn by_hand(&self, sections: &str) {
        let head = "-- revision: byhand\n-- parents: 5b0c7d1e9f24\n-- message: by hand\n";
        self.put("byhand", &format!("{head}{sections}"));
    }

    /// The files of the revisions, by their names.
    fn files(&self) -> BTreeSet<PathBuf> {
        let entries = std::fs::read_dir(self.directory.path()).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    /// Runs `migrate` with these arguments on the directory and the database.
    pub(crate) fn migrate(&self, arguments: &[&str]) -> Said {
        let directory = self.directory();
        let url = self.url();
        let mut all = vec!["--url", &url, "migrate", "--revisions", &directory];
        all.extend(arguments);
        run(&all)
    }

    /// Writes what is wanted; gives the texts of the files, in the order of the revisions.
    pub(crate) fn autogenerate(&self, arguments: &[&str]) -> Vec<String> {
        let before = self.files();
        let mut all = vec!["new", "--autogenerate", "-m", "what is wanted"];
        all.extend(arguments);
        let said = self.migrate(&all).expect(0, &[]);
        let after = self.files();
        let paths: Vec<&str> = said.out.lines().collect();
        assert_eq!(
            after.difference(&before).count(),
            paths.len(),
            "{}",
            said.out
        );
        let texts = paths
            .iter()
            .map(|path| std::fs::read_to_string(path).unwrap());
        texts.inspect(|text| print!("{text}")).collect()
    }

    /// That there is nothing to write, and that the check says so.
    pub(crate) fn is_as_wanted(&self, arguments: &[&str]) {
        let before = self.files();
        let mut all = vec!["new", "--autogenerate", "-m", "nothing"];
        all.extend(arguments);
        let said = self.migrate(&all);
        said.expect(
            0,
            &["The revisions already create the wanted schema; no file was written."],
        );
        assert_eq!(self.files(), before);
        let mut all = vec!["check"];
        all.extend(arguments);
        self.migrate(&all)
            .expect(0, &["The revisions create the wanted schema."]);
    }

    /// That it is refused with these words, and nothing written.
    pub(crate) fn is_refused(&self, code: i32, arguments: &[&str], parts: &[&str]) {
        let before = self.files();
        let mut all = vec!["new", "--autogenerate", "-m", "refused"];
        all.extend(arguments);
        let said = self.migrate(&all).expect(code, parts);
        assert_eq!(self.files(), before, "{}", said.err);
    }

    /// The rows of a query, as CSV without a header.
    pub(crate) fn query(&self, sql: &str) -> String {
        let url = self.url();
        let said = run(&["--url", &url, "--format", "csv", "query", sql]).expect(0, &[]);
        said.out.lines().skip(1).collect::<Vec<_>>().join("\n")
    }
}

impl Said {
    pub(crate) fn expect(self, code: i32, parts: &[&str]) -> Self {
        let all = format!("{}{}", self.out, self.err);
        assert_eq!(self.code, code, "{all}");
        for part in parts {
            assert!(all.contains(part), "{part:?} is missing: {all}");
        }
        self
    }
}

/// Runs the example program, which cargo builds beside the tests.
pub(crate) fn run(arguments: &[&str]) -> Said {
    let tests = std::env::current_exe().unwrap();
    let target = tests.ancestors().nth(2).unwrap();
    let mut command = Command::new(target.join("examples").join("shop"));
    command.args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars() {
        if name.starts_with("DB_") || name.contains("DATABASE_URL") {
            command.env_remove(name);
        }
    }
    let output = command
        .output()
        .expect("the example is built with the tests");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = Said {
        code: output.status.code().expect("the program ends by itself"),
        out: text(&output.stdout),
        err: text(&output.stderr),
    };
    // To the test run's output, which is searched for secrets.
    print!("{}{}", said.out, said.err);
    said
}
