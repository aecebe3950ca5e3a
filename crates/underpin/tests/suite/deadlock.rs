//! The invisible deadlock: statements of many tasks share connections, and one of them waits on the
//! server for a transaction whose own task sends a statement that must not queue behind it.
//! PostgreSQL cannot see such a cycle, since a part of it is in the client.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;
use underpin::{Database, Error, Transaction};
use underpin_testkit::{Postgres, TestDatabase, or_skip};

use crate::chaos::{at_rest, open};
use crate::place::eventually;

/// Long enough to know that it will never end.
const NEVER: Duration = Duration::from_secs(10);

struct Scene {
    database: TestDatabase,
    db: Database,
}

impl Scene {
    async fn new(server: &'static Postgres, test: &str, connections: u32) -> Scene {
        let database = server.database(test);
        let tables = "
            CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL);
            INSERT INTO account VALUES (1, 100), (2, 100);
            CREATE TABLE rate (name text PRIMARY KEY, percent int NOT NULL);
            INSERT INTO rate VALUES ('usual', 3);
            CREATE FUNCTION pay(amount int) RETURNS int LANGUAGE sql VOLATILE AS
                'UPDATE account SET balance = balance - amount WHERE id = 1 RETURNING balance'";
        database.client().await.batch_execute(tables).await.unwrap();
        let db = open(&database.url(), connections, |config| config).await;
        let scene = Scene { database, db };
        scene.become_used_to_all().await;
        scene
    }

    /// Runs every statement often, so that each is known to be quick.
    async fn become_used_to_all(&self) {
        for _ in 0..10 {
            for sql in WAITERS {
                self.db.query(sql, ()).await.unwrap();
            }
            for (sql, _) in [OTHER_TABLE, SAME_TABLE, SAME_ROW] {
                self.db.query(sql, ()).await.unwrap();
            }
        }
        let reset = "UPDATE account SET balance = 100";
        self.db.execute(reset, ()).await.unwrap();
    }

    /// A transaction that holds the lock that this statement takes.
    async fn transaction(&self, sql: &str) -> Transaction {
        let transaction = self.db.begin().await.unwrap();
        transaction.execute(sql, ()).await.unwrap();
        transaction
    }

    /// An autocommit statement of another task, which now waits for that lock.
    async fn waiter(&self, sql: &'static str) -> JoinHandle<Result<usize, Error>> {
        let db = self.db.clone();
        let before = self.waiting_for_locks().await;
        let waiter = tokio::spawn(async move { db.query(sql, ()).await.map(|rows| rows.len()) });
        eventually("the statement waits for the lock", async || {
            self.waiting_for_locks().await == before + 1
        })
        .await;
        waiter
    }

    async fn waiting_for_locks(&self) -> usize {
        self.database
            .sessions("wait_event_type = 'Lock'")
            .await
            .len()
    }

    /// The transaction's own task sends this outside of it, once for each connection that might
    /// carry it.
    async fn ask(&self, sql: &str, answer: i32) {
        for _ in 0..2 * self.db.config().pool_max_size() {
            let asked = self.db.query_scalar::<i32>(sql, ());
            let answered = timeout(NEVER, asked).await;
            let answered = answered.expect("the statement waits for the transaction of its task");
            assert_eq!(answered.unwrap(), answer);
        }
    }

    /// Checks the order: the task is answered, then it commits, then the waiters continue.
    async fn assert_order(
        self,
        transaction: Transaction,
        waiters: Vec<JoinHandle<Result<usize, Error>>>,
        questions: &[(&str, i32)],
    ) {
        for (sql, answer) in questions {
            self.ask(sql, *answer).await;
        }
        assert_eq!(self.waiting_for_locks().await, waiters.len());
        for waiter in &waiters {
            assert!(!waiter.is_finished(), "it waits for the transaction");
        }
        transaction.commit().await.unwrap();
        for waiter in waiters {
            let ended = timeout(NEVER, waiter).await.expect("the lock is free");
            assert_eq!(ended.unwrap().unwrap(), 1);
        }
        at_rest(&self.db, &self.database).await;
    }
}

