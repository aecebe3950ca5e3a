//! Ctrl-C and SIGTERM, sent to the command while it is at work.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use underpin_testkit::{Postgres, SqliteFile, TestDatabase, or_skip};

/// A directory of revisions in which the command runs.
struct Project(tempfile::TempDir);

impl Project {
    fn new() -> Self {
        Project(tempfile::tempdir().unwrap())
    }

    fn revision(&self, id: &str, parents: &str, sections: &str) {
        let directory = self.0.path().join("revisions");
        std::fs::create_dir_all(&directory).unwrap();
        let text =
            format!("-- revision: {id}\n-- parents: {parents}\n-- message: the {id}\n{sections}");
        std::fs::write(directory.join(format!("{id}.sql")), text).unwrap();
    }

    fn spawn(&self, url: &str, arguments: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_underpin"))
            .args(["--url", url])
            .args(arguments)
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts")
    }

    fn run(&self, url: &str, arguments: &[&str]) -> (i32, String) {
        ended(self.spawn(url, arguments))
    }
}

fn ended(child: Child) -> (i32, String) {
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    print!("{said}");
    let code = output.status.code().expect("the command ends by itself");
    (code, said)
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args([name, &id]).status().unwrap();
    assert!(sent.success());
}

/// Another client of the server, which looks.
struct Observer<'a> {
    runtime: tokio::runtime::Runtime,
    database: &'a TestDatabase,
}

impl<'a> Observer<'a> {
    fn new(database: &'a TestDatabase) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        Observer { runtime, database }
    }

    fn ask(&self, sql: &str) -> String {
        self.runtime.block_on(async {
            let client = self.database.client().await;
            let row = client.query_one(sql, &[]).await.unwrap();
            row.get::<_, Option<String>>(0).unwrap_or_default()
        })
    }

