//! For any two schemas, the plan leads from one to the other and back, and rows stay.

use std::collections::BTreeMap;

use underpin::schema::{Diff, Hints, Plan, Schema, Selection, diff, introspect, postgres};
use underpin::{Database, Error};
use underpin_testkit::{Postgres, or_skip};

use crate::carry_out::{carry_back, carry_out};
use crate::generate::{self, Server};
use crate::generated::server;
use crate::round_trip::{apply, connect};
use crate::rows::{Rows, fill, rows};

/// So many pairs of schemas that know nothing of one another.
const STRANGERS: u64 = 16;

/// So many schemas that are changed here and there.
const CHANGED: u64 = 40;

/// The seeds of a run: the same always, unless it is asked for others, `first..end`.
fn seeds(usual: u64) -> std::ops::Range<u64> {
    let asked = std::env::var("UNDERPIN_TEST_SEEDS").ok();
    let asked = asked.map(|text| {
        let (first, end) = text.split_once("..").expect("two numbers with .. between");
        first.parse().unwrap()..end.parse().unwrap()
    });
    asked.unwrap_or(0..usual)
}

/// What became of the pairs.
#[derive(Debug, Default)]
struct Outcomes {
    carried_out: usize,
    undone: usize,
    changes: usize,
    steps: usize,
    /// By the first words of the sentence.
    refused: BTreeMap<String, usize>,
    rows: usize,
}

async fn read(db: &Database) -> Schema {
    introspect(db, &Selection::default()).await.unwrap()
}

fn described(diff: &Diff) -> String {
    let changes = diff
        .changes
        .iter()
        .map(|change| format!("{change}: {change:?}"));
    changes.collect::<Vec<_>>().join("\n")
}

fn planned(plan: &Plan) -> String {
    let steps = plan.steps.iter();
    let steps = steps.map(|step| {
        format!(
            "-- {}\n{}\n     undo {:?}",
            step.comment, step.sql, step.undo
        )
    });
    steps.collect::<Vec<_>>().join("\n")
}

/// Leads a database with the first schema to the second and back, and says what went wrong.
async fn there_and_back(
    name: &str,
    (from, to): (&Schema, &Schema),
    with_rows: bool,
    outcomes: &mut Outcomes,
) -> Result<(), String> {
    let server = Postgres::shared().map_err(|reason| reason.to_string())?;
    let place = server.database("pair");
    let db = connect(&place).await;
    apply(&db, name, &postgres::dump(from).unwrap()).await;
    if with_rows {
        fill(&db, from).await;
    }
    let before = rows(&db, from).await;
    let was = read(&db).await;
    same("a schema differs from itself", &was, &was)?;
    let difference = diff(&was, to, &Hints::default());
    let plan = postgres::plan(&was, to, &difference).unwrap();
    for refusal in &plan.refusals {
        note(outcomes, &refusal.to_string());
    }
    if !plan.refusals.is_empty() {
        return Ok(());
    }
    outcomes.changes += difference.changes.len();
    outcomes.steps += plan.steps.len();
    if let Err(error) = carry_out(&db, &plan).await {
        found_in_rows(&error).ok_or_else(|| format!("{error}\n{}", planned(&plan)))?;
        note(outcomes, "found in the rows");
        let committed = plan.steps.iter().any(|step| !step.transactional);
        return match committed {
            true => Ok(()),
            false => same("a plan that failed left this", &read(&db).await, &was),
        };
    }
    let now = read(&db).await;
    let left = same("the plan left this", &now, to);
    left.map_err(|left| format!("{left}\n{}", planned(&plan)))?;
    outcomes.carried_out += 1;
    let after = rows(&db, &now).await;
    outcomes.rows += kept(&before, &after)?;
    if plan.down().is_err() {
        return Ok(());
    }
    if let Err(error) = carry_back(&db, &plan).await {
        // Where values are lost, what is over them may not come back.
        let lost = plan.losses().count() > 0 && found_in_rows(&error).is_some();
        let wrong = || format!("on the way back: {error}\n{}", planned(&plan));
        lost.then_some(()).ok_or_else(wrong)?;
        note(outcomes, "found in the rows on the way back");
        return Ok(());
    }
    let left = same("the way back left this", &read(&db).await, &was);
    left.map_err(|left| format!("{left}\n{}", planned(&plan)))?;
    outcomes.undone += 1;
    Ok(())
}

