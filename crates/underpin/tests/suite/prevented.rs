//! Complaints of users of other pools about failovers, each with a test named after what it
//! prevents; and the errors that callers get.

use std::collections::BTreeSet;
use std::time::Duration;

use underpin::{Class, Config, Database, Effect, Event, ReadFrom};
use underpin_testkit::{Postgres, Proxy, or_skip};

use crate::place::eventually;

fn config(server: &Postgres, ports: &[u16], more: &str) -> Config {
    let hosts: Vec<String> = ports
        .iter()
        .map(|port| format!("127.0.0.1:{port}"))
        .collect();
    let (user, password) = (server.user(), server.password());
    let hosts = hosts.join(",");
    let url = format!("postgres://{user}:{password}@{hosts}/postgres?sslmode=disable{more}");
    Config::from_url(&url).unwrap()
}

async fn port(db: &Database) -> u16 {
    let sql = "SELECT current_setting('port')::int";
    let port: i32 = db.query_scalar(sql, ()).await.unwrap();
    u16::try_from(port).unwrap()
}

async fn caught_up(primary: &Postgres, replicas: i64) {
    let admin = primary.admin().await;
    eventually("the replicas have it all", async || {
        let replayed = "SELECT count(*) FROM pg_stat_replication
            WHERE replay_lsn = pg_current_wal_lsn()";
        let row = admin.query_one(replayed, &[]).await.unwrap();
        row.get::<_, i64>(0) == replicas
    })
    .await;
}

fn rewindable() -> underpin_testkit::PostgresBuilder {
    Postgres::builder()
        .setting("wal_log_hints", "on")
        .setting("full_page_writes", "on")
        .setting("wal_keep_size", "256MB")
}

