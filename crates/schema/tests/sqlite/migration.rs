//! For any two schemas, the plan leads from one to the other, keeps the rows, and back.

use underpin::schema::{Hints, Schema, diff, sqlite};
use underpin_testkit::SqliteFile;

use crate::generate;
use crate::plan::{Outcome, there_and_back};
use crate::round_trip::{apply, connect, read};

/// So many pairs, the same in every run.
const PAIRS: u64 = 150;

/// What came of the pairs.
#[derive(Debug, Default)]
struct Counts {
    there_and_back: usize,
    there: usize,
    rows_did_not_fit: usize,
    refused: usize,
    steps: usize,
    rebuilds: usize,
    losses: usize,
}

impl Counts {
    async fn pair(&mut self, name: &str, from: &Schema, to: &Schema, hints: &Hints) {
        // Where the rows do not fit, it must work without them.
        for with_rows in [true, false] {
            let place = SqliteFile::new();
            let db = connect(&place).await;
            let mut statements = sqlite::dump(from).unwrap();
            if with_rows {
                statements.push("PRAGMA foreign_keys = OFF".to_owned());
                for (table, of) in &from.tables {
                    statements.extend(generate::rows(table, of));
                }
            }
            apply(&db, name, &statements).await;
            let from = read(&db).await;
            let plan = sqlite::plan(&from, to, &diff(&from, to, hints)).unwrap();
            if !plan.refusals.is_empty() {
                assert!(plan.steps.is_empty(), "{name}");
                self.refused += 1;
                return;
            }
            self.steps += plan.steps.len();
            self.losses += plan.losses().count();
            let spare = |sql: &&str| sql.starts_with("INSERT OR ABORT INTO");
            self.rebuilds += plan.up().filter(spare).count();
            match there_and_back(name, &db, (&from, to), hints, &plan).await {
                Outcome::Done { back: true } => self.there_and_back += 1,
                Outcome::Done { back: false } => self.there += 1,
                Outcome::RowsDoNotFit(error) => {
                    assert!(with_rows, "{name}: {error}");
                    self.rows_did_not_fit += 1;
                    continue;
                }
            }
            return;
        }
    }
}

#[tokio::test]
async fn a_plan_leads_to_a_schema_that_is_alike_and_back() {
    let mut counts = Counts::default();
    for seed in 0..PAIRS {
        let from = generate::schema(seed);
        let (to, hints) = generate::mutated(seed, &from);
        counts
            .pair(&format!("seed {seed}"), &from, &to, &hints)
            .await;
    }
    println!("{counts:#?}");
    let least = PAIRS as usize / 2;
    assert!(counts.there_and_back > least, "{counts:#?}");
    assert!(counts.refused * 50 <= PAIRS as usize, "{counts:#?}");
    assert!(counts.rebuilds > 0 && counts.losses > 0, "{counts:#?}");
}

#[tokio::test]
async fn a_plan_leads_to_any_other_schema_and_back() {
    let mut counts = Counts::default();
    for seed in 0..PAIRS / 3 {
        let (from, to) = (generate::schema(seed), generate::schema(seed + 10_000));
        let name = format!("seed {seed}");
        counts.pair(&name, &from, &to, &Hints::default()).await;
    }
    println!("{counts:#?}");
    assert!(counts.there_and_back + counts.there > 0, "{counts:#?}");
}
