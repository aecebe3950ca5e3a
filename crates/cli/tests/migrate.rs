//! `underpin migrate` as a shell sees it: many processes at once, killed ones, mistakes.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use underpin_testkit::{Postgres, SqliteFile, TestDatabase, or_skip};

/// A directory of revisions, and a database.
struct Project {
    directory: tempfile::TempDir,
    url: String,
    _sqlite: Option<SqliteFile>,
    postgres: Option<TestDatabase>,
}

impl Project {
    fn on_sqlite() -> Self {
        let file = SqliteFile::new();
        Project {
            directory: tempfile::tempdir().unwrap(),
            url: file.url(),
            _sqlite: Some(file),
            postgres: None,
        }
    }

    fn on_postgres(server: &Postgres, name: &str) -> Self {
        let database = server.database(name);
        Project {
            directory: tempfile::tempdir().unwrap(),
            url: database.url(),
            _sqlite: None,
            postgres: Some(database),
        }
    }

    fn each(name: &str) -> Vec<Project> {
        let mut projects = vec![Self::on_sqlite()];
        match Postgres::shared() {
            Ok(server) => projects.push(Self::on_postgres(server, name)),
            Err(reason) => underpin_testkit::skip::report(name, reason),
        }
        projects
    }

    fn revision(&self, id: &str, parents: &str, sections: &str) {
        let directory = self.directory.path().join("revisions");
        std::fs::create_dir_all(&directory).unwrap();
        let text =
            format!("-- revision: {id}\n-- parents: {parents}\n-- message: the {id}\n{sections}");
        std::fs::write(directory.join(format!("{id}.sql")), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_underpin"));
        command
            .args(["--url", &self.url, "migrate"])
            .args(arguments)
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Said {
        Said::of(
            self.command(arguments)
                .output()
                .expect("the command starts"),
        )
    }

    fn query(&self, sql: &str) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_underpin"))
            .args(["--url", &self.url, "--format", "csv", "query", sql])
            .current_dir(self.directory.path())
            .output()
            .expect("the command starts");
        let said = Said::of(output);
        assert_eq!(said.code, 0, "{}", said.text);
        said.text.lines().skip(1).collect::<Vec<_>>().join("\n")
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }
}

struct Said {
    code: i32,
    text: String,
}

impl Said {
    fn of(output: Output) -> Self {
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        // To the test run's output, which is searched for secrets.
        print!("{text}");
        let code = output.status.code().expect("the command ends by itself");
        Said { code, text }
    }