const HOLD_ROW: &str = "UPDATE account SET balance = balance + 5 WHERE id = 1";
const WANT_ROW: &str = "UPDATE account SET balance = balance - 10 WHERE id = 1 RETURNING balance";
const WANT_TABLE: &str = "SELECT * FROM account WHERE id = 1";
/// Its text does not show that it writes.
const WANT_ROW_UNSEEN: &str = "SELECT pay(10)";
const WANT_ROW_TO_READ: [&str; 3] = [
    "SELECT balance FROM account WHERE id = 1 FOR UPDATE",
    "SELECT balance FROM account WHERE id = 1 FOR SHARE",
    "WITH paid AS (UPDATE account SET balance = 0 WHERE id = 1 RETURNING id) SELECT * FROM paid",
];
const WAITERS: [&str; 6] = [
    WANT_ROW,
    WANT_TABLE,
    WANT_ROW_UNSEEN,
    WANT_ROW_TO_READ[0],
    WANT_ROW_TO_READ[1],
    WANT_ROW_TO_READ[2],
];
const OTHER_TABLE: (&str, i32) = ("SELECT percent FROM rate WHERE name = 'usual'", 3);
const SAME_TABLE: (&str, i32) = ("SELECT balance FROM account WHERE id = 2", 100);
const SAME_ROW: (&str, i32) = ("SELECT balance FROM account WHERE id = 1", 100);

#[tokio::test]
async fn a_task_with_a_transaction_is_answered_beside_an_update_that_waits_for_it() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "waiting_update", 20).await;
    let transaction = scene.transaction(HOLD_ROW).await;
    let waiters = vec![scene.waiter(WANT_ROW).await];
    let questions = [OTHER_TABLE, SAME_TABLE, SAME_ROW];
    scene.assert_order(transaction, waiters, &questions).await;
}

#[tokio::test]
async fn a_task_that_alters_a_table_is_answered_beside_a_select_that_waits_for_it() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "waiting_select", 20).await;
    let alter = "ALTER TABLE account ADD COLUMN note text";
    let transaction = scene.transaction(alter).await;
    let waiters = vec![scene.waiter(WANT_TABLE).await];
    scene
        .assert_order(transaction, waiters, &[OTHER_TABLE])
        .await;
}

#[tokio::test]
async fn a_task_with_a_transaction_is_answered_beside_a_function_that_waits_for_it() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "waiting_function", 20).await;
    let transaction = scene.transaction(HOLD_ROW).await;
    let waiters = vec![scene.waiter(WANT_ROW_UNSEEN).await];
    let questions = [OTHER_TABLE, SAME_TABLE, SAME_ROW];
    scene.assert_order(transaction, waiters, &questions).await;
}

#[tokio::test]
async fn a_task_with_a_transaction_is_answered_beside_locking_reads_that_wait_for_it() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "waiting_reads", 20).await;
    let transaction = scene.transaction(HOLD_ROW).await;
    let mut waiters = Vec::new();
    for sql in WANT_ROW_TO_READ {
        waiters.push(scene.waiter(sql).await);
    }
    let questions = [OTHER_TABLE, SAME_TABLE];
    scene.assert_order(transaction, waiters, &questions).await;
}

#[tokio::test]
async fn ten_waiting_updates_leave_room_for_the_task_that_they_wait_for() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "ten_waiters", 20).await;
    let transaction = scene.transaction(HOLD_ROW).await;
    let mut waiters = Vec::new();
    for _ in 0..10 {
        waiters.push(scene.waiter(WANT_ROW).await);
    }
    let questions = [OTHER_TABLE, SAME_TABLE, SAME_ROW];
    scene.assert_order(transaction, waiters, &questions).await;
}

#[tokio::test]
async fn two_waiting_updates_leave_room_in_a_pool_of_four() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "two_of_four", 4).await;
    let transaction = scene.transaction(HOLD_ROW).await;
    let mut waiters = Vec::new();
    for _ in 0..2 {
        waiters.push(scene.waiter(WANT_ROW).await);
    }
    let questions = [OTHER_TABLE, SAME_TABLE, SAME_ROW];
    scene.assert_order(transaction, waiters, &questions).await;
}

/// All at once, like the requests of a service, and not one after another has been seen to wait.
#[tokio::test]
async fn ten_updates_sent_at_once_leave_room_for_the_task_that_they_wait_for() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "ten_at_once", 20).await;
    let transaction = scene.transaction(HOLD_ROW).await;
    let waiters = (0..10).map(|_| {
        let db = scene.db.clone();
        tokio::spawn(async move { db.query(WANT_ROW, ()).await.map(|rows| rows.len()) })
    });
    let waiters: Vec<_> = waiters.collect();
    // Without a wait: the query may come before any of them is known to wait.
    scene.ask(OTHER_TABLE.0, OTHER_TABLE.1).await;
    eventually("all of them wait", async || {
        scene.waiting_for_locks().await == 10
    })
    .await;
    let questions = [OTHER_TABLE, SAME_TABLE, SAME_ROW];
    scene.assert_order(transaction, waiters, &questions).await;
}
