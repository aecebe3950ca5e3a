//! The cases that a person can read: `tests/cases/sqlite/*.txt`. Each has a schema before and
//! after, the plan that leads there, and rows that it has to keep. With `UNDERPIN_BLESS` in
//! the environment, the plans in the files become those that are made.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use underpin::schema::{Hints, ObjectName, Plan, Rename, Undo, diff, sqlite};
use underpin_testkit::SqliteFile;

use crate::plan::{Outcome, there_and_back};
use crate::round_trip::{connect, read};

/// So many there are at least.
const CASES: usize = 40;

#[tokio::test]
async fn every_case_is_planned_as_it_says_and_leads_there_and_back() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/sqlite");
    let entries = fs::read_dir(&directory).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= CASES, "{} cases", paths.len());
    let mut wrong = Vec::new();
    for path in paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let (expected, found) = run(&name, &text).await;
        if expected != found && std::env::var_os("UNDERPIN_BLESS").is_some() {
            let end = text.find("=== plan\n").map_or(text.len(), |at| at + 9);
            fs::write(&path, format!("{}{found}", &text[..end])).unwrap();
        } else if expected != found {
            wrong.push(format!(
                "{name} says\n{expected}\nand this was planned\n{found}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The plan that a case has, and the one that is made.
async fn run(name: &str, text: &str) -> (String, String) {
    let sections = sections(text);
    let section = |name: &str| sections.get(name).map_or("", String::as_str);
    let (place, target) = (SqliteFile::new(), SqliteFile::new());
    let (db, other) = (connect(&place).await, connect(&target).await);
    for (db, sql) in [(&db, section("before")), (&other, section("after"))] {
        if let Err(error) = db.batch(sql).await {
            panic!("{name}: {error}");
        }
    }
    let lease = db.acquire().await.unwrap();
    if let Err(error) = lease.batch(section("rows")).await {
        panic!("{name}: {error}");
    }
    drop(lease);
    let (from, to) = (read(&db).await, read(&other).await);
    let hints = hints(section("rename"));
    let plan = sqlite::plan(&from, &to, &diff(&from, &to, &hints)).unwrap();
    let mut found = written(&plan);
    if plan.refusals.is_empty() {
        let outcome = there_and_back(name, &db, (&from, &to), &hints, &plan).await;
        if let Outcome::RowsDoNotFit(error) = outcome {
            let error = error.lines().next().unwrap_or_default();
            let (_, said) = error.split_once("test.db: ").unwrap_or(("", error));
            let _ = writeln!(found, "fails: {said}");
        }
    }
    (section("plan").to_owned(), found)
}

fn sections(text: &str) -> BTreeMap<String, String> {
    let mut sections = BTreeMap::new();
    for part in text.split("=== ").skip(1) {
        let (name, body) = part.split_once('\n').unwrap_or((part, ""));
        sections.insert(name.trim().to_owned(), body.to_owned());
    }
    sections
}

/// Lines as `old=new` of tables, `table.old=new` of columns.
fn hints(text: &str) -> Hints {
    let renames = text.lines().filter_map(|line| {
        let (old, new) = line.split_once('=')?;
        let main = |name: &str| ObjectName::new("main", name);
        Some(match old.split_once('.') {
            Some((table, old)) => Rename::Column {
                table: main(table),
                from: old.to_owned(),
                to: new.to_owned(),
            },
            None => Rename::Table {
                from: main(old),
                to: main(new),
            },
        })
    });
    Hints {
        renames: renames.collect(),
        ..Hints::default()
    }
}

fn written(plan: &Plan) -> String {
    let mut text = String::new();
    for refusal in &plan.refusals {
        let _ = writeln!(text, "refused: {refusal}");
    }
    for left in &plan.left {
        let _ = writeln!(text, "left: {left}");
    }
    for step in &plan.steps {
        let _ = writeln!(text, "# {}\n{};", step.comment, step.sql);
        if step.lock.to_string() != "WRITE on main, which blocks writes to the whole database" {
            let _ = writeln!(text, "  lock: {}", step.lock);
        }
        if let Some(loses) = &step.loses {
            let _ = writeln!(text, "  loses: {loses}");
        }
        match &step.undo {
            Undo::Sql(statements) => {
                for statement in statements {
                    let statement = statement.replace('\n', "\n  ");
                    let _ = writeln!(text, "  undo: {statement};");
                }
            }
            Undo::Included => {}
            Undo::None(reason) => {
                let _ = writeln!(text, "  no undo: {reason}");
            }
        }
    }
    if plan.steps.is_empty() && plan.refusals.is_empty() {
        text.push_str("nothing to do\n");
    }
    text
}