    fn expect(self, code: i32, parts: &[&str]) -> Self {
        assert_eq!(self.code, code, "{}", self.text);
        for part in parts {
            assert!(
                self.text.contains(part),
                "{part:?} is missing: {}",
                self.text
            );
        }
        self
    }
}

fn spawned(project: &Project, count: usize) -> Vec<Child> {
    let spawn = |_| {
        project
            .command(&["up"])
            .spawn()
            .expect("the command starts")
    };
    (0..count).map(spawn).collect()
}

fn ended(children: Vec<Child>) -> Vec<Said> {
    let wait = |child: Child| Said::of(child.wait_with_output().unwrap());
    children.into_iter().map(wait).collect()
}

#[test]
fn ten_concurrent_processes_are_one() {
    for project in Project::each("ten_processes") {
        project.revision("a", "none", "-- up\nCREATE TABLE a (n integer);\nINSERT INTO a VALUES (1);\n-- down\nDROP TABLE a;\n");
        project.revision(
            "b",
            "a",
            "-- up\nINSERT INTO a VALUES (2);\n-- down\nDELETE FROM a WHERE n = 2;\n",
        );
        let all = ended(spawned(&project, 10));
        for said in &all {
            assert_eq!(said.code, 0, "{}", said.text);
        }
        let worked = all
            .iter()
            .filter(|said| said.text.contains("2 revisions were applied"));
        assert_eq!(worked.count(), 1);
        let idle = all
            .iter()
            .filter(|said| said.text.contains("nothing to do"));
        assert_eq!(idle.count(), 9);
        assert_eq!(project.query("SELECT n FROM a ORDER BY n"), "1\n2");
        assert_eq!(
            project.query("SELECT count(*) FROM underpin_migrations"),
            "2"
        );
    }
}

#[test]
fn an_index_is_built_concurrently_while_other_processes_wait() {
    let server = or_skip!(Postgres::shared());
    let project = Project::on_postgres(server, "concurrently");
    project.revision(
        "a",
        "none",
        "-- up\nCREATE TABLE a (n integer);\n-- down\nDROP TABLE a;\n",
    );
    project.revision("b", "a", "-- up no-transaction\nSELECT pg_sleep(1);\nCREATE INDEX CONCURRENTLY a_n ON a (n);\n-- down no-transaction\nDROP INDEX CONCURRENTLY a_n;\n");
    for said in ended(spawned(&project, 5)) {
        assert_eq!(said.code, 0, "{}", said.text);
    }
    assert_eq!(
        project.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_n'::regclass"),
        "t"
    );
    project
        .run(&["down", "base"])
        .expect(0, &["2 revisions were undone"]);
}

/// Kills a run once its session is in the statement that sleeps.
fn kill_while_it_sleeps(project: &Project) {
    let mut child = project.command(&["up"]).spawn().unwrap();
    let asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
    let mut tries = 0;
    while project.query(asleep) != "1" {
        tries += 1;
        assert!(tries < 400, "the run never came to sleep");
        std::thread::sleep(Duration::from_millis(25));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_run_is_finished_by_the_next() {
    let server = or_skip!(Postgres::shared());
    // In a transaction, and outside one: there the first two statements stand.
    for section in ["-- up", "-- up no-transaction"] {
        let project = Project::on_postgres(server, "killed");
        project.revision("a", "none", "-- up\nCREATE TABLE a (n integer);\n-- down\n");
        let sleeps = "CREATE TABLE b (n integer);\nINSERT INTO a VALUES (1);\nSELECT pg_sleep(CASE WHEN EXISTS (SELECT FROM pg_tables WHERE tablename = 'awake') THEN 0 ELSE 30 END);\nCREATE INDEX b_n ON b (n);\n-- down\n";
        project.revision("b", "a", &format!("{section}\n{sleeps}"));
        kill_while_it_sleeps(&project);
        project.query("CREATE TABLE awake ()");
        let finished = project.run(&["up"]);
        finished.expect(0, &["applied b", "1 revision was applied"]);
        assert_eq!(project.query("SELECT count(*) FROM a"), "1");
        assert_eq!(
            project.query("SELECT count(*) FROM underpin_migrations WHERE direction IS NULL"),
            "2"
        );
        project.run(&["validate"]).expect(0, &[]);
        drop(project.postgres);
    }
}

#[test]
fn a_killed_run_on_sqlite_is_finished_by_the_next() {
    let project = Project::on_sqlite();
    project.revision(
        "a",
        "none",
        "-- up no-transaction\nCREATE TABLE a (n integer);\n-- down\n",
    );
    let endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < (SELECT CASE count(*) WHEN 0 THEN 1000000000 ELSE 1 END FROM awake)) INSERT INTO a SELECT max(x) FROM c";
    project.revision(
        "b",
        "a",
        &format!("-- up\nCREATE TABLE b (n integer);\n{endless};\n-- down\n"),
    );
    project.query("CREATE TABLE awake (n integer)");
    let mut child = project.command(&["up"]).spawn().unwrap();
    let mut tries = 0;
    while !project
        .query("SELECT count(*) FROM sqlite_schema WHERE name = 'a'")
        .contains('1')
    {
        tries += 1;
        assert!(tries < 400, "the run never began");
        std::thread::sleep(Duration::from_millis(25));
    }
    std::thread::sleep(Duration::from_millis(200));
    child.kill().unwrap();
    child.wait().unwrap();
    project.query("INSERT INTO awake VALUES (1)");
    project.run(&["up"]).expect(0, &["1 revision was applied"]);
    assert_eq!(project.query("SELECT count(*) FROM b"), "0");
}

#[test]
fn what_is_malformed_is_named_by_file_and_line_and_nothing_runs() {
    for project in Project::each("malformed") {
        project.revision(
            "a",
            "none",
            "-- up\nCREATE TABLE a (n integer);\n-- down\nDROP TABLE a;\n",
        );
        project.run(&["up"]).expect(0, &[]);
        let before = project.query("SELECT count(*) FROM underpin_migrations");
        for (sections, parts) in [
            (
                "-- up\nCREATE TABLE b (n integer);\nSELECT 'open\n",
                &["b.sql, line 6", "not closed"][..],
            ),
            ("-- up oracle\nSELECT 1;\n", &["b.sql, line 4", "oracle"]),
            ("-- up\nSELECT 1;\nCOMMIT;\n", &["b.sql, line 6", "COMMIT"]),
        ] {
            project.revision("b", "a", sections);
            project.run(&["up"]).expect(2, parts);
            project.run(&["validate"]).expect(2, parts);
        }
        project.revision("b", "nowhere", "-- up\n");
        project.run(&["up"]).expect(2, &["b.sql", "nowhere"]);
        assert_eq!(
            project.query("SELECT count(*) FROM underpin_migrations"),
            before
        );
        project.revision("b", "a", "-- up\nSELEC 1;\n");
        project.run(&["up"]).expect(
            4,
            &["b.sql, line 5", "No statement of this run took effect."],
        );
        assert_eq!(
            project.query("SELECT count(*) FROM underpin_migrations"),
            before
        );
    }
}

#[test]
fn a_project_from_init_to_repair() {
    let project = Project::on_sqlite();
    project.run(&["up"]).expect(2, &["revisions", "init"]);
    project
        .run(&["init"])
        .expect(0, &["made underpin.toml", "made revisions"]);
    let toml = project.path().join("underpin.toml");
    std::fs::write(&toml, "# mine\n").unwrap();
    project
        .run(&["init"])
        .expect(0, &["unchanged: underpin.toml"]);
    assert_eq!(std::fs::read_to_string(&toml).unwrap(), "# mine\n");

    project
        .run(&["new", "-m", "Add users", "--id", "one"])
        .expect(0, &["one_add_users.sql"]);
    let path = project.path().join("revisions/one_add_users.sql");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace("-- up\n", "-- up\nCREATE TABLE users (n integer);\n");
    let text = text.replace("-- down\n", "-- down\nDROP TABLE users;\n");
    std::fs::write(&path, &text).unwrap();
    project
        .run(&["new", "-m", "more", "--id", "two"])
        .expect(0, &[]);
    project.run(&["heads"]).expect(0, &["two", "more"]);
    project.run(&["plan"]).expect(
        0,
        &["BEGIN;\n", "CREATE TABLE users (n integer);\n", "COMMIT;\n"],
    );
    project
        .run(&["--format", "csv", "pending"])
        .expect(0, &["id,parents,message,file\none,\"\",Add users,"]);
    assert!(!project.path().join("test.db").exists());
    project
        .run(&["up", "+1"])
        .expect(0, &["applied one Add users"]);
    project.run(&["current"]).expect(0, &["one"]);
    project
        .run(&["--format", "json", "history"])
        .expect(0, &["\"state\":\"applied\"", "\"state\":\"pending\""]);
    project
        .run(&["show", "on"])
        .expect(0, &["checksum", "CREATE TABLE users"]);
    project.run(&["validate"]).expect(0, &[]);

    std::fs::write(&path, text.replace("n integer", "m integer")).unwrap();
    project.run(&["validate"]).expect(1, &["has changed"]);
    project.run(&["up"]).expect(2, &["has changed", "repair"]);
    project
        .run(&["repair"])
        .expect(0, &["one", "recorded", "accepted"]);
    project.run(&["up"]).expect(0, &["applied two"]);
    project
        .run(&["stamp", "one"])
        .expect(0, &["two", "no longer recorded"]);
    project.run(&["down", "base"]).expect(0, &["undone one"]);

    project.revision("three", "one", "-- up\n");
    project
        .run(&["new", "-m", "which"])
        .expect(2, &["2 heads", "`three`", "`two`"]);
    project
        .run(&["new", "-m", "both", "--parent", "two", "--parent", "three"])
        .expect(0, &[]);
    project
        .run(&["up", "--lock-timeout", "soon"])
        .expect(2, &["500ms"]);
}

#[test]
fn an_unreachable_server_and_a_failing_statement_have_their_codes() {
    let mut project = Project::on_sqlite();
    project.revision("a", "none", "-- up\nSELECT 1;\n");
    project.url = format!(
        "postgres://app@127.0.0.1:{}/shop",
        underpin_testkit::closed_port()
    );
    project.run(&["current"]).expect(3, &[]);
}

/// As a program in production runs it, without a terminal.
fn in_production(project: &Project, arguments: &[&str]) -> Said {
    let config = project.path().join("underpin.toml");
    if !config.exists() {
        let text = format!("environment = \"production\"\nurl = \"{}\"\n", project.url);
        std::fs::write(&config, text).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_underpin"));
    let output = command
        .arg("migrate")
        .args(arguments)
        .env_remove("DATABASE_URL")
        .current_dir(project.path())
        .stdin(Stdio::null())
        .output()
        .expect("the command starts");
    Said::of(output)
}

#[test]
fn in_production_what_is_hard_to_undo_needs_a_yes() {
    for project in Project::each("production") {
        project.revision(
            "a",
            "none",
            "-- up\nCREATE TABLE a (n integer);\n-- down\nDROP TABLE a;\n",
        );
        project.revision("b", "a", "-- up\nSELECT 1;\n-- down\n");
        in_production(&project, &["up"]).expect(0, &["2 revisions were applied"]);
        let refused = |arguments: &[&str], what: &str| {
            in_production(&project, arguments).expect(
                2,
                &[
                    "environment is production",
                    what,
                    "Nothing was done",
                    "--yes",
                ],
            );
        };
        refused(&["down", "base"], "would undo `b`, `a`");
        refused(&["stamp", "a"], "The history forgets `b` (the b)");
        assert_eq!(
            project.query("SELECT count(*) FROM underpin_migrations"),
            "2"
        );
        project.revision("b", "a", "-- up\nSELECT 2;\n-- down\n");
        refused(&["repair"], "other texts than those that ran: `b`");
        in_production(&project, &["repair", "--yes"]).expect(0, &["accepted"]);
        in_production(&project, &["stamp", "a", "--yes"]).expect(
            0,
            &["warning: The history forgets `b`", "no longer recorded"],
        );
        in_production(&project, &["down", "base", "--yes"]).expect(0, &["undone a"]);
        // There is nothing to ask about.
        in_production(&project, &["down", "base"]).expect(0, &["nothing to do"]);
        in_production(&project, &["repair"]).expect(0, &[]);
    }
}

#[test]
fn a_database_that_is_ahead_is_left_alone_where_that_is_chosen() {
    for project in Project::each("ahead") {
        project.revision("a", "none", "-- up\nCREATE TABLE a (n integer);\n-- down\n");
        project.revision("b", "a", "-- up\nCREATE TABLE b (n integer);\n-- down\n");
        project.run(&["up"]).expect(0, &[]);
        std::fs::remove_file(project.path().join("revisions/b.sql")).unwrap();
        project.revision("c", "a", "-- up\nCREATE TABLE c (n integer);\n-- down\n");
        project
            .run(&["up"])
            .expect(2, &["`b`", "there is no file for it"]);
        let separator = if project.url.contains('?') { '&' } else { '?' };
        let ignoring = Project {
            url: format!("{}{separator}migrate_ahead=ignore", project.url),
            directory: project.directory,
            _sqlite: project._sqlite,
            postgres: project.postgres,
        };
        ignoring
            .run(&["up"])
            .expect(0, &["left as they are: `b`", "applied c"]);
        ignoring.run(&["down", "base"]).expect(2, &["`b`"]);
        assert_eq!(
            ignoring.query("SELECT count(*) FROM underpin_migrations"),
            "3"
        );
    }
}

#[test]
fn a_plan_offline_is_a_script_that_keeps_the_history() {
    let project = Project::on_sqlite();
    project.revision(
        "a",
        "none",
        "-- up\nCREATE TABLE a (n integer);\n-- down\nDROP TABLE a;\n",
    );
    project.revision("b", "a", "-- up no-transaction\nVACUUM;\n-- up\nINSERT INTO a VALUES (1);\n-- down\nDELETE FROM a;\n");
    std::fs::create_dir(project.path().join("revisions/later")).unwrap();
    std::fs::rename(
        project.path().join("revisions/b.sql"),
        project.path().join("revisions/later/b.sql"),
    )
    .unwrap();
    // The file of the database is not made.
    project
        .run(&["plan", "--offline", "head"])
        .expect(2, &["from where to where"]);
    let script = project.run(&["plan", "--offline", "base:head"]);
    let script = script.expect(0, &["CREATE TABLE IF NOT EXISTS underpin_migrations"]);
    let path = project.url.trim_start_matches("sqlite://");
    let path = path.split('?').next().unwrap();
    assert!(!Path::new(path).exists());
    if Command::new("sqlite3").arg("--version").output().is_err() {
        underpin_testkit::skip!(
            "a_plan_offline_is_a_script_that_keeps_the_history",
            "sqlite3 is not here."
        );
    }
    let fed = |script: &str| {
        use std::io::Write;
        let mut child = Command::new("sqlite3")
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(script.as_bytes())
            .unwrap();
        Said::of(child.wait_with_output().unwrap())
    };
    fed(&script.text).expect(0, &[]);
    project.run(&["validate"]).expect(0, &[]);
    project.run(&["up"]).expect(0, &["nothing to do"]);
    assert_eq!(project.query("SELECT n FROM a"), "1");
    let back = project
        .run(&["plan", "--offline", "head:a"])
        .expect(0, &["DELETE FROM underpin_migrations"]);
    fed(&back.text).expect(0, &[]);
    project.run(&["current"]).expect(0, &["a"]);
    project.run(&["pending"]).expect(0, &["b"]);
}

#[test]
fn repeatable_revisions_run_again_when_they_change() {
    for project in Project::each("repeatable") {
        project.revision(
            "a",
            "none",
            "-- up\nCREATE TABLE a (n integer);\n-- down\nDROP TABLE a;\n",
        );
        let view = |sql: &str| {
            let text = format!(
                "-- revision: shown\n-- repeatable: yes\n-- message: what is shown\n-- up\n\
                 DROP VIEW IF EXISTS shown;\nCREATE VIEW shown AS {sql};\n-- down\nDROP VIEW shown;\n"
            );
            std::fs::write(project.path().join("revisions/shown.sql"), text).unwrap();
        };
        view("SELECT n FROM a");
        project
            .run(&["up"])
            .expect(0, &["applied a", "applied shown"]);
        project.run(&["up"]).expect(0, &["nothing to do"]);
        view("SELECT n + 1 AS n FROM a");
        project.run(&["pending"]).expect(0, &["shown"]);
        project.run(&["validate"]).expect(0, &[]);
        project.run(&["up"]).expect(0, &["applied shown"]);
        project.query("INSERT INTO a VALUES (1)");
        assert_eq!(project.query("SELECT n FROM shown"), "2");
        project
            .run(&["down", "base"])
            .expect(0, &["undone shown", "undone a"]);
        assert_eq!(
            project.query("SELECT count(*) FROM underpin_migrations"),
            "0"
        );
    }
}

#[test]
fn a_baseline_makes_a_new_database_what_this_one_is() {
    for project in Project::each("baseline") {
        project.query("CREATE TABLE users (id integer PRIMARY KEY, email text NOT NULL)");
        project.query("CREATE INDEX users_email ON users (email)");
        project.query("CREATE TABLE alembic_version (version_num varchar(32) NOT NULL)");
        project.query("INSERT INTO alembic_version VALUES ('3f9c')");
        project
            .run(&["adopt", "--from", "alembic", "--dir", "."])
            .expect(2, &[]);
        project
            .run(&["adopt", "--from", "alembic", "--baseline"])
            .expect(0, &["kept the earlier history", "as applied"]);
        project.run(&["up"]).expect(0, &["nothing to do"]);
        let kept = std::fs::read_to_string(project.path().join("revisions/.adopted/alembic.txt"));
        assert_eq!(kept.unwrap(), "3f9c\n");
        project
            .run(&["adopt", "--from", "alembic", "--baseline"])
            .expect(2, &["There are revisions in"]);

        let new = SqliteFile::new();
        if project.postgres.is_none() {
            let other = Project {
                directory: project.directory,
                url: new.url(),
                _sqlite: None,
                postgres: None,
            };
            other.run(&["up"]).expect(0, &["1 revision was applied"]);
            assert_eq!(other.query("SELECT count(*) FROM users"), "0");
            assert_eq!(
                other.query("SELECT count(*) FROM sqlite_schema WHERE name = 'alembic_version'"),
                "0"
            );
        }
    }
}

#[test]
fn squashed_revisions_are_one_that_makes_the_same() {
    for project in Project::each("squashed") {
        let (url, files) = (project.url.clone(), project.path().join("revisions"));
        project.revision(
            "a",
            "none",
            "-- up\nCREATE TABLE a (n integer PRIMARY KEY);\nINSERT INTO a VALUES (1);\n\
             -- down\nDROP TABLE a;\n",
        );
        project
            .run(&["squash"])
            .expect(2, &["only one revision", "`a`"]);
        project.revision(
            "b",
            "a",
            "-- up\nCREATE TABLE b (n integer NOT NULL REFERENCES a (n));\n\
             CREATE INDEX b_n ON b (n);\n-- down\nDROP TABLE b;\n",
        );
        let views = files.join("views.sql");
        std::fs::write(
            &views,
            "-- revision: views\n-- repeatable: yes\n-- message: views\n-- up\n\
             DROP VIEW IF EXISTS v;\nCREATE VIEW v AS SELECT n FROM b;\n-- down\n\
             DROP VIEW v;\n",
        )
        .unwrap();
        project.run(&["up", "a"]).expect(0, &[]);
        project
            .run(&["squash"])
            .expect(2, &["not at the head", "`b`", "Run `up` first"]);
        assert!(files.join("a.sql").exists() && files.join("b.sql").exists());
        project.run(&["up"]).expect(0, &[]);
        let before = project.query("SELECT count(*) FROM a");

        let said = project.run(&["squash", "--id", "all", "-m", "the shop"]);
        said.expect(
            0,
            &[
                "a.sql, line 6: New databases will not have the rows",
                "2 revisions were squashed into all",
                "recorded all as applied",
                "`migrate stamp heads`",
            ],
        );
        let mut names: Vec<String> = std::fs::read_dir(&files)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        assert_eq!(names, [".squashed", "all_the_shop.sql", "views.sql"]);
        assert!(files.join(".squashed/all/a.sql").exists());
        assert_eq!(
            project.query("SELECT id FROM underpin_migrations WHERE direction IS NULL ORDER BY id"),
            "all\nviews"
        );
        assert_eq!(project.query("SELECT count(*) FROM a"), before);
        project.run(&["up"]).expect(0, &["nothing to do"]);
        project.run(&["validate"]).expect(0, &[]);

        // What the revision makes is what was there, by the engine's own reading of both.
        let diff = Command::new(env!("CARGO_BIN_EXE_underpin"))
            .args(["--url", &url, "schema", "diff", "database", "revisions"])
            .current_dir(project.path())
            .output()
            .unwrap();
        Said::of(diff).expect(0, &[]);
    }
}
