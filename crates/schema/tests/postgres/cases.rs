//! Cases that a person can read: what there was, what there is to be, and the steps between,
//! each carried out on a real server, there and back.
//!
//! A case that fails shows what the steps are now; with `UNDERPIN_TEST_REWRITE` set they are
//! written into the file, to be read before they are kept.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use underpin::Database;
use underpin::schema::{
    Hints, Plan, Rename, Schema, Selection, Step, Undo, diff, introspect, postgres,
};
use underpin_testkit::{Postgres, or_skip};

use crate::carry_out::{carry_back, carry_out};
use crate::pairs::{kept, same};
use crate::round_trip::connect;
use crate::rows::rows;

/// Fewer would mean that some are no longer found.
const AT_LEAST: usize = 140;

/// The server whose spelling of views, checks and defaults is in the files.
const SPELLED_BY: i32 = 15;

const EMPTY: &str = "
DO $$ DECLARE n text; BEGIN
  FOR n IN SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' LOOP
    EXECUTE format('DROP EXTENSION %I CASCADE', n);
  END LOOP;
  FOR n IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', n);
  END LOOP;
END $$;
CREATE SCHEMA public;
COMMENT ON SCHEMA public IS 'standard public schema'";

/// What is in a file.
#[derive(Debug, Default)]
struct Case {
    /// The first major version that has what it is about.
    from: Option<i32>,
    /// The last major version on which the plan leads there at once.
    until: Option<i32>,
    /// All up to what is expected.
    given: String,
    renames: Vec<String>,
    /// The extension without which there is nothing to try.
    needs: Option<String>,
    before: String,
    rows: String,
    after: String,
    /// What the error says that the rows cause.
    fails: String,
    expected: String,
}

fn parsed(text: &str) -> Case {
    let mut case = Case::default();
    let mut section = "";
    for line in text.lines() {
        let head = line.strip_prefix("-- ");
        if let Some(rename) = head.and_then(|head| head.strip_prefix("rename: ")) {
            case.renames.push(rename.to_owned());
        } else if let Some(needs) = head.and_then(|head| head.strip_prefix("needs: ")) {
            case.needs = Some(needs.to_owned());
        } else if let Some(from) = head.and_then(|head| head.strip_prefix("from: ")) {
            case.from = from.parse().ok();
        } else if let Some(until) = head.and_then(|head| head.strip_prefix("until: ")) {
            case.until = until.parse().ok();
        }
        let sections = ["before", "rows", "after", "fails"];
        let found = sections.iter().find(|name| head == Some(**name));
        let is_head = found.is_some();
        if let Some(found) = found {
            section = found;
        } else if head == Some("plan") {
            section = "plan";
        }
        let lines = match section {
            "before" => &mut case.before,
            "rows" => &mut case.rows,
            "after" => &mut case.after,
            "fails" => &mut case.fails,
            "plan" => &mut case.expected,
            _ => &mut String::new(),
        };
        if !is_head {
            let _ = writeln!(lines, "{line}");
        }
        if section != "plan" {
            let _ = writeln!(case.given, "{line}");
        }
    }
    case
}

/// What is expected, as it stands in a file.
fn rendered(plan: &Plan, proposed: &[Rename]) -> String {
    let mut text = "-- plan\n".to_owned();
    for refusal in &plan.refusals {
        let _ = writeln!(text, "refused: {refusal}");
    }
    for left in &plan.left {
        let _ = writeln!(text, "left: {left}");
    }
    for rename in proposed {
        let _ = writeln!(text, "proposed: --rename {rename}");
    }
    for setting in &plan.settings {
        let _ = writeln!(text, "setting: {setting}");
    }
    for (number, step) in plan.steps.iter().enumerate() {
        let _ = write!(text, "{}. {}", number + 1, of_step(step));
    }
    if plan.is_empty() {
        text.push_str("nothing to do\n");
    }
    text
}

fn of_step(step: &Step) -> String {
    let mut text = format!("{}\n", step.comment);
    let mut line = |head: &str, said: &str| {
        let said = said.replace('\n', "\n      ");
        let _ = writeln!(text, "   {head}{said}");
    };
    line("", &step.sql);
    if step.lock.to_string() != "none" {
        line("lock: ", &step.lock.to_string());
    }
    match &step.undo {
        Undo::Sql(statements) => {
            for statement in statements {
                line("undo: ", statement);
            }
        }
        Undo::Included => line("undo: with another step", ""),
        Undo::None(why) => line("no undo: ", why),
    }
    if let Some(loses) = &step.loses {
        line("loses: ", loses);
    }
    if !step.transactional {
        line("by itself, before the rest", "");
    }
    text
}

