//! The command on Access files.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn file(name: &str) -> PathBuf {
    let files = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../drivers/access/tests/data"
    );
    Path::new(files).join(name)
}

/// The command beside the files, with nothing in its environment that could name a database.
fn underpin(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_underpin"));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .current_dir(file(""));
    for (name, _) in std::env::vars() {
        if name.starts_with("DB_") || name.contains("DATABASE_URL") || name == "UNDERPIN_ENV" {
            command.env_remove(name);
        }
    }
    command.envs(variables.iter().copied());
    let output = command.output().expect("the command starts");
    print!("{}{}", text(&output.stdout), text(&output.stderr));
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a command prints that succeeds.
fn said(arguments: &[&str]) -> String {
    let output = underpin(arguments, &[]);
    assert!(output.status.success(), "{arguments:?}");
    text(&output.stdout)
}

#[test]
fn a_file_is_queried_by_its_name_alone_and_by_a_url() {
    let sql = "SELECT count(*) AS n FROM \"Job Postings\" WHERE \"EmployerID\" = 9";
    for url in [
        "legacy.accdb",
        "access:legacy.mdb",
        "access:///legacy.accdb",
    ] {
        let csv = said(&["--url", url, "--format", "csv", "query", sql]);
        assert_eq!(csv, "n\n12\n", "{url}");
    }
    let sql = "SELECT ID, Company, Since, Credit FROM Employers ORDER BY ID LIMIT 2";
    let csv = said(&["--url", "legacy.accdb", "--format", "csv", "query", sql]);
    let expected = "ID,Company,Since,Credit\n\
                    1,Acme Océan GmbH 1,1950-01-10 00:30:50,46.4211\n\
                    2,株式会社みらい 2,1951-02-11 01:31:51,-33.9888\n";
    assert_eq!(csv, expected);
}

#[test]
fn old_properties_of_the_environment_open_a_file() {
    let variables = [("DB_TYPE", "access"), ("DB_NAME", "legacy.mdb")];
    let output = underpin(
        &[
            "--format",
            "csv",
            "query",
            "SELECT count(*) AS n FROM Employers",
        ],
        &variables,
    );
    assert_eq!(text(&output.stdout), "n\n60\n");
}

#[test]
fn the_configuration_shows_a_pool_of_one() {
    let shown = said(&["--url", "legacy.accdb?pool_max_size=7", "config"]);
    let line = |key: &str| {
        let mut lines = shown.lines();
        let line = lines.find(|line| line.split_whitespace().next() == Some(key));
        line.unwrap_or_default()
            .split_whitespace()
            .nth(1)
            .map(str::to_owned)
    };
    assert_eq!(line("engine").as_deref(), Some("access"));
    assert_eq!(line("pool_max_size").as_deref(), Some("1"));
    assert_eq!(line("pool_min_size").as_deref(), Some("1"));
    assert!(shown.contains("Access has one connection"), "{shown}");
}

#[test]
fn production_is_warned_once_and_nobody_else() {
    let run = |variables: &[(&str, &str)]| {
        let output = underpin(&["--url", "legacy.accdb", "health"], variables);
        assert!(output.status.success());
        text(&output.stderr).matches("used in production").count()
    };
    assert_eq!(run(&[("UNDERPIN_LOG", "warn")]), 0);
    let variables = [
        ("DB_TYPE", "access"),
        ("DB_NAME", "legacy.accdb"),
        ("UNDERPIN_ENV", "production"),
        ("UNDERPIN_LOG", "warn"),
    ];
    let output = underpin(&["health"], &variables);
    assert!(output.status.success());
    assert_eq!(
        text(&output.stderr).matches("used in production").count(),
        1
    );
}

#[test]
fn writing_ends_with_the_code_of_a_refusal() {
    let output = underpin(
        &["--url", "legacy.accdb", "query", "DELETE FROM Employers"],
        &[],
    );
    assert_eq!(output.status.code(), Some(4));
    let said = text(&output.stderr);
    assert!(
        said.contains("Access files are read, and not written"),
        "{said}"
    );
    assert!(said.contains("underpin copy"), "{said}");
}

/// What is dumped of a file, which also says what it leaves out: the values that Access gives a column
/// of GUIDs.
fn dumped(url: &str) -> String {
    let output = underpin(&["--url", url, "schema", "dump"], &[]);
    assert_eq!(output.status.code(), Some(1));
    let left_out = "not carried: automatic value of column Ref of Job Postings\n";
    assert_eq!(text(&output.stderr), left_out);
    text(&output.stdout)
}

#[test]
fn the_structure_of_a_file_is_shown_dumped_compared_and_drawn() {
    let shown = said(&["--url", "legacy.accdb", "schema", "show", "Job Postings"]);
    for part in ["EmployerID", "Posted On", "UUID", "Employers"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let dumped = dumped("legacy.accdb");
    for part in [
        "CREATE TABLE \"Job Postings\"",
        "\"ID\" INTEGER PRIMARY KEY AUTOINCREMENT",
        "\"Credit\" NUMERIC(19,4)",
        "REFERENCES \"Employers\" (\"ID\")",
    ] {
        assert!(dumped.contains(part), "{part}: {dumped}");
    }
    let again = self::dumped("legacy.mdb");
    assert_eq!(again, dumped);
    let same = underpin(
        &[
            "--url",
            "legacy.accdb",
            "schema",
            "diff",
            "database",
            "access:legacy.mdb",
        ],
        &[],
    );
    assert_eq!(same.status.code(), Some(0), "{}", text(&same.stdout));
    let drawn = said(&["--url", "legacy.accdb", "schema", "erd", "--mermaid"]);
    assert!(
        drawn.contains("erDiagram") && drawn.contains("Job Postings"),
        "{drawn}"
    );
}

/// What is dumped makes the same structure in SQLite.
#[test]
fn what_is_dumped_is_sql_of_sqlite() {
    let dumped = dumped("legacy.accdb");
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("structure.sql");
    std::fs::write(&script, &dumped).unwrap();
    let url = format!(
        "sqlite:{}?mode=rwc",
        directory.path().join("copy.db").display()
    );
    let made = underpin(&["--url", &url, "query", "SELECT 1"], &[]);
    assert!(made.status.success());
    let conn = Command::new(env!("CARGO_BIN_EXE_underpin"))
        .args(["--url", &url, "schema", "dump", script.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(conn.status.success(), "{}", text(&conn.stderr));
    assert_eq!(text(&conn.stdout), dumped);
}
