//! A schema of MusicBrainz's size: read and compared beside Alembic and `pg_dump`, a larger one
//! beside it, and the plan of many changes to it.

mod alembic;
mod sample;

use std::cell::RefCell;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use underpin::Database;
use underpin::schema::{Diff, Hints, Plan, Schema, Selection, diff, introspect, postgres, sqlite};
use underpin_testkit::TestDatabase;

use crate::measure::{Report, in_turns, median};
use crate::program;
use crate::server::Server;
use crate::targets::Targets;
use alembic::Alembic;
use sample::{Sample, Serial};

/// How many times as many tables the larger schema has.
const LARGER: f64 = 12.5;

pub(crate) async fn run(server: &Server, quick: bool, report: &mut Report, targets: &mut Targets) {
    let (tables, rounds) = if quick { (40, 3) } else { (400, 7) };
    let usual = place(server, "schema", Sample::of(tables)).await;
    let beside = Size { tables, rounds };
    beside.alembic(&usual, report).await;
    beside.pg_dump(&usual, report).await;
    beside.larger(server, &usual, targets).await;
    beside.plans(server, &usual, targets).await;
}

/// A database of the run's own with the sample.
async fn place(server: &Server, name: &str, sample: Sample) -> TestDatabase {
    let place = server.other(name);
    let db = Database::connect(place.url()).await.unwrap();
    db.batch(&sample.sql(Serial::Sequence)).await.unwrap();
    db.close(Duration::from_secs(5)).await.unwrap();
    place
}

async fn read(db: &Database) -> Schema {
    introspect(db, &Selection::default()).await.unwrap()
}

async fn read_and_compare(db: &Database, tables: usize) {
    let schema = read(db).await;
    assert_eq!(schema.tables.len(), tables);
    assert!(diff(&schema, &schema, &Hints::default()).changes.is_empty());
}

struct Size {
    tables: usize,
    rounds: usize,
}

impl Size {
    /// Both on a connection that is open, each with all that it keeps from the turn before.
    async fn alembic(&self, usual: &TestDatabase, report: &mut Report) {
        let Some(alembic) = Alembic::start(&usual.url()) else {
            println!("schema: Alembic is left out: {}", program::NO_PYTHON);
            return;
        };
        let alembic = RefCell::new(alembic);
        let db = Database::connect(usual.url()).await.unwrap();
        let pair = in_turns(
            self.rounds,
            || read_and_compare(&db, self.tables),
            || async { alembic.borrow_mut().compare(self.tables) },
        )
        .await;
        let what = format!("read and compare {} tables", self.tables);
        report.add(
            what,
            "alembic reflect + compare_metadata",
            1,
            &pair,
            Some(10.0),
        );
        db.close(Duration::from_secs(5)).await.unwrap();
    }

    /// Both connect first.
    async fn pg_dump(&self, usual: &TestDatabase, report: &mut Report) {
        let url = usual.url();
        let pair = in_turns(
            self.rounds,
            || async {
                let db = Database::connect(&url).await.unwrap();
                read_and_compare(&db, self.tables).await;
                db.close(Duration::from_secs(5)).await.unwrap();
            },
            || async {
                let mut dump = Command::new("pg_dump");
                let quiet = dump.args(["--schema-only", "--dbname", &url]);
                program::run(quiet.stderr(Stdio::piped()));
            },
        )
        .await;
        let what = format!("connect, read and compare {} tables", self.tables);
        report.add(what, "pg_dump --schema-only", 1, &pair, Some(1.0));
    }

    /// A schema with [`LARGER`] times as many tables takes little more than so many times as long.
    async fn larger(&self, server: &Server, usual: &TestDatabase, targets: &mut Targets) {
        let tables = (self.tables as f64 * LARGER) as usize;
        let large = place(server, "large", Sample::of(tables)).await;
        let usual = Database::connect(usual.url()).await.unwrap();
        let large = Database::connect(large.url()).await.unwrap();
        let pair = in_turns(
            self.rounds,
            || read_and_compare(&usual, self.tables),
            || read_and_compare(&large, tables),
        )
        .await;
        let what = format!(
            "read and compare {tables} tables ({:.0?}): time ÷ {} tables",
            pair.theirs(),
            self.tables
        );
        targets.at_most(what, 15.0, pair.ratio());
        for db in [usual, large] {
            db.close(Duration::from_secs(5)).await.unwrap();
        }
    }

    /// Comparing and planning, without a database.
    async fn plans(&self, server: &Server, usual: &TestDatabase, targets: &mut Targets) {
        let before = Sample::of(self.tables);
        let after = place(server, "changed", before.changed()).await;
        let on = |url: String| async move {
            let db = Database::connect(url).await.unwrap();
            let schema = read(&db).await;
            db.close(Duration::from_secs(5)).await.unwrap();
            schema
        };
        let (from, to) = (on(usual.url()).await, on(after.url()).await);
        self.plan("PostgreSQL", (&from, &to), postgres::plan, targets);

        let directory = tempfile::tempdir().unwrap();
        let made = |name: &'static str, sample: Sample| {
            let url = format!(
                "sqlite:///{}?mode=rwc",
                directory.path().join(name).display()
            );
            async move {
                let db = Database::connect(url).await.unwrap();
                db.batch(&sample.sql(Serial::Row)).await.unwrap();
                let schema = read(&db).await;
                db.close(Duration::from_secs(5)).await.unwrap();
                schema
            }
        };
        let from = made("before.db", before).await;
        let to = made("after.db", before.changed()).await;
        self.plan("SQLite", (&from, &to), sqlite::plan, targets);
    }

    fn plan(
        &self,
        engine: &str,
        (from, to): (&Schema, &Schema),
        plan: fn(&Schema, &Schema, &Diff) -> underpin::Result<Plan>,
        targets: &mut Targets,
    ) {
        let changes = self.tables * 5 / 2;
        let mut times = Vec::new();
        for _ in 0..=self.rounds {
            let begun = Instant::now();
            let diff = diff(from, to, &Hints::default());
            let plan = plan(from, to, &diff).unwrap();
            times.push(begun.elapsed());
            assert_eq!(diff.changes.len(), changes);
            assert!(plan.refusals.is_empty() && plan.steps.len() >= self.tables);
        }
        let seen = median(&times[1..]).as_secs_f64() * 1000.0;
        let what = format!("compare, and plan {changes} changes, {engine}: ms");
        targets.at_most(what, 50.0, seen);
    }
}
