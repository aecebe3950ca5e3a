//! The server goes away and comes back while many tasks use it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use tokio::task::{JoinSet, block_in_place};
use underpin::{Class, Database, Effect, Error};
use underpin_testkit::{Postgres, or_skip};

use super::{at_rest, open};
use crate::place::eventually;

const TASKS: usize = 24;
/// Number of calls of each task that must succeed before the server goes away, and again after it
/// is back.
const ENOUGH: usize = 10;

/// The shared state of all tasks.
#[derive(Default)]
struct Stage {
    leaving: AtomicBool,
    back: AtomicBool,
    over: AtomicBool,
    rows: AtomicI32,
    /// Number of tasks that have made enough calls, before and after.
    warm: AtomicUsize,
    recovered: AtomicUsize,
}

/// The known state of the rows of one task, or of all tasks.
#[derive(Default)]
struct Account {
    written: BTreeSet<i32>,
    absent: BTreeSet<i32>,
    unknown: BTreeSet<i32>,
    errors_while_away: usize,
    errors_else: Vec<String>,
}

#[derive(Clone, Copy)]
enum Work {
    Read,
    Write,
    Transact,
}

impl Account {
    fn note(&mut self, work: Work, rows: [i32; 2], result: &Result<(), Error>) {
        if matches!(work, Work::Read) {
            return;
        }
        let effect = result.as_ref().map_err(Error::effect);
        let set = match effect {
            Ok(()) | Err(Effect::Applied) => &mut self.written,
            Err(Effect::NotSent | Effect::RolledBack) => &mut self.absent,
            Err(_) => &mut self.unknown,
        };
        set.extend(rows);
    }

    fn add(&mut self, other: Account) {
        self.written.extend(other.written);
        self.absent.extend(other.absent);
        self.unknown.extend(other.unknown);
        self.errors_while_away += other.errors_while_away;
        self.errors_else.extend(other.errors_else);
    }
}

async fn once(db: &Database, work: Work, rows: [i32; 2]) -> Result<(), Error> {
    const INSERT: &str = "INSERT INTO t VALUES ($1)";
    match work {
        Work::Read => {
            let one: i32 = db.query_scalar("SELECT $1::int4", (rows[0],)).await?;
            assert_eq!(one, rows[0], "the answer to another question");
            Ok(())
        }
        Work::Write => {
            let both = "INSERT INTO t VALUES ($1), ($2)";
            db.execute(both, (rows[0], rows[1])).await.map(drop)
        }
        Work::Transact => {
            db.transaction(async |tx| {
                tx.execute(INSERT, (rows[0],)).await?;
                tx.execute(INSERT, (rows[1],)).await.map(drop)
            })
            .await
        }
    }
}

async fn toil(db: Database, stage: Arc<Stage>, work: Work) -> Account {
    let mut account = Account::default();
    let (mut before, mut after) = (0, 0);
    while !stage.over.load(SeqCst) {
        let row = stage.rows.fetch_add(2, SeqCst);
        let rows = [row, row + 1];
        let begun_after = stage.back.load(SeqCst);
        let result = once(&db, work, rows).await;
        let ended_before = !stage.leaving.load(SeqCst);
        account.note(work, rows, &result);
        match result {
            Err(error) if begun_after || ended_before => {
                account.errors_else.push(error.to_string());
            }
            Err(_) => account.errors_while_away += 1,
            Ok(()) if begun_after => {
                after += 1;
                if after == ENOUGH {
                    stage.recovered.fetch_add(1, SeqCst);
                }
            }
            Ok(()) => {
                before += 1;
                if before == ENOUGH {
                    stage.warm.fetch_add(1, SeqCst);
                }
            }
        }
        // So that a recovery at full speed does not write more rows than can be compared.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    account
}

async fn restart_under_load(mut server: Postgres, go: fn(&mut Postgres)) {
    let database = server.database("restart");
    let table = "CREATE TABLE t (n int PRIMARY KEY)";
    database.client().await.batch_execute(table).await.unwrap();
    let db = open(&database.url(), 8, |config| config).await;

    let stage = Arc::new(Stage::default());
    let mut tasks = JoinSet::new();
    for work in [Work::Read, Work::Write, Work::Transact]
        .into_iter()
        .cycle()
        .take(TASKS)
    {
        tasks.spawn(toil(db.clone(), Arc::clone(&stage), work));
    }
    // A statement that is certainly running when the server goes away.
    let asleep = db.clone();
    let asleep = tokio::spawn(async move { asleep.execute("SELECT pg_sleep(60)", ()).await });
    eventually("every task has done enough", async || {
        stage.warm.load(SeqCst) == TASKS
    })
    .await;
    eventually("the one is asleep", async || {
        !database
            .sessions("query LIKE '%pg_sleep%'")
            .await
            .is_empty()
    })
    .await;

    stage.leaving.store(true, SeqCst);
    block_in_place(|| go(&mut server));
    block_in_place(|| server.restart());
    stage.back.store(true, SeqCst);
    let error = asleep.await.unwrap().unwrap_err();
    assert_eq!(error.class(), Class::Connect, "{error}");
    eventually("every task has done enough again", async || {
        stage.recovered.load(SeqCst) == TASKS
    })
    .await;
    stage.over.store(true, SeqCst);

    let mut account = Account::default();
    while let Some(of_task) = tasks.join_next().await {
        account.add(of_task.unwrap());
    }
    assert_eq!(account.errors_else, [""; 0]);
    println!(
        "{} errors while the server was away; {} rows written, {} not, {} in doubt",
        account.errors_while_away,
        account.written.len(),
        account.absent.len(),
        account.unknown.len()
    );
    let there: Vec<i32> = db.query_as("SELECT n FROM t", ()).await.unwrap();
    let there: BTreeSet<i32> = there.into_iter().collect();
    let lost: Vec<_> = account.written.difference(&there).collect();
    assert_eq!(lost, [&0; 0], "said to be written, and lost");
    let denied: Vec<_> = account.absent.intersection(&there).collect();
    assert_eq!(denied, [&0; 0], "said not to be written, and there");
    let known = account.written.union(&account.unknown).copied().collect();
    let stray: Vec<_> = there.difference(&known).collect();
    assert_eq!(stray, [&0; 0], "nobody wrote these");
    at_rest(&db, &database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_orderly_restart_under_load_costs_nothing_once_the_server_is_back() {
    restart_under_load(or_skip!(Postgres::start()), Postgres::stop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_immediate_restart_under_load_costs_nothing_once_the_server_is_back() {
    restart_under_load(or_skip!(Postgres::start()), Postgres::stop_immediately).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_killed_server_costs_nothing_once_it_is_back() {
    restart_under_load(or_skip!(Postgres::start()), Postgres::kill).await;
}
