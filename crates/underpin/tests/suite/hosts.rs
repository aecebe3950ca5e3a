//! Several hosts in one configuration: each is a member with a pool of its own, and calls follow
//! the host that takes writes.

use std::time::Duration;

use underpin::{Class, Config, Database, Effect, Endpoint, Event, Heard, Role, Status, ValueRow};
use underpin_testkit::{NotADatabase, Postgres, closed_port, or_skip};

use crate::place::eventually;

/// A configuration of one database on these ports, in this order.
fn on_ports(server: &Postgres, database: &str, ports: &[u16]) -> Config {
    let hosts: Vec<String> = ports
        .iter()
        .map(|port| format!("{}:{port}", server.host()))
        .collect();
    let (user, password) = (server.user(), server.password());
    let url = format!(
        "postgres://{user}:{password}@{}/{database}?sslmode=disable&acquire_timeout=10s",
        hosts.join(",")
    );
    Config::from_url(&url).unwrap()
}

/// Waits until the only replica of this server has replayed everything.
async fn caught_up(primary: &Postgres) {
    let admin = primary.admin().await;
    eventually("the replica has it all", async || {
        let replayed = "SELECT count(*) FROM pg_stat_replication
            WHERE replay_lsn = pg_current_wal_lsn()";
        admin
            .query_one(replayed, &[])
            .await
            .unwrap()
            .get::<_, i64>(0)
            == 1
    })
    .await;
}

async fn port(db: &Database) -> i32 {
    let sql = "SELECT current_setting('port')::int";
    db.query_scalar(sql, ()).await.unwrap()
}