/// Whether there is no difference, either way, and nothing else that a difference passes over
/// but the order of columns and who had a column first.
pub(crate) fn same(what: &str, left: &Schema, right: &Schema) -> Result<(), String> {
    for (from, to) in [(left, right), (right, left)] {
        let rest = diff(from, to, &Hints::default());
        if !rest.changes.is_empty() {
            return Err(format!("{what}:\n{}\n", described(&rest)));
        }
    }
    let [left, right] = [left, right].map(|of| serde_json::to_string_pretty(&sorted(of)).unwrap());
    let lines = left.lines().zip(right.lines());
    let differ = lines.enumerate().find(|(_, (left, right))| left != right);
    let around = |text: &str, at: usize| {
        let lines = text.lines().skip(at.saturating_sub(20)).take(25);
        lines.collect::<Vec<_>>().join("\n")
    };
    match differ {
        None => Ok(()),
        Some((at, _)) => Err(format!(
            "{what}, which no difference shows:\n{}\nand not\n{}",
            around(&left, at),
            around(&right, at)
        )),
    }
}

fn sorted(schema: &Schema) -> Schema {
    let mut schema = schema.clone();
    for table in schema.tables.values_mut() {
        table
            .columns
            .sort_by(|left, right| left.name.cmp(&right.name));
        for column in &mut table.columns {
            column.inherited = false;
        }
        // Of a check that was never held against the rows, each table knows whether it was there.
        for check in table.checks.values_mut() {
            check.not_valid &= !check.inherited;
            check.inherited = false;
        }
        table.depends_on.clear();
    }
    schema
}

/// Whether only the rows could say it: in the plan's words where they hold NULL, else in those
/// of a constraint.
fn found_in_rows(error: &Error) -> Option<()> {
    let said = error.to_string();
    match error.sqlstate()? {
        "23502" => (said.contains("refuses NULL") || said.contains("refuse NULL")).then_some(()),
        state => state.starts_with("23").then_some(()),
    }
}

fn note(outcomes: &mut Outcomes, sentence: &str) {
    let words = [
        "cannot lose",
        "be reordered",
        "cannot become",
        "no cast",
        "partitioned",
        "refuse NULL",
        "be added",
        "cannot be dropped",
        "takes the same values",
    ];
    let which = words.iter().find(|words| sentence.contains(**words));
    let which = which.map_or_else(|| sentence.to_owned(), |words| (*words).to_owned());
    *outcomes.refused.entry(which).or_default() += 1;
}

/// Every row of a table that stays is there, with every value of a column that stays as it was.
pub(crate) fn kept(before: &Rows, after: &Rows) -> Result<usize, String> {
    let mut kept = 0;
    for (table, columns) in before {
        let Some(now) = after.get(table) else {
            continue;
        };
        for (column, values) in columns {
            if let Some(other) = now.get(column) {
                if values != other {
                    return Err(format!("{table} {column:?}: {values:?} became {other:?}"));
                }
                kept += values.len();
            }
        }
    }
    Ok(kept)
}

/// Fails with all that went wrong.
fn assert_none(wrong: &[String]) {
    assert!(
        wrong.is_empty(),
        "{} pairs:\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
}

#[tokio::test]
async fn two_schemas_that_know_nothing_of_one_another() {
    let place = or_skip!(Postgres::shared());
    let about = place.database("about");
    let about: Server = server(&connect(&about).await).await;
    let mut outcomes = Outcomes::default();
    let mut wrong = Vec::new();
    for seed in seeds(STRANGERS) {
        let [from, to] = [seed, seed + 1000].map(|seed| generate::schema(seed, &about));
        let name = format!("strangers {seed}");
        let result = there_and_back(&name, (&from, &to), seed % 3 == 0, &mut outcomes).await;
        wrong.extend(result.err().map(|what| format!("{name}: {what}")));
    }
    println!("{outcomes:#?}");
    assert_none(&wrong);
    assert!(outcomes.carried_out > 0 && outcomes.undone > 0);
}

#[tokio::test]
async fn a_schema_that_was_changed_here_and_there() {
    let place = or_skip!(Postgres::shared());
    let about = place.database("about");
    let about: Server = server(&connect(&about).await).await;
    let mut outcomes = Outcomes::default();
    let mut wrong = Vec::new();
    let all = seeds(CHANGED);
    for seed in all.clone() {
        let from = generate::schema(seed, &about);
        let to = generate::changed(seed, &about, &from);
        let name = format!("changed {seed}");
        let result = there_and_back(&name, (&from, &to), true, &mut outcomes).await;
        wrong.extend(result.err().map(|what| format!("{name}: {what}")));
    }
    println!("{outcomes:#?}");
    assert_none(&wrong);
    assert!(outcomes.carried_out as u64 * 2 > all.end - all.start);
    assert!(outcomes.undone > 0 && outcomes.rows > 0);
}