async fn made(db: &Database, sql: &str) -> Result<Schema, String> {
    let wrong = |error: underpin::Error| error.to_string();
    db.batch(EMPTY).await.map_err(wrong)?;
    if !sql.trim().is_empty() {
        db.batch(sql).await.map_err(wrong)?;
    }
    introspect(db, &Selection::default()).await.map_err(wrong)
}

/// Carries a case out. None where it needs what the server has not.
async fn tried(case: &Case, db: &Database) -> Result<Option<String>, String> {
    if let Some(needs) = &case.needs {
        let sql = "SELECT count(*) FROM pg_available_extensions WHERE name = $1";
        let there: i64 = db.query_scalar(sql, (needs.clone(),)).await.unwrap();
        if there == 0 {
            return Ok(None);
        }
    }
    let after = made(db, &case.after).await?;
    let before = made(db, &case.before).await?;
    let renames = case.renames.iter();
    let renames = renames.map(|text| Rename::parse(text, &before, &after));
    let renames = renames.collect::<Result<Vec<_>, _>>();
    let hints = Hints {
        renames: renames.map_err(|error| error.to_string())?,
        ..Hints::default()
    };
    let difference = diff(&before, &after, &hints);
    let plan = postgres::plan(&before, &after, &difference).unwrap();
    let text = rendered(&plan, &difference.proposed);
    if !plan.refusals.is_empty() {
        assert!(plan.check(true).is_err());
        return Ok(Some(text));
    }
    if plan.is_empty() {
        assert!(difference.changes.is_empty());
        return Ok(Some(text));
    }
    assert_eq!(plan.check(false).is_ok(), plan.losses().count() == 0);
    if !case.rows.trim().is_empty() {
        let filled = db.batch(&case.rows).await;
        filled.map_err(|error| error.to_string())?;
    }
    let were = rows(db, &before).await;
    let done = carry_out(db, &plan).await;
    let read = introspect(db, &Selection::default()).await.unwrap();
    let fails = case.fails.trim();
    if !fails.is_empty() {
        let error = done.err().ok_or("it did not fail")?.to_string();
        let said = error.contains(fails).then_some(()).ok_or(error);
        said.and_then(|()| same("what failed left this", &read, &before))?;
        return Ok(Some(text));
    }
    done.map_err(|error| error.to_string())?;
    same("the plan left this", &read, &expected_of(&before, &after))?;
    kept(&were, &rows(db, &read).await)?;
    if plan.down().is_ok() {
        let back = carry_back(db, &plan).await;
        back.map_err(|error| format!("on the way back: {error}"))?;
        let read = introspect(db, &Selection::default()).await.unwrap();
        same("the way back left this", &read, &before)?;
    }
    Ok(Some(text))
}

/// The target, and the partitions that it does not name.
fn expected_of(before: &Schema, after: &Schema) -> Schema {
    let mut expected = after.clone();
    for (name, table) in &before.tables {
        let parent = table.partition_of.as_ref();
        if parent.is_some_and(|of| after.tables.contains_key(&of.parent)) {
            let entry = expected.tables.entry(name.clone());
            entry.or_insert_with(|| table.clone());
        }
    }
    expected
}

fn files() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/postgres");
    let entries = std::fs::read_dir(directory).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[tokio::test]
async fn every_case_is_planned_and_carried_out_as_it_says() {
    let server = or_skip!(Postgres::shared());
    let place = server.database("cases");
    let db = connect(&place).await;
    let sql = "SELECT current_setting('server_version_num')::int4 / 10000";
    let version: i32 = db.query_scalar(sql, ()).await.unwrap();
    let rewrite = std::env::var_os("UNDERPIN_TEST_REWRITE").is_some();
    let files = files();
    let (mut wrong, mut done) = (Vec::new(), 0);
    for file in &files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(file).unwrap();
        let case = parsed(&text);
        let before = case.from.is_some_and(|from| version < from);
        if before || case.until.is_some_and(|until| version > until) {
            println!("{name} is skipped on this version");
            continue;
        }
        match tried(&case, &db).await {
            Err(what) => wrong.push(format!("{name}: {what}")),
            Ok(None) => println!("{name} is skipped: the server has not what it needs"),
            Ok(Some(now)) => {
                done += 1;
                if rewrite {
                    let given = case.given.trim_end();
                    std::fs::write(file, format!("{given}\n\n{now}")).unwrap();
                } else if version == SPELLED_BY && now != case.expected {
                    wrong.push(format!("{name} is planned otherwise:\n{now}"));
                }
            }
        }
    }
    println!("{done} cases of {}", files.len());
    assert!(
        wrong.is_empty(),
        "{} cases\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(files.len() >= AT_LEAST, "only {} cases", files.len());
}
