//! Starts real servers and does to them what tests of other crates will.

use std::panic::catch_unwind;
use std::process::Command;
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::{Client, NoTls};
use underpin_testkit::{Postgres, ServerCertificate, TestDatabase, or_skip};

const SOON: Duration = Duration::from_secs(10);
const BRIEFLY: Duration = Duration::from_millis(300);

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn count(client: &Client, query: &str) -> Result<i64, tokio_postgres::Error> {
    Ok(client.query_one(query, &[]).await?.get(0))
}

fn processes_of(server: &Postgres) -> String {
    let socket = server.socket_directory().unwrap().to_owned();
    let data = socket.parent().unwrap().join("data");
    std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default()
}

#[tokio::test]
async fn a_database_is_reached_over_tcp_and_the_socket() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("reached");
    let client = connect(&database.url()).await.unwrap();
    client
        .batch_execute("CREATE TABLE t (n int)")
        .await
        .unwrap();
    let row = client.query_one("SELECT current_database()", &[]).await;
    assert_eq!(row.unwrap().get::<_, &str>(0), database.name());

    let through_socket = connect(&or_skip!(database.socket_url())).await.unwrap();
    assert_eq!(
        count(&through_socket, "SELECT count(*) FROM t")
            .await
            .unwrap(),
        0
    );

    let ssl = database.client().await.query_one("SHOW ssl", &[]).await;
    assert_eq!(ssl.unwrap().get::<_, &str>(0), "on");
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("wrong_password");
    let url = database
        .url()
        .replace(server.password(), "not-the-password");
    let error = connect(&url).await.unwrap_err();
    assert_eq!(error.code().unwrap().code(), "28P01");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn databases_are_made_at_once_and_dropped_with_their_values() {
    let server = or_skip!(Postgres::shared());
    let mut makers = Vec::new();
    for _ in 0..8 {
        makers.push(std::thread::spawn(move || server.database("at once")));
    }
    let databases: Vec<TestDatabase> = makers.into_iter().map(|m| m.join().unwrap()).collect();
    let names: Vec<String> = databases.iter().map(|d| d.name().to_owned()).collect();
    let admin = server.admin().await;
    let existing = "SELECT count(*) FROM pg_database WHERE datname = ANY($1)";
    let row = admin.query_one(existing, &[&names]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 8);

    // Somebody who is still connected does not keep a database alive.
    let _guest = databases[0].client().await;
    drop(databases);
    let row = admin.query_one(existing, &[&names]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn a_database_can_be_a_copy_of_another() {
    let server = or_skip!(Postgres::shared());
    let model = server.database("model");
    let client = model.client().await;
    client
        .batch_execute("CREATE TABLE t (n int); INSERT INTO t VALUES (1), (2)")
        .await
        .unwrap();
    drop(client);
    let copy = server.database_like("copy", &model);
    let rows = count(&copy.client().await, "SELECT count(*) FROM t").await;
    assert_eq!(rows.unwrap(), 2);
}

#[tokio::test]
async fn a_private_server_has_its_own_settings() {
    let server = or_skip!(
        Postgres::builder()
            .setting("max_connections", 7)
            .setting("application_name", "it's quoted")
            .hba("host all all 127.0.0.1/32 reject")
            .password("pass/word with spaces")
            .start()
    );
    let admin = server.admin().await;
    let row = admin.query_one("SHOW max_connections", &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "7");
    let database = server.database("settings");
    let error = connect(&database.url()).await.unwrap_err();
    assert_eq!(error.code().unwrap().code(), "28000");
    assert!(connect(&database.socket_url().unwrap()).await.is_ok());
    assert!(server.log().contains("ready to accept connections"));
    let shown = format!("{server:?} {database:?}");
    assert!(!shown.contains("pass/word"), "a password is shown");
}

#[tokio::test]
async fn a_killed_server_is_gone_and_comes_back_with_what_was_committed() {
    let mut server = or_skip!(Postgres::start());
    let database = server.database("killed");
    let client = connect(&database.url()).await.unwrap();
    client
        .batch_execute("CREATE TABLE t (n int); INSERT INTO t VALUES (1)")
        .await
        .unwrap();

    server.kill();
    let error = timeout(SOON, count(&client, "SELECT count(*) FROM t")).await;
    assert!(error.unwrap().is_err());
    assert!(connect(&database.url()).await.is_err());

    server.restart();
    let client = connect(&database.url()).await.unwrap();
    let rows = count(&client, "SELECT count(*) FROM t").await.unwrap();
    assert_eq!(rows, 1);
}

#[tokio::test]
async fn a_stopped_server_says_goodbye() {
    let mut server = or_skip!(Postgres::start());
    let database = server.database("stopped");
    let (client, connection) = tokio_postgres::connect(&database.url(), NoTls)
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    server.stop();
    let error = timeout(SOON, connection)
        .await
        .unwrap()
        .unwrap()
        .unwrap_err();
    assert_eq!(error.code().unwrap().code(), "57P01");
    assert!(client.is_closed());
    assert!(connect(&database.url()).await.is_err());

    server.restart();
    let before = processes_of(&server);
    server.restart();
    assert_ne!(before, processes_of(&server));
    assert!(connect(&database.url()).await.is_ok());
}

#[tokio::test]
async fn a_paused_server_keeps_quiet_until_it_is_resumed() {
    let mut server = or_skip!(Postgres::start());
    let database = server.database("paused");
    let client = connect(&database.url()).await.unwrap();

    server.pause();
    let query = count(&client, "SELECT count(*) FROM pg_class");
    tokio::pin!(query);
    assert!(timeout(BRIEFLY, &mut query).await.is_err());
    let url = database.url();
    let newcomer = connect(&url);
    tokio::pin!(newcomer);
    assert!(timeout(BRIEFLY, &mut newcomer).await.is_err());

    server.resume();
    assert!(timeout(SOON, query).await.unwrap().unwrap() > 0);
    assert!(timeout(SOON, newcomer).await.unwrap().is_ok());
}

#[tokio::test]
async fn a_paused_server_can_be_killed_and_stopped() {
    let mut server = or_skip!(Postgres::start());
    let database = server.database("paused_and_killed");
    let _client = connect(&database.url()).await.unwrap();
    server.pause();
    server.kill();
    server.restart();
    server.pause();
    server.stop();
    let directory = server.socket_directory().unwrap().to_owned();
    drop(server);
    assert!(!directory.exists());
}

#[test]
fn a_server_that_does_not_start_says_why() {
    or_skip!(Postgres::shared());
    let started = catch_unwind(|| Postgres::builder().setting("no_such_setting", 1).start());
    let panic = started.unwrap_err();
    let said = panic.downcast_ref::<String>().unwrap();
    assert!(said.contains("did not start: it exited"), "{said}");
    assert!(
        said.contains("unrecognized configuration parameter"),
        "{said}"
    );
}

/// What libpq says of a server's certificate; nothing when it is content.
fn complaint(server: &Postgres, mode: &str) -> String {
    let psql = Command::new("psql")
        .env("PGPASSWORD", server.password())
        .arg("--command=SELECT 1")
        .arg(format!(
            "host=localhost hostaddr=127.0.0.1 port={} user={} dbname=postgres sslmode={mode} \
             sslrootcert={}",
            server.port(),
            server.user(),
            server.ca_certificate().unwrap().display()
        ))
        .output()
        .expect("psql must be installed where PostgreSQL is.");
    String::from_utf8_lossy(&psql.stderr).into_owned()
}

#[test]
fn each_certificate_is_good_or_bad_in_its_own_way() {
    let with = |certificate| Postgres::builder().certificate(certificate).start();

    let good = or_skip!(with(ServerCertificate::Good));
    assert_eq!(complaint(&good, "verify-full"), "");

    let expired = or_skip!(with(ServerCertificate::Expired));
    let said = complaint(&expired, "verify-full");
    assert!(said.contains("certificate verify failed"), "{said}");
    drop(expired);

    let wrong = or_skip!(with(ServerCertificate::WrongHost));
    assert_eq!(complaint(&wrong, "verify-ca"), "");
    let said = complaint(&wrong, "verify-full");
    assert!(said.contains("does not match host name"), "{said}");
    drop(wrong);

    let unknown = or_skip!(with(ServerCertificate::UnknownAuthority));
    let said = complaint(&unknown, "verify-ca");
    assert!(said.contains("certificate verify failed"), "{said}");
}

#[tokio::test]
async fn a_server_stopped_immediately_comes_back_with_what_was_committed() {
    let mut server = or_skip!(Postgres::start());
    let database = server.database("immediately");
    let client = connect(&database.url()).await.unwrap();
    client
        .batch_execute("CREATE TABLE t (n int); INSERT INTO t VALUES (1)")
        .await
        .unwrap();
    server.stop_immediately();
    assert!(connect(&database.url()).await.is_err());
    server.restart();
    let client = connect(&database.url()).await.unwrap();
    let rows = count(&client, "SELECT count(*) FROM t").await.unwrap();
    assert_eq!(rows, 1);
    assert!(
        server.log().contains("automatic recovery"),
        "{}",
        server.log()
    );
}

#[tokio::test]
async fn sessions_are_counted_and_ended_by_what_they_do() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("sessions");
    let idle = connect(&database.url()).await.unwrap();
    let busy = connect(&database.url()).await.unwrap();
    busy.batch_execute("BEGIN").await.unwrap();
    assert_eq!(database.sessions("true").await.len(), 2);
    let in_transaction = database.sessions("state = 'idle in transaction'").await;
    assert_eq!(in_transaction.len(), 1);

    database.terminate(&in_transaction).await;
    assert_eq!(database.sessions("true").await.len(), 1);
    assert!(busy.batch_execute("COMMIT").await.is_err());
    assert!(idle.batch_execute("SELECT 1").await.is_ok());
}
