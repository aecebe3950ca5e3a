//! Cuts connections between a real client and a real server, at each point that can be chosen.

use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls};
use underpin_testkit::{CutPoint, Postgres, Proxy, TestDatabase, or_skip};

const SOON: Duration = Duration::from_secs(10);
const BRIEFLY: Duration = Duration::from_millis(200);

const INSERT: &str = "INSERT INTO t VALUES (1) /* marker */";

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = timeout(SOON, tokio_postgres::connect(url, NoTls))
        .await
        .expect("connecting hangs")?;
    tokio::spawn(connection);
    Ok(client)
}

/// A table behind a proxy, and a client on each side of it.
struct Scene {
    proxy: Proxy,
    database: TestDatabase,
    client: Client,
    witness: Client,
}

impl Scene {
    async fn new(server: &Postgres, name: &str) -> Self {
        let proxy = Proxy::before(server);
        let database = server.database(name);
        let witness = database.client().await;
        witness
            .batch_execute("CREATE TABLE t (n int)")
            .await
            .unwrap();
        let client = connect(&database.url_through(&proxy)).await.unwrap();
        Scene {
            proxy,
            database,
            client,
            witness,
        }
    }

    async fn rows(&self) -> i64 {
        let row = self.witness.query_one("SELECT count(*) FROM t", &[]).await;
        row.unwrap().get(0)
    }

    /// Waits for the cut, and proves that a new connection works.
    async fn after_the_cut(&self) {
        timeout(SOON, self.proxy.cut_happened()).await.unwrap();
        let client = connect(&self.database.url_through(&self.proxy))
            .await
            .unwrap();
        client.simple_query("SELECT 1 /* marker */").await.unwrap();
    }
}

async fn execute(client: &Client, statement: &str) -> Result<u64, tokio_postgres::Error> {
    timeout(SOON, client.execute(statement, &[]))
        .await
        .expect("the statement hangs")
}

#[tokio::test]
async fn a_statement_that_is_cut_before_it_is_forwarded_does_not_run() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "before_forwarded").await;
    scene
        .proxy
        .arm(CutPoint::before_statement_forwarded("marker"));
    assert!(execute(&scene.client, INSERT).await.is_err());
    scene.after_the_cut().await;
    assert_eq!(scene.rows().await, 0);
}

#[tokio::test]
async fn a_statement_prepared_long_ago_is_recognised() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "prepared").await;
    let statement = scene.client.prepare(INSERT).await.unwrap();
    scene.client.execute(&statement, &[]).await.unwrap();
    scene
        .proxy
        .arm(CutPoint::before_statement_forwarded("marker"));
    scene.client.query("SELECT 1", &[]).await.unwrap();
    assert!(scene.client.execute(&statement, &[]).await.is_err());
    scene.after_the_cut().await;
    assert_eq!(scene.rows().await, 1);
}

#[tokio::test]
async fn a_parameter_can_be_the_marker() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "parameter").await;
    scene.proxy.arm(CutPoint::before_answer("needle"));
    let answer = scene.client.query("SELECT $1::text", &[&"needle"]).await;
    assert!(answer.is_err());
    scene.after_the_cut().await;
}

#[tokio::test]
async fn a_statement_that_is_cut_before_its_answer_has_run() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "before_answer").await;
    scene.proxy.arm(CutPoint::before_answer("marker"));
    let error = execute(&scene.client, INSERT).await.unwrap_err();
    assert!(
        error.code().is_none(),
        "the server's answer came through: {error}"
    );
    assert_eq!(scene.rows().await, 1);
    scene.after_the_cut().await;
}

#[tokio::test]
async fn a_commit_that_is_cut_before_its_answer_is_committed() {
    let server = or_skip!(Postgres::shared());
    let mut scene = Scene::new(server, "commit").await;
    scene.proxy.arm(CutPoint::before_answer("COMMIT"));
    let transaction = scene.client.transaction().await.unwrap();
    transaction
        .execute("INSERT INTO t VALUES (1)", &[])
        .await
        .unwrap();
    assert!(timeout(SOON, transaction.commit()).await.unwrap().is_err());
    assert_eq!(scene.rows().await, 1);
}

#[tokio::test]
async fn a_commit_that_is_cut_before_it_is_forwarded_is_rolled_back() {
    let server = or_skip!(Postgres::shared());
    let mut scene = Scene::new(server, "no_commit").await;
    scene
        .proxy
        .arm(CutPoint::before_statement_forwarded("COMMIT"));
    let transaction = scene.client.transaction().await.unwrap();
    transaction
        .execute("INSERT INTO t VALUES (1)", &[])
        .await
        .unwrap();
    assert!(timeout(SOON, transaction.commit()).await.unwrap().is_err());
    scene.after_the_cut().await;
    assert_eq!(scene.rows().await, 0);
}

