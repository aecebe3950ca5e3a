//! The cases that a person can read: `tests/cases/schema/<engine>/*.txt`. Each has a database,
//! files, and commands with what they say, standard error behind standard output, and how they
//! end. What follows `run` is a command that has to succeed, whatever it says. With `UNDERPIN_BLESS` in the environment, what
//! is said becomes what the files say.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use underpin_testkit::{Postgres, or_skip};

use crate::place::Place;

/// So many there are at least on each engine.
const CASES: usize = 6;

fn paths(engine: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/schema");
    let entries = fs::read_dir(directory.join(engine)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= CASES, "{} cases", paths.len());
    paths
}

#[tokio::test]
async fn every_command_says_on_sqlite_what_its_case_says() {
    let mut wrong = Vec::new();
    for path in paths("sqlite") {
        compare(&path, &Place::on_sqlite(), &mut wrong).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_command_says_on_postgres_what_its_case_says() {
    let server = or_skip!(Postgres::shared());
    let mut wrong = Vec::new();
    for path in paths("postgres") {
        let name = path.file_stem().unwrap().to_string_lossy();
        let place = Place::on_postgres(server, &format!("schema_{name}"));
        compare(&path, &place, &mut wrong).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn compare(path: &Path, place: &Place, wrong: &mut Vec<String>) {
    let expected = fs::read_to_string(path).unwrap();
    let found = run(&expected, place).await;
    if expected == found {
        return;
    }
    if std::env::var_os("UNDERPIN_BLESS").is_some() {
        fs::write(path, found).unwrap();
        return;
    }
    let pairs = expected.lines().zip(found.lines());
    let first = pairs.clone().position(|(one, other)| one != other);
    wrong.push(format!(
        "{} differs at line {}. It is now:\n{found}",
        path.display(),
        first.unwrap_or(pairs.count()) + 1
    ));
}

/// The case as it is with what the commands say now.
async fn run(case: &str, place: &Place) -> String {
    let mut parts = case.split("=== ");
    let mut found = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (head, body) = part.split_once('\n').unwrap_or((part, ""));
        match head.split_once(' ') {
            _ if head == "database" => place.batch(body).await,
            Some(("file", name)) => place.write(name, body),
            Some(("run", line)) => {
                let said = place.run(&line.split(' ').collect::<Vec<_>>());
                assert_eq!(said.code, 0, "{line}: {}", said.err);
            }
            Some(("$", line)) => {
                let body = said(line, place);
                let _ = write!(found, "=== {head}\n{body}");
                continue;
            }
            _ => panic!("no such part: {head}"),
        }
        let _ = write!(found, "=== {head}\n{body}");
    }
    found
}

fn said(line: &str, place: &Place) -> String {
    let arguments: Vec<&str> = line.split(' ').collect();
    let said = place.run(&arguments);
    // SQLite names the file in every error.
    let at = place.url();
    let at = at.strip_prefix("sqlite://").unwrap_or(&at);
    let at = at.strip_prefix("sqlite:").unwrap_or(at);
    let at = at.strip_suffix("?mode=rwc").unwrap_or(at);
    let text = format!("{}{}", said.out, said.err).replace(at, "FILE");
    let end = if text.ends_with('\n') || text.is_empty() {
        ""
    } else {
        "\n"
    };
    format!("{text}{end}(exit {})\n\n", said.code)
}