#[tokio::test]
async fn the_host_that_takes_writes_serves() {
    let primary = or_skip!(Postgres::start());
    let database = primary.database("several_hosts");
    let replica = primary.replica().await.unwrap();
    let silent = NotADatabase::silent();
    let ports = [closed_port(), silent.port(), replica.port(), primary.port()];
    let db = Database::connect(on_ports(&primary, database.name(), &ports))
        .await
        .unwrap();
    assert_eq!(port(&db).await, i32::from(primary.port()));
    db.batch("CREATE TABLE item (id int)").await.unwrap();

    // Each member has a pool, and only the primary's is filled; the server counts one more
    // connection, on which the member is probed.
    let statistics = db.statistics();
    assert_eq!(statistics.len(), ports.len());
    eventually("the primary's pool is filled", async || {
        db.statistics()[0].size == 5
    })
    .await;
    for other in &db.statistics()[1..] {
        assert_eq!(other.size, 0, "{other:?}");
    }
    let (database_name, admin) = (database.name().to_owned(), primary.admin().await);
    let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1";
    // Not immediately: the server counts closed connections until it has noticed.
    eventually(
        "the server counts five connections and a probe",
        async || {
            let row = admin.query_one(count, &[&database_name]).await.unwrap();
            row.get::<_, i64>(0) == 6
        },
    )
    .await;

    let probes = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = $1 AND application_name LIKE '%(probe)'";
    let row = admin.query_one(probes, &[&database_name]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 1);

    // A single connection outside any pool finds the primary as well.
    let config = on_ports(&primary, database.name(), &ports[2..]);
    let alone = underpin::Connection::connect(config).await.unwrap();
    alone
        .execute("INSERT INTO item VALUES (1)", ())
        .await
        .unwrap();
    alone.close().await;
    db.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn calls_follow_a_promotion_without_an_error() {
    let mut primary = or_skip!(Postgres::start());
    let database = primary.database("promotion");
    let replica = primary.replica().await.unwrap();
    let ports = [primary.port(), replica.port()];
    let db = Database::connect(on_ports(&primary, database.name(), &ports))
        .await
        .unwrap();
    db.batch("CREATE TABLE item (id int)").await.unwrap();
    caught_up(&primary).await;

    primary.kill();
    // A caller that has sent nothing waits, and is served by the new primary.
    let waiting = tokio::spawn({
        let db = db.clone();
        async move {
            let sql = "INSERT INTO item VALUES (1)";
            let inserted = db.execute(sql, ()).await;
            // A statement that was on its way when the server died is reported as such, and not
            // repeated.
            match inserted {
                Err(error) if error.effect() == Effect::Unknown => db.execute(sql, ()).await,
                other => other,
            }
        }
    });
    replica.promote().await;
    assert_eq!(waiting.await.unwrap().unwrap(), 1);
    assert_eq!(port(&db).await, i32::from(replica.port()));
    let first = db.statistics()[0].name.clone();
    assert!(first.contains(&replica.port().to_string()), "{first}");
    db.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn without_a_host_that_takes_writes_the_error_names_all_hosts() {
    let server = or_skip!(Postgres::start());
    let database = server.database("nobody");
    let replica = server.replica().await.unwrap();
    let dead = closed_port();
    let config = on_ports(&server, database.name(), &[dead, replica.port()]);
    let config = config.to_builder().max_retries(0).build().unwrap();
    let error = Database::connect(config).await.unwrap_err();
    assert_eq!(error.class(), Class::Connect, "{error}");
    let said = error.to_string();
    assert!(said.contains("No server of the 2 could be used."), "{said}");
    assert!(said.contains(&dead.to_string()), "{said}");
    let is_replica = format!("{} is a replica", replica.port());
    assert!(said.contains(&is_replica), "{said}");
}

#[tokio::test]
async fn hosts_come_and_go_while_the_database_is_open() {
    let primary = or_skip!(Postgres::start());
    let database = primary.database("hosts_change");
    let replica = primary.replica().await.unwrap();
    let config = |ports: &[u16]| on_ports(&primary, database.name(), ports);
    let db = Database::connect(config(&[primary.port()])).await.unwrap();
    let begun = db.begin().await.unwrap();
    begun
        .execute("CREATE TABLE item (id int)", ())
        .await
        .unwrap();

    let both = [replica.port(), primary.port()];
    db.reconfigure(config(&both)).await.unwrap();
    assert_eq!(port(&db).await, i32::from(primary.port()));
    begun.commit().await.unwrap();
    assert_eq!(db.statistics().len(), 2);

    // A configuration without any primary is refused, and the old one remains in use.
    let error = db
        .reconfigure(config(&[replica.port(), closed_port()]))
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Connect, "{error}");
    assert_eq!(port(&db).await, i32::from(primary.port()));

    db.reconfigure(config(&[primary.port()])).await.unwrap();
    assert_eq!(port(&db).await, i32::from(primary.port()));
    assert_eq!(db.statistics().len(), 1);
    let admin = replica.admin().await;
    eventually("the replica is left alone", async || {
        let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1";
        let row = admin.query_one(count, &[&database.name()]).await.unwrap();
        row.get::<_, i64>(0) == 0
    })
    .await;
    db.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn reads_go_to_all_hosts_and_never_write() {
    let primary = or_skip!(Postgres::start());
    let database = primary.database("reads");
    let mut replicas = [
        primary.replica().await.unwrap(),
        primary.replica().await.unwrap(),
    ];
    let ports = [primary.port(), replicas[0].port(), replicas[1].port()];
    let db = Database::connect(on_ports(&primary, database.name(), &ports))
        .await
        .unwrap();
    db.batch("CREATE TABLE item (id int)").await.unwrap();
    eventually("all hosts answer", async || {
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..6 {
            seen.insert(port(&db.read()).await);
        }
        seen.len() == 3
    })
    .await;

    // Each host serves its share of the reads, both those on shared connections and the others.
    for handle in [db.read(), db.read().exclusive()] {
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..30 {
            *counts.entry(port(&handle).await).or_insert(0) += 1;
        }
        let counts: Vec<i32> = counts.into_values().collect();
        assert_eq!(counts, [10, 10, 10]);
    }
    for _ in 0..3 {
        let insert = "INSERT INTO item VALUES (1) RETURNING id";
        let error = db.read().execute(insert, ()).await.unwrap_err();
        assert_eq!(error.class(), Class::ReadOnly, "{error}");
        let error = db.read().query(insert, ()).await.unwrap_err();
        assert_eq!(error.class(), Class::ReadOnly, "{error}");
    }
    assert_eq!(port(&db).await, i32::from(primary.port()));

    // When a replica dies, no read fails that had not been sent.
    replicas[0].kill();
    let mut failed = 0;
    for _ in 0..60 {
        let read = db.read().idempotent();
        let sql = "SELECT current_setting('port')::int";
        failed += i32::from(read.query_scalar::<i32>(sql, ()).await.is_err());
    }
    assert_eq!(failed, 0);
    db.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn a_handle_that_reads_does_not_write_on_a_single_host() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("reads_alone");
    let db = Database::connect(database.url()).await.unwrap();
    db.batch(
        "CREATE TABLE item (id int);
         CREATE FUNCTION adds() RETURNS int LANGUAGE sql VOLATILE
             AS 'INSERT INTO item VALUES (7) RETURNING id'",
    )
    .await
    .unwrap();
    for sql in [
        "INSERT INTO item VALUES (1)",
        "SELECT adds()",
        "DROP TABLE item",
    ] {
        let error = db.read().execute(sql, ()).await.unwrap_err();
        assert_eq!(error.class(), Class::ReadOnly, "{sql}: {error}");
        assert!(
            error.hint().is_some_and(|hint| hint.contains("read()")),
            "{error}"
        );
    }
    let read = db.read();
    let streamed = async || {
        let sql = "INSERT INTO item VALUES (1) RETURNING id";
        let mut rows = read.query_stream::<ValueRow>(sql, ()).await?;
        rows.next().await.expect("a row or an error").map(drop)
    };
    assert_eq!(streamed().await.unwrap_err().class(), Class::ReadOnly);
    let rows: i64 = db
        .query_scalar("SELECT count(*) FROM item", ())
        .await
        .unwrap();
    assert_eq!(rows, 0);
    assert_eq!(db.metrics().pool_size, db.metrics().idle_connections);
    db.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn events_and_health_report_the_state_of_the_hosts() {
    let mut primary = or_skip!(Postgres::start());
    let database = primary.database("events");
    let replica = primary.replica().await.unwrap();
    let ports = [primary.port(), replica.port()];
    let db = Database::connect(on_ports(&primary, database.name(), &ports))
        .await
        .unwrap();
    let mut events = db.events().unwrap();
    eventually("both hosts are known", async || {
        let health = db.health().await;
        health.status == Status::Healthy && health.members.iter().all(|m| m.latency.is_some())
    })
    .await;
    let roles: Vec<_> = db.health().await.members.iter().map(|m| m.role).collect();
    assert_eq!(roles, [Some(Role::Primary), Some(Role::Replica)]);

    let (old, new) = (primary.port(), replica.port());
    let at = |endpoint: &Endpoint, port: u16| endpoint.to_string().ends_with(&port.to_string());
    primary.kill();
    replica.promote().await;
    let mut seen = Vec::new();
    while let Some(event) = events.next().await {
        let done = matches!(event, Event::FailoverDone { .. });
        seen.push(event);
        if done {
            break;
        }
    }
    let begun = |event: &Event| matches!(event, Event::FailoverBegun { from } if at(from, old));
    let down = |event: &Event| matches!(event, Event::Down { endpoint, .. } if at(endpoint, old));
    let done = |event: &Event| matches!(event, Event::FailoverDone { to, .. } if at(to, new));
    let promoted = |event: &Event| matches!(event, Event::RoleChanged { endpoint, role: Role::Primary } if at(endpoint, new));
    for (what, is) in [
        ("begun", &begun as &dyn Fn(&Event) -> bool),
        ("down", &down),
        ("promoted", &promoted),
        ("done", &done),
    ] {
        assert_eq!(
            seen.iter().filter(|event| is(event)).count(),
            1,
            "{what}: {seen:#?}"
        );
    }
    let health = db.health().await;
    assert_eq!(health.status, Status::Degraded, "{health}");
    assert!(health.is_healthy());
    assert!(health.to_string().contains(&old.to_string()), "{health}");
    db.close(Duration::from_secs(5)).await.unwrap();
    while events.next().await.is_some() {}
}

#[tokio::test]
async fn calls_on_a_silent_primary_end_when_another_takes_over() {
    let mut primary = or_skip!(Postgres::start());
    let database = primary.database("silent_primary");
    let replica = primary.replica().await.unwrap();
    let ports = [primary.port(), replica.port()];
    let db = Database::connect(on_ports(&primary, database.name(), &ports))
        .await
        .unwrap();
    db.batch("CREATE TABLE item (id int)").await.unwrap();
    caught_up(&primary).await;
    let held = db.begin().await.unwrap();
    held.execute("INSERT INTO item VALUES (1)", ())
        .await
        .unwrap();

    primary.pause();
    let in_flight: Vec<_> = (0..30)
        .map(|id| {
            let db = db.clone();
            tokio::spawn(async move { db.execute("INSERT INTO item VALUES ($1)", (id,)).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    replica.promote().await;
    let mut applied = 0;
    for call in in_flight {
        match call.await.unwrap() {
            Ok(rows) => applied += rows,
            // It was in progress at the old primary; some statements were prepared there and had
            // not run yet.
            Err(error) => assert!(
                matches!(error.effect(), Effect::Unknown | Effect::RolledBack),
                "{error}"
            ),
        }
    }
    // The calls that waited for a connection continued at the new primary.
    assert!(applied > 0);
    let rows: i64 = db
        .query_scalar("SELECT count(*) FROM item", ())
        .await
        .unwrap();
    assert_eq!(u64::try_from(rows).unwrap(), applied);
    assert_eq!(port(&db).await, i32::from(replica.port()));
    let lost = held.commit().await.unwrap_err();
    assert_ne!(lost.effect(), Effect::Applied, "{lost}");
    primary.resume();
    db.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn a_listener_tells_gaps_follows_the_primary_and_ends() {
    let mut primary = or_skip!(Postgres::start());
    let database = primary.database("listener");
    let replica = primary.replica().await.unwrap();
    let ports = [primary.port(), replica.port()];
    let db = Database::connect(on_ports(&primary, database.name(), &ports))
        .await
        .unwrap();
    let mut listener = db.listen(["orders", "Odd \"name\""]).await.unwrap();
    let notify = "SELECT pg_notify($1, $2)";
    for (channel, payload) in [
        ("orders", "1"),
        ("Odd \"name\"", "2"),
        ("other", "3"),
        ("orders", "4"),
    ] {
        db.query(notify, (channel, payload)).await.unwrap();
    }
    let mut payloads = Vec::new();
    for _ in 0..3 {
        match listener.next().await {
            Some(Heard::Notification(said)) => payloads.push(said.payload),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(payloads, ["1", "2", "4"]);

    // The connection is lost, and another one replaces it.
    let admin = primary.admin().await;
    let terminate = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = $1 AND query LIKE 'LISTEN%'";
    let row = admin
        .query_one(terminate, &[&database.name()])
        .await
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 1);
    assert_eq!(listener.next().await, Some(Heard::Gap));
    db.query(notify, ("orders", "5")).await.unwrap();
    let heard = listener.next().await;
    assert!(
        matches!(&heard, Some(Heard::Notification(said)) if said.payload == "5"),
        "{heard:?}"
    );

    primary.kill();
    replica.promote().await;
    assert_eq!(listener.next().await, Some(Heard::Gap));
    eventually("the new primary takes a notification", async || {
        db.query(notify, ("orders", "6")).await.is_ok()
    })
    .await;
    let heard = listener.next().await;
    assert!(
        matches!(&heard, Some(Heard::Notification(said)) if said.payload == "6"),
        "{heard:?}"
    );

    let error = db.listen([""]).await.unwrap_err();
    assert_eq!(error.class(), Class::Config, "{error}");
    db.close(Duration::from_secs(5)).await.unwrap();
    assert_eq!(listener.next().await, None);
    let sqlite = Database::connect("sqlite::memory:").await.unwrap();
    let error = sqlite.listen(["orders"]).await.unwrap_err();
    assert_eq!(error.class(), Class::Unsupported, "{error}");
}