#[tokio::test]
async fn a_pool_does_not_stay_pinned_to_a_demoted_primary() {
    let mut old = or_skip!(rewindable().start());
    let new = old.replica().await.unwrap();
    let db = Database::connect(config(&old, &[old.port(), new.port()], ""))
        .await
        .unwrap();
    db.batch("CREATE TABLE item (id int)").await.unwrap();
    caught_up(&old, 1).await;
    // It restarts as a replica, on the same port, and answers `SELECT 1` as before.
    old.stop();
    new.promote().await;
    old.demote(&new).await;
    let mut refused = 0;
    for id in 0..50 {
        match db.execute("INSERT INTO item VALUES ($1)", (id,)).await {
            Ok(_) => {}
            Err(error) => {
                assert_ne!(error.effect(), Effect::Applied, "{error}");
                refused += 1;
            }
        }
    }
    // At most one error per open connection, and the restart closed those.
    assert!(refused <= 5, "{refused}");
    assert_eq!(port(&db).await, new.port());
    db.execute("INSERT INTO item VALUES (100)", ())
        .await
        .unwrap();
    db.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn a_write_that_is_refused_as_read_only_is_not_refused_again() {
    let mut old = or_skip!(rewindable().start());
    let new = old.replica().await.unwrap();
    let db = Database::connect(config(&old, &[old.port(), new.port()], ""))
        .await
        .unwrap();
    db.batch("CREATE TABLE item (id int)").await.unwrap();
    caught_up(&old, 1).await;
    // The open sessions are read-only from now on, as after a demotion in place.
    let lease = db.acquire().await.unwrap();
    lease
        .execute("SET default_transaction_read_only = on", ())
        .await
        .unwrap();
    let error = lease
        .execute("INSERT INTO item VALUES (1)", ())
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::ReadOnly, "{error}");
    assert_eq!(error.effect(), Effect::RolledBack, "{error}");
    drop(lease);
    old.stop();
    new.promote().await;
    let idempotent = db.idempotent();
    idempotent
        .execute("INSERT INTO item VALUES (1)", ())
        .await
        .unwrap();
    assert_eq!(port(&db).await, new.port());
    db.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn no_read_is_sent_to_a_host_that_is_known_to_be_dead() {
    let primary = or_skip!(Postgres::start());
    let replica = primary.replica().await.unwrap();
    let network = Proxy::before(&replica);
    let db = Database::connect(config(&primary, &[primary.port(), network.port()], ""))
        .await
        .unwrap();
    eventually("both serve", async || {
        port(&db.read()).await == replica.port()
    })
    .await;
    network.cut();
    network.refuse();
    eventually("the replica is known to be dead", async || {
        let _ = db.read().query("SELECT 1", ()).await;
        db.health().await.members[1].error.is_some()
    })
    .await;
    let attempts = db.statistics()[1].connection_errors_total;
    for _ in 0..200 {
        assert_eq!(port(&db.read()).await, primary.port());
    }
    assert_eq!(db.statistics()[1].connection_errors_total, attempts);
    // It is used again after a probe was answered, without any action by an operator.
    network.resume();
    eventually("it serves again", async || {
        port(&db.read()).await == replica.port()
    })
    .await;
    db.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn a_replica_that_refuses_connections_is_set_aside() {
    let primary = or_skip!(Postgres::start());
    let replica = primary.replica().await.unwrap();
    let network = Proxy::before(&replica);
    let db = Database::connect(config(&primary, &[primary.port(), network.port()], ""))
        .await
        .unwrap();
    eventually("the replica answers", async || {
        db.health().await.members[1].latency.is_some()
    })
    .await;
    // It answers the probes on the open connection, and accepts no others.
    network.refuse();
    for _ in 0..50 {
        assert_eq!(port(&db.read()).await, primary.port());
    }
    let member = db.health().await.members.remove(1);
    assert!(member.set_aside && member.error.is_none(), "{member:?}");
    assert!(
        db.statistics()[1].connection_errors_total <= 5,
        "{:?}",
        db.statistics()[1]
    );
    network.resume();
    eventually("it serves again", async || {
        port(&db.read()).await == replica.port()
    })
    .await;
    db.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn reads_are_served_by_the_primary_when_no_replica_is_left() {
    let primary = or_skip!(Postgres::start());
    let mut replica = primary.replica().await.unwrap();
    let db = Database::connect(config(&primary, &[primary.port(), replica.port()], ""))
        .await
        .unwrap();
    let replicas = db.read_from(ReadFrom::Replicas);
    eventually("the replica serves", async || {
        port(&replicas).await == replica.port()
    })
    .await;
    replica.kill();
    let idempotent = replicas.idempotent();
    for _ in 0..20 {
        assert_eq!(port(&idempotent).await, primary.port());
    }
    db.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn two_primaries_on_one_timeline_get_no_writes_and_both_are_named() {
    let mut first = or_skip!(Postgres::start());
    first
        .admin()
        .await
        .batch_execute("CREATE TABLE item (id int)")
        .await
        .unwrap();
    let (one, other) = (
        first.replica().await.unwrap(),
        first.replica().await.unwrap(),
    );
    caught_up(&first, 2).await;
    first.kill();
    one.promote().await;
    let ports = [one.port(), other.port()];
    let refusing = Database::connect(config(&one, &ports, "")).await.unwrap();
    let keeping = Database::connect(config(&one, &ports, "&two_primaries=keep"))
        .await
        .unwrap();
    for db in [&refusing, &keeping] {
        assert_eq!(port(db).await, one.port());
    }
    let mut events = refusing.events().unwrap();
    // Promoted from the same place, it writes the same timeline.
    other.promote().await;
    let named = loop {
        match events.next().await.expect("the database is open") {
            Event::TwoPrimaries {
                endpoints,
                timeline,
            } => {
                assert_eq!(timeline, 2);
                break endpoints;
            }
            _ => continue,
        }
    };
    assert_eq!(named.len(), 2);
    let brief = refusing.deadline(Duration::from_secs(1));
    let error = brief
        .execute("INSERT INTO item VALUES (1)", ())
        .await
        .unwrap_err();
    let said = error.to_string();
    for endpoint in &named {
        assert!(said.contains(&endpoint.to_string()), "{said}");
    }
    assert!(said.contains("timeline 2"), "{said}");
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("two_primaries")),
        "{said}"
    );
    assert_ne!(error.effect(), Effect::Applied, "{said}");

    eventually("the other one is known", async || {
        let roles: Vec<_> = keeping
            .health()
            .await
            .members
            .iter()
            .map(|it| it.role)
            .collect();
        roles == [Some(underpin::Role::Primary); 2]
    })
    .await;
    for _ in 0..10 {
        keeping
            .execute("INSERT INTO item VALUES (2)", ())
            .await
            .unwrap();
        assert_eq!(port(&keeping).await, one.port());
    }
    for db in [refusing, keeping] {
        db.close(Duration::from_secs(5)).await.unwrap();
    }
}

#[tokio::test]
async fn the_error_names_each_host_what_was_tried_how_long_and_what_to_do() {
    let mut primary = or_skip!(Postgres::start());
    let replica = primary.replica().await.unwrap();
    let ports = [primary.port(), replica.port()];
    let db = Database::connect(config(&primary, &ports, "&acquire_timeout=1500ms"))
        .await
        .unwrap();
    db.batch("CREATE TABLE item (id int)").await.unwrap();
    eventually("both answer", async || {
        db.health()
            .await
            .members
            .iter()
            .all(|member| member.latency.is_some())
    })
    .await;
    let held = db.begin().await.unwrap();
    held.execute("INSERT INTO item VALUES (0)", ())
        .await
        .unwrap();
    primary.kill();

    // The error of a call in progress names its host, and the effect.
    let error = held
        .execute("INSERT INTO item VALUES (1)", ())
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Connect, "{error}");
    assert!(error.to_string().contains(&ports[0].to_string()), "{error}");
    assert_ne!(error.effect(), Effect::Applied, "{error}");
    drop(held);

    // Without a primary, the wait ends with the answer of each host.
    let error = db
        .execute("INSERT INTO item VALUES (2)", ())
        .await
        .unwrap_err();
    let said = error.to_string();
    assert!(
        matches!(error.class(), Class::Timeout { .. } | Class::Connect),
        "{error:?}"
    );
    assert!(said.contains(&ports[0].to_string()), "{said}");
    assert!(error.hint().is_some(), "{said}");
    let brief = db.deadline(Duration::from_millis(300));
    let error = brief
        .execute("INSERT INTO item VALUES (3)", ())
        .await
        .unwrap_err();
    assert!(
        matches!(error.class(), Class::Timeout { .. } | Class::Connect),
        "{error:?}"
    );

    // A read still goes to the replica, and a write there is refused with its name.
    let read = db.read().idempotent();
    let hosts: BTreeSet<u16> = [port(&read).await, port(&read).await].into();
    assert_eq!(hosts, [ports[1]].into());
    let error = db
        .read()
        .execute("INSERT INTO item VALUES (4)", ())
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::ReadOnly, "{error}");
    assert!(
        error.hint().is_some_and(|hint| hint.contains("read()")),
        "{error}"
    );

    // Health reports it too, as a value that other programs can read.
    let health = db.health().await;
    assert!(!health.is_ready() && health.is_live(), "{health:?}");
    let shown = serde_json::to_value(&health).unwrap();
    assert_eq!(shown["ready"], false);
    assert_eq!(shown["live"], true);
    assert_eq!(shown["members"][1]["role"], "replica");
    assert!(shown["members"][0]["error"].is_string(), "{shown}");
    assert!(
        !shown.to_string().contains(primary.password()),
        "a secret is shown"
    );
    db.close(Duration::from_secs(5)).await.unwrap();
    let closed = db.health().await;
    assert!(!closed.is_live() && !closed.is_ready(), "{closed:?}");
}