#[tokio::test]
async fn an_answer_that_is_cut_in_the_middle_is_an_error() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "mid_answer").await;
    let many = "SELECT repeat('x', 1000) FROM generate_series(1, 1000) /* marker */";
    scene
        .proxy
        .arm(CutPoint::while_answer_arrives("marker", 50_000));
    assert!(
        timeout(SOON, scene.client.query(many, &[]))
            .await
            .unwrap()
            .is_err()
    );
    scene.after_the_cut().await;
}

#[tokio::test]
async fn an_answer_arrives_whole_before_the_cut_that_follows_it() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "after_answer").await;
    scene.proxy.arm(CutPoint::after_answer("marker"));
    assert_eq!(execute(&scene.client, INSERT).await.unwrap(), 1);
    scene.after_the_cut().await;
    assert_eq!(scene.rows().await, 1);
    assert!(execute(&scene.client, "SELECT 1").await.is_err());
}

#[tokio::test]
async fn a_huge_statement_is_cut_while_it_arrives() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "huge").await;
    let statement = scene
        .client
        .prepare("INSERT INTO t SELECT length($1::text)")
        .await;
    scene.proxy.arm(CutPoint::while_statement_arrives(100_000));
    let huge = "x".repeat(64 << 20);
    let (statement, parameters) = (statement.unwrap(), [&huge as &(dyn ToSql + Sync)]);
    let outcome = scene.client.execute(&statement, &parameters);
    assert!(timeout(SOON, outcome).await.unwrap().is_err());
    scene.after_the_cut().await;
    assert_eq!(scene.rows().await, 0);
}

#[tokio::test]
async fn only_the_first_statement_is_cut() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "first").await;
    let other = connect(&scene.database.url_through(&scene.proxy))
        .await
        .unwrap();
    scene.proxy.arm(CutPoint::before_answer("marker"));
    assert!(execute(&scene.client, INSERT).await.is_err());
    assert_eq!(execute(&other, INSERT).await.unwrap(), 1);
    assert_eq!(scene.rows().await, 2);
}

#[tokio::test]
async fn a_cut_takes_all_connections_and_lets_new_ones_in() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "cut").await;
    assert_eq!(
        (scene.proxy.connections(), scene.proxy.open_connections()),
        (1, 1)
    );
    scene.proxy.cut();
    assert_eq!(scene.proxy.open_connections(), 0);
    assert!(execute(&scene.client, INSERT).await.is_err());
    let client = connect(&scene.database.url_through(&scene.proxy))
        .await
        .unwrap();
    assert_eq!(execute(&client, INSERT).await.unwrap(), 1);
    assert_eq!(scene.proxy.connections(), 2);
}

#[tokio::test]
async fn a_refusal_keeps_those_who_are_in() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "refuse").await;
    scene.proxy.refuse();
    assert!(
        connect(&scene.database.url_through(&scene.proxy))
            .await
            .is_err()
    );
    assert_eq!(execute(&scene.client, INSERT).await.unwrap(), 1);
    scene.proxy.resume();
    assert!(
        connect(&scene.database.url_through(&scene.proxy))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_black_hole_is_silent_and_what_it_held_arrives_later() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "black_hole").await;
    scene.proxy.black_hole();
    let insert = scene.client.execute(INSERT, &[]);
    tokio::pin!(insert);
    assert!(timeout(BRIEFLY, &mut insert).await.is_err());
    let url = scene.database.url_through(&scene.proxy);
    let newcomer = connect(&url);
    tokio::pin!(newcomer);
    assert!(timeout(BRIEFLY, &mut newcomer).await.is_err());
    assert_eq!(scene.rows().await, 0);

    scene.proxy.resume();
    assert_eq!(timeout(SOON, insert).await.unwrap().unwrap(), 1);
    assert!(newcomer.await.is_ok());
}

#[tokio::test]
async fn a_black_hole_can_be_cut() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "black_hole_cut").await;
    scene.proxy.black_hole();
    let insert = scene.client.execute(INSERT, &[]);
    tokio::pin!(insert);
    assert!(timeout(BRIEFLY, &mut insert).await.is_err());
    scene.proxy.cut();
    assert!(timeout(SOON, insert).await.unwrap().is_err());
}

#[tokio::test]
async fn a_server_that_is_down_is_a_reset() {
    let proxy = Proxy::to("127.0.0.1", underpin_testkit::closed_port());
    let url = format!("postgres://nobody@127.0.0.1:{}/x", proxy.port());
    assert!(connect(&url).await.is_err());
}

#[tokio::test]
async fn disarming_lets_the_statement_pass() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "disarmed").await;
    scene.proxy.arm(CutPoint::before_answer("marker"));
    scene.proxy.disarm();
    assert_eq!(execute(&scene.client, INSERT).await.unwrap(), 1);
    timeout(SOON, scene.proxy.cut_happened()).await.unwrap();
}