    fn wait_for(&self, sql: &str, answer: &str) {
        let mut last = String::new();
        for _ in 0..400 {
            last = self.ask(sql);
            if last == answer {
                return;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("{sql} is never {answer}, but {last}");
    }

    /// Waits until a statement with this text runs, in whichever database, and returns its database.
    fn database_of(&self, text: &str) -> String {
        let sql = running("max(datname)", text);
        for _ in 0..400 {
            let found = self.ask(&sql);
            if !found.is_empty() {
                return found;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("{text} never runs");
    }

    fn execute(&self, sql: &str) {
        self.runtime.block_on(async {
            let client = self.database.client().await;
            client.batch_execute(sql).await.unwrap();
        });
    }
}

fn running(what: &str, text: &str) -> String {
    format!(
        "SELECT {what}::text FROM pg_stat_activity WHERE state = 'active' \
         AND query LIKE '%{text}%' AND pid <> pg_backend_pid()"
    )
}

const SESSIONS: &str = "SELECT count(*)::text FROM pg_stat_activity \
    WHERE datname = current_database() AND application_name IN ('underpin migrate', 'underpin_copy')";
const ADVISORY: &str = "SELECT count(*)::text FROM pg_locks \
    WHERE locktype = 'advisory' AND database = \
    (SELECT oid FROM pg_database WHERE datname = current_database())";

#[test]
fn a_run_of_revisions_is_canceled_and_says_what_remains() {
    let server = or_skip!(Postgres::shared());
    for (section, name, signal_name) in [
        ("-- up", "interrupt_within", "-INT"),
        ("-- up no-transaction", "interrupt_outside", "-TERM"),
    ] {
        let database = server.database(name);
        let (project, observer) = (Project::new(), Observer::new(&database));
        let url = database.url();
        project.revision("a", "none", "-- up\nCREATE TABLE a (n integer);\n-- down\n");
        let sleeps = "CREATE TABLE b (n integer);\nSELECT pg_sleep(61.5);\n-- down\n";
        project.revision("b", "a", &format!("{section}\n{sleeps}"));
        project.revision("c", "b", "-- up\nCREATE TABLE c (n integer);\n-- down\n");
        let child = project.spawn(&url, &["migrate", "up"]);
        let asleep = running("count(*)", "pg_sleep(61.5)") + " AND datname = current_database()";
        observer.wait_for(&asleep, "1");
        signal(&child, signal_name);
        let (code, said) = ended(child);
        assert_eq!(code, 130, "{said}");
        assert!(said.contains("was canceled on the server"), "{said}");
        assert!(said.contains("This run applied `a`."), "{said}");

        // The statement and the lock are gone when the command ends.
        assert_eq!(observer.ask(&asleep), "0");
        assert_eq!(observer.ask(ADVISORY), "0");
        observer.wait_for(SESSIONS, "0");
        let tables = "SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_tables \
            WHERE schemaname = 'public' AND tablename <> 'underpin_migrations'";
        if section == "-- up" {
            assert!(said.contains("Not applied: `b`, `c`."), "{said}");
            assert_eq!(observer.ask(tables), "a");
            project.revision("b", "a", "-- up\nCREATE TABLE b (n integer);\n-- down\n");
            let (code, said) = project.run(&url, &["migrate", "up"]);
            assert_eq!(code, 0, "{said}");
            assert_eq!(observer.ask(tables), "a b c");
        } else {
            assert!(said.contains("Stopped halfway: `b`."), "{said}");
            assert!(said.contains("Not applied: `c`."), "{said}");
            assert_eq!(observer.ask(tables), "a b");
            let half = "SELECT direction || ' ' || statements_done::text || ' ' || \
                statement_begun::text FROM underpin_migrations WHERE id = 'b'";
            assert_eq!(observer.ask(half), "up 1 true");
        }
    }
}

#[test]
fn a_run_that_waits_for_another_ends_at_once() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("interrupt_waiting");
    let (project, observer) = (Project::new(), Observer::new(&database));
    project.revision("a", "none", "-- up\nCREATE TABLE a (n integer);\n-- down\n");
    let key = i64::from_be_bytes(*b"underpin");
    let holder = observer.runtime.block_on(async {
        let client = database.client().await;
        let lock = format!("SELECT pg_advisory_lock({key})");
        client.batch_execute(&lock).await.unwrap();
        client
    });
    let child = project.spawn(&database.url(), &["migrate", "up"]);
    observer.wait_for(SESSIONS, "1");
    signal(&child, "-INT");
    let (code, said) = ended(child);
    assert_eq!(code, 130, "{said}");
    assert!(said.contains("This run completed no revision."), "{said}");
    assert!(said.contains("Not applied: `a`."), "{said}");
    drop(holder);
    observer.wait_for(SESSIONS, "0");
}

#[test]
fn scratch_databases_are_dropped_before_the_command_ends() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("interrupt_scratch");
    let (project, observer) = (Project::new(), Observer::new(&database));
    let url = database.url();
    let sleeps = "CREATE TABLE a (n integer);\nSELECT pg_sleep(62.25);\n-- down\n";
    project.revision("a", "none", &format!("-- up\n{sleeps}"));
    for arguments in [
        &["schema", "dump", "revisions"][..],
        &["schema", "diff", "database", "revisions"],
        &["migrate", "check", "--from-sql", "wanted.sql"],
    ] {
        std::fs::write(
            project.0.path().join("wanted.sql"),
            "CREATE TABLE a (n int);",
        )
        .unwrap();
        let child = project.spawn(&url, arguments);
        let scratch = observer.database_of("pg_sleep(62.25)");
        assert_ne!(scratch, database.name(), "{arguments:?}");
        signal(&child, "-INT");
        let (code, said) = ended(child);
        assert_eq!(code, 130, "{arguments:?}: {said}");
        assert!(said.contains("was canceled on the server"), "{said}");
        assert_eq!(observer.ask(&running("count(*)", "pg_sleep(62.25)")), "0");
        let left = format!("SELECT count(*)::text FROM pg_database WHERE datname = '{scratch}'");
        assert_eq!(observer.ask(&left), "0", "{arguments:?}");
    }
}

#[test]
fn a_copy_is_canceled_and_goes_on_later() {
    let server = or_skip!(Postgres::shared());
    let source = server.database("interrupt_from");
    let target = server.database("interrupt_to");
    let (project, observer) = (Project::new(), Observer::new(&target));
    Observer::new(&source).execute(
        "CREATE TABLE rows (n integer PRIMARY KEY); INSERT INTO rows SELECT generate_series(1, 50)",
    );
    observer.execute("CREATE TABLE rows (n integer PRIMARY KEY)");
    let holder = observer.runtime.block_on(async {
        let client = target.client().await;
        let lock = "BEGIN; LOCK TABLE rows IN ACCESS EXCLUSIVE MODE";
        client.batch_execute(lock).await.unwrap();
        client
    });
    let waits = "SELECT (count(*) > 0)::text FROM pg_locks WHERE NOT granted AND database = \
        (SELECT oid FROM pg_database WHERE datname = current_database())";
    let named = |url: String| format!("{url}&application_name=underpin_copy");
    let (from, to) = (named(source.url()), named(target.url()));
    let arguments = ["copy", &from, &to];
    let child = project.spawn(&target.url(), &arguments);
    observer.wait_for(waits, "true");
    // As `timeout` does: to the process, and to its group.
    signal(&child, "-INT");
    signal(&child, "-INT");
    let (code, said) = ended(child);
    assert_eq!(code, 130, "{said}");
    assert!(said.contains("was canceled on the server"), "{said}");
    assert!(said.contains("The same command goes on."), "{said}");
    assert_eq!(observer.ask(waits), "false");
    observer.wait_for(SESSIONS, "0");
    drop(holder);
    observer.wait_for(
        "SELECT count(*)::text FROM pg_locks WHERE relation = 'rows'::regclass",
        "0",
    );
    let (code, said) = project.run(&target.url(), &arguments);
    assert_eq!(code, 0, "{said}");
    assert_eq!(observer.ask("SELECT count(*)::text FROM rows"), "50");
}

#[test]
fn a_run_on_sqlite_is_interrupted() {
    let (file, project) = (SqliteFile::new(), Project::new());
    let url = file.url();
    project.revision("a", "none", "-- up\nCREATE TABLE a (n integer);\n-- down\n");
    let endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) \
        INSERT INTO a SELECT max(x) FROM c";
    project.revision(
        "b",
        "a",
        &format!("-- up\nCREATE TABLE b (n integer);\n{endless};\n-- down\n"),
    );
    let child = project.spawn(&url, &["migrate", "up"]);
    let tables = |name: &str| {
        let sql = format!("SELECT count(*) FROM sqlite_schema WHERE name = '{name}'");
        project.run(&url, &["--format", "csv", "query", &sql]).1
    };
    let mut tries = 0;
    while !file.path().exists() || !tables("a").ends_with("1\n") {
        tries += 1;
        assert!(tries < 400, "the run never began");
        std::thread::sleep(Duration::from_millis(25));
    }
    signal(&child, "-INT");
    let (code, said) = ended(child);
    assert_eq!(code, 130, "{said}");
    assert!(said.contains("This run applied `a`."), "{said}");
    assert!(said.contains("Not applied: `b`."), "{said}");
    assert!(tables("b").ends_with("0\n"));
    let names = std::fs::read_dir(file.directory()).unwrap();
    let names: Vec<String> = names
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(!names.iter().any(|name| name.contains("lock")), "{names:?}");
}