#[tokio::test]
async fn calls_without_a_connection_and_retries_are_reported() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("calls_told");
    let url = format!("{}&pool_max_size=1&pool_min_size=0", database.url());
    let url = if url.contains('?') {
        url
    } else {
        url.replacen('&', "?", 1)
    };
    let db = Database::connect(url).await.unwrap();
    let mut events = db.events().unwrap();
    let lease = db.acquire().await.unwrap();
    let brief = db.deadline(Duration::from_millis(50));
    let error = brief.execute("SELECT 1", ()).await.unwrap_err();
    assert!(matches!(error.class(), Class::Timeout { .. }), "{error:?}");
    let told = events.next().await;
    assert!(
        matches!(told, Some(Event::PoolExhausted { .. })),
        "{told:?}"
    );
    drop(lease);

    // The session ends itself, once.
    let terminate =
        "SELECT pg_terminate_backend(pg_backend_pid()) FROM (SELECT nextval('once')) n(n)
        WHERE n.n = 1";
    db.batch("CREATE SEQUENCE once").await.unwrap();
    db.exclusive()
        .idempotent()
        .execute(terminate, ())
        .await
        .unwrap();
    let told = events.next().await;
    assert!(matches!(told, Some(Event::Retried { .. })), "{told:?}");
    db.close(Duration::from_secs(5)).await.unwrap();
}
