//! Starts a real PgBouncer before the run's server.

use tokio_postgres::NoTls;
use underpin_testkit::{PgBouncer, Postgres, or_skip};

#[tokio::test]
async fn two_clients_share_one_session_of_the_server() {
    let server = or_skip!(Postgres::shared());
    let bouncer = or_skip!(
        PgBouncer::builder()
            .setting("default_pool_size", 1)
            .start(server)
    );
    let database = server.database("bouncer");
    let mut sessions = Vec::new();
    let mut clients = Vec::new();
    for _ in 0..2 {
        let (client, connection) = tokio_postgres::connect(&bouncer.url(&database), NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        let own = client
            .simple_query("SELECT pg_backend_pid()")
            .await
            .unwrap()
            .iter()
            .find_map(|message| match message {
                tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                _ => None,
            });
        sessions.push(own.unwrap());
        clients.push(client);
    }
    assert_eq!(sessions[0], sessions[1]);
    assert_eq!(database.sessions("true").await.len(), 1);
    assert!(bouncer.version() >= (1, 0), "{bouncer:?}");

    // The end of PgBouncer affects nothing else.
    let port = bouncer.port();
    drop(bouncer);
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
    assert!(
        database
            .client()
            .await
            .batch_execute("SELECT 1")
            .await
            .is_ok()
    );
}

#[test]
fn one_that_does_not_start_says_why() {
    let server = or_skip!(Postgres::shared());
    or_skip!(PgBouncer::start(server));
    let started = std::panic::catch_unwind(|| {
        PgBouncer::builder()
            .setting("pool_mode", "sideways")
            .start(server)
    });
    let panic = started.unwrap_err();
    let said = panic.downcast_ref::<String>().unwrap();
    assert!(said.contains("it did not start"), "{said}");
    assert!(said.contains("sideways"), "{said}");
}
