//! Statements that are sent with one Sync for several of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use tokio::net::TcpStream;
use underpin::{Class, Config, Database, Effect, Endpoint, Error};
use underpin_postgres::{Dial, Dialing, Stream};
use underpin_testkit::{Postgres, TestDatabase, Watch, Watched, or_skip};

const DIVIDE: &str = "SELECT 1000 / $1::int8";

/// A dialer that counts the Syncs that its streams write.
#[derive(Debug, Clone, Default)]
struct Syncs(Arc<AtomicUsize>);

impl Syncs {
    fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

impl Dial for Syncs {
    fn dial<'a>(&'a self, endpoint: &'a Endpoint) -> Dialing<'a> {
        Box::pin(async move {
            let stream = TcpStream::connect(endpoint.to_string()).await?;
            Ok(Box::new(Watched::new(stream, self.clone())) as Box<dyn Stream>)
        })
    }
}

impl Watch for Syncs {
    fn wrote(&self, bytes: &[u8]) {
        // The tests send nothing else that contains these bytes.
        let syncs = bytes.windows(5).filter(|at| at == b"S\0\0\0\x04");
        self.0.fetch_add(syncs.count(), Ordering::SeqCst);
    }
}

async fn open(server: &Postgres, test: &str, pipelining: bool) -> (TestDatabase, Database, Syncs) {
    let database = server.database(test);
    let table = "CREATE TABLE t (n int8)";
    database.client().await.batch_execute(table).await.unwrap();
    let syncs = Syncs::default();
    let config = Config::from_url(&database.url()).unwrap().to_builder();
    let config = config
        .pool_min_size(0)
        .pool_max_size(2)
        .pipelining(pipelining);
    let db = Database::connect_through(config.build().unwrap(), syncs.clone())
        .await
        .unwrap();
    // The statement is known to be quick, and prepared on both connections.
    let both = [db.acquire().await.unwrap(), db.acquire().await.unwrap()];
    for lease in &both {
        lease.query_scalar::<i64>(DIVIDE, (1,)).await.unwrap();
        lease
            .execute("INSERT INTO t VALUES ($1)", (0,))
            .await
            .unwrap();
    }
    drop(both);
    for _ in 0..40 {
        db.query_scalar::<i64>(DIVIDE, (1,)).await.unwrap();
    }
    syncs.take();
    (database, db, syncs)
}

/// Runs one task for each number, all at once.
async fn ask(db: &Database, numbers: impl Iterator<Item = i64>) -> Vec<Result<i64, Error>> {
    let asked = numbers.map(|n| {
        let db = db.clone();
        tokio::spawn(async move { db.query_scalar::<i64>(DIVIDE, (n,)).await })
    });
    let asked: Vec<_> = asked.collect();
    let answers = join_all(asked).await.into_iter();
    answers.map(|answer| answer.unwrap()).collect()
}

#[tokio::test]
async fn a_crowd_asks_with_few_syncs_where_statements_may_share() {
    let server = or_skip!(Postgres::shared());
    for pipelining in [true, false] {
        let (_database, db, syncs) = open(server, "joined_crowd", pipelining).await;
        for (at, answer) in ask(&db, 1..=200).await.into_iter().enumerate() {
            assert_eq!(answer.unwrap(), 1000 / (at as i64 + 1));
        }
        let syncs = syncs.take();
        match pipelining {
            true => assert!(syncs <= 50, "{syncs} for 200 statements"),
            false => assert_eq!(syncs, 200),
        }
    }
}

async fn each_has_its_own(db: &Database, rounds: usize, fails: impl Fn(i64) -> bool) {
    for round in 0..rounds {
        let numbers = (1..=100).map(|n| if fails(n) { 0 } else { n });
        for (at, answer) in ask(db, numbers).await.into_iter().enumerate() {
            let n = at as i64 + 1;
            match answer {
                Ok(answer) => assert_eq!(answer, 1000 / n, "{round}"),
                Err(error) => {
                    assert!(fails(n), "{n}: {error}");
                    assert_eq!(error.sqlstate(), Some("22012"), "{error}");
                    let seen = (error.class(), error.effect());
                    assert_eq!(seen, (Class::Data, Effect::RolledBack));
                }
            }
        }
    }
}

#[tokio::test]
async fn statements_skipped_behind_a_failure_are_sent_again() {
    let server = or_skip!(Postgres::shared());
    let (_database, db, syncs) = open(server, "joined_failure", true).await;
    each_has_its_own(&db, 1, |n| n == 3 || n == 70).await;
    // Those up to the failure, those that it took along, and each of them once more.
    assert!(syncs.take() >= 20);
    // From then on no failure takes another statement along.
    each_has_its_own(&db, 5, |n| n % 10 == 0).await;
    assert_eq!(syncs.take(), 500);
    // Until a crowd shares a Sync again.
    each_has_its_own(&db, 10, |_| false).await;
    assert!(syncs.take() < 1000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_caller_in_a_crowd_has_its_own_answer_or_error() {
    let server = or_skip!(Postgres::shared());
    let (_database, db, _syncs) = open(server, "joined_own", true).await;
    let crowds = (1..5).map(|crowd| {
        let db = db.clone();
        tokio::spawn(async move { each_has_its_own(&db, 40, |n| n % (31 * crowd) == 0).await })
    });
    for crowd in crowds.collect::<Vec<_>>() {
        crowd.await.unwrap();
    }
}

#[tokio::test]
async fn a_transaction_begins_with_its_first_statement() {
    let server = or_skip!(Postgres::shared());
    let (_database, db, syncs) = open(server, "joined_begin", true).await;
    db.transaction(async |tx| tx.execute("INSERT INTO t VALUES ($1)", (1,)).await)
        .await
        .unwrap();
    assert_eq!(syncs.take(), 1);
    let refused: Result<u64, Error> = db
        .read()
        .transaction(async |tx| tx.execute("INSERT INTO t VALUES ($1)", (2,)).await)
        .await;
    assert_eq!(refused.unwrap_err().class(), Class::ReadOnly);
    let rows: Vec<i64> = db
        .query_as("SELECT n FROM t WHERE n > 0", ())
        .await
        .unwrap();
    assert_eq!(rows, [1]);
}
