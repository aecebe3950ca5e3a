//! Reads that see an earlier write, on whichever server they run.

use std::time::Duration;

use underpin::{Class, Config, Database, Effect, Error, Position};
use underpin_testkit::{Postgres, TestDatabase, or_skip};

use crate::place::eventually;

fn on_ports(server: &Postgres, database: &str, ports: &[u16], user: Option<&str>) -> Config {
    let hosts: Vec<String> = ports
        .iter()
        .map(|port| format!("{}:{port}", server.host()))
        .collect();
    let (user, password) = (user.unwrap_or(server.user()), server.password());
    let url = format!(
        "postgres://{user}:{password}@{}/{database}?sslmode=disable&acquire_timeout=10s",
        hosts.join(",")
    );
    Config::from_url(&url).unwrap()
}

async fn port(db: &Database) -> u16 {
    let sql = "SELECT current_setting('port')::int";
    let port: i32 = db.query_scalar(sql, ()).await.unwrap();
    u16::try_from(port).unwrap()
}

async fn count(db: &Database) -> i64 {
    db.query_scalar("SELECT count(*) FROM item", ())
        .await
        .unwrap()
}

/// A primary with two replicas, all of which serve, and a table.
struct Three {
    primary: Postgres,
    replicas: [Postgres; 2],
    database: TestDatabase,
    db: Database,
}

async fn three(name: &str, user: Option<&str>) -> Result<Three, underpin_testkit::Unavailable> {
    let primary = Postgres::start()?;
    let database = primary.database(name);
    if let Some(user) = user {
        let password = primary.password();
        let sql = format!(
            "CREATE ROLE {user} LOGIN PASSWORD '{password}'; GRANT CREATE ON SCHEMA public TO {user}"
        );
        database.client().await.batch_execute(&sql).await.unwrap();
    }
    let replicas = [primary.replica().await?, primary.replica().await?];
    let ports = [primary.port(), replicas[0].port(), replicas[1].port()];
    let config = on_ports(&primary, database.name(), &ports, user);
    let db = Database::connect(config).await.unwrap();
    db.batch("CREATE TABLE item (id int)").await.unwrap();
    eventually("all hosts serve", async || {
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..6 {
            seen.insert(port(&db.read()).await);
        }
        seen.len() == 3
    })
    .await;
    Ok(Three {
        primary,
        replicas,
        database,
        db,
    })
}

async fn insert(db: &Database, id: i32) -> Position {
    let inserted = db.transaction_with_position(async |tx| {
        tx.execute("INSERT INTO item VALUES ($1)", (id,)).await
    });
    let (rows, position): (u64, Position) = inserted.await.unwrap();
    assert_eq!(rows, 1);
    position
}

async fn replay(replica: &Postgres, word: &str) {
    let sql = format!("SELECT pg_wal_replay_{word}()");
    replica.admin().await.batch_execute(&sql).await.unwrap();
}

#[tokio::test]
async fn a_read_with_a_position_is_never_stale() {
    let three = or_skip!(three("never_stale", None).await);
    let (db, replicas) = (&three.db, &three.replicas);
    replay(&replicas[0], "pause").await;
    let mut seen = std::collections::BTreeMap::new();
    for id in 1..=60 {
        let position = insert(db, id).await;
        // As it travels from one service to another.
        let position: Position = position.to_string().parse().unwrap();
        let read = db.after_within(position, Duration::from_secs(10));
        assert_eq!(count(&read).await, i64::from(id));
        *seen.entry(port(&read).await).or_insert(0) += 1;
    }
    // The replica that does not replay served nothing; the others did.
    assert_eq!(seen.get(&replicas[0].port()), None, "{seen:?}");
    assert!(seen.len() == 2, "{seen:?}");
    // It is indeed stale, for a read without a position.
    let mut stale = false;
    for _ in 0..3 {
        stale |= count(&db.read()).await < 60;
    }
    assert!(stale);
    assert_eq!(db.metrics().read_fallbacks, 0);

    // A transaction, a lease and a stream see it as well.
    let position = insert(db, 61).await;
    let read = db.after(position);
    let in_transaction = read.transaction(async |tx| -> Result<i64, Error> {
        tx.query_scalar("SELECT count(*) FROM item", ()).await
    });
    assert_eq!(in_transaction.await.unwrap(), 61);
    let lease = read.acquire().await.unwrap();
    let leased: i64 = lease
        .query_scalar("SELECT count(*) FROM item", ())
        .await
        .unwrap();
    assert_eq!(leased, 61);
    drop(lease);
    let mut rows = read
        .query_stream::<i32>("SELECT id FROM item", ())
        .await
        .unwrap();
    let mut streamed = 0;
    while let Some(row) = rows.next().await {
        row.unwrap();
        streamed += 1;
    }
    assert_eq!(streamed, 61);
    drop(rows);
    replay(&replicas[0], "resume").await;
    db.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn a_replica_that_does_not_replay_is_waited_for_and_then_left() {
    let three = or_skip!(three("waits_and_falls_back", None).await);
    let (db, replicas) = (&three.db, &three.replicas);
    let db = db.read_from(underpin::ReadFrom::Replicas);
    replay(&replicas[0], "pause").await;
    replay(&replicas[1], "pause").await;
    let position = insert(&three.db, 1).await;
    let before = db.metrics();
    let at_once = db.after_within(position, Duration::ZERO);
    assert_eq!(port(&at_once).await, three.primary.port());
    assert_eq!(db.metrics().read_fallbacks, before.read_fallbacks + 1);
    assert_eq!(db.metrics().replays_awaited, before.replays_awaited);
    assert_eq!(port(&db.after(position)).await, three.primary.port());
    assert_eq!(db.metrics().read_fallbacks, before.read_fallbacks + 2);
    assert_eq!(db.metrics().replays_awaited, before.replays_awaited + 1);

    // A replica that resumes replaying is waited for.
    let reading = tokio::spawn({
        let patient = db.after_within(position, Duration::from_secs(10));
        async move { (port(&patient).await, count(&patient).await) }
    });
    eventually("the read waits", async || {
        db.metrics().replays_awaited == before.replays_awaited + 2
    })
    .await;
    replay(&replicas[1], "resume").await;
    assert_eq!(reading.await.unwrap(), (replicas[1].port(), 1));
    assert_eq!(db.metrics().read_fallbacks, before.read_fallbacks + 2);
    replay(&replicas[0], "resume").await;
    db.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn a_position_that_was_left_behind_says_that_the_write_may_be_lost() {
    let mut three = or_skip!(three("position_lost", None).await);
    let kept = insert(&three.db, 1).await;
    let [new, other] = &mut three.replicas;
    eventually("both have the first row", async || {
        new.received().await >= kept.at() && other.received().await >= kept.at()
    })
    .await;
    other.detach().await;
    new.detach().await;
    // Only the old primary has this one.
    let lost = insert(&three.db, 2).await;
    three.primary.kill();
    new.promote().await;
    other.follow(new).await;
    let db = &three.db;
    db.execute("INSERT INTO item VALUES (3)", ()).await.ok();
    eventually(
        "the new primary is ahead of the lost position",
        async || {
            db.execute("INSERT INTO item SELECT generate_series(10, 500)", ())
                .await
                .is_ok()
                && db.position().await.is_ok_and(|now| now.at() > lost.at())
        },
    )
    .await;
    for _ in 0..6 {
        let error = db.after(lost).query("SELECT 1", ()).await.unwrap_err();
        assert_eq!(error.class(), Class::Data, "{error}");
        assert_eq!(error.effect(), Effect::NotSent, "{error}");
        let said = error.to_string();
        assert!(said.contains("may be lost"), "{said}");
        assert!(said.contains(&lost.to_string()), "{said}");
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.contains("repeat the writes")),
            "{said}"
        );
        assert!(count(&db.after(kept)).await > 0);
    }
    // A position on the new timeline is served by the replica that follows.
    let now = insert(db, 1_000).await;
    assert!(now.timeline() > kept.timeline());
    let replicas = db.read_from(underpin::ReadFrom::Replicas);
    let read = replicas.after_within(now, Duration::from_secs(10));
    assert_eq!(port(&read).await, other.port());
    db.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn a_user_who_cannot_see_a_replica_s_position_reads_from_the_primary() {
    let three = or_skip!(three("untold", Some("plain")).await);
    let db = &three.db;
    let position = insert(db, 1).await;
    for _ in 0..4 {
        assert_eq!(port(&db.after(position)).await, three.primary.port());
    }
    let grant = "GRANT pg_read_all_stats TO plain";
    three
        .database
        .client()
        .await
        .batch_execute(grant)
        .await
        .unwrap();
    let replicas = db.read_from(underpin::ReadFrom::Replicas);
    eventually("a replica serves", async || {
        port(&replicas.after_within(position, Duration::from_secs(1))).await != three.primary.port()
    })
    .await;
    db.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn positions_of_one_host_of_another_database_and_of_sqlite() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("positions_alone");
    let db = Database::connect(database.url()).await.unwrap();
    db.batch("CREATE TABLE item (id int)").await.unwrap();
    let position = insert(&db, 1).await;
    assert_eq!(count(&db.after(position)).await, 1);
    let tx = db.begin().await.unwrap();
    tx.execute("INSERT INTO item VALUES (2)", ()).await.unwrap();
    let later = tx.commit_with_position().await.unwrap();
    assert!(later.at() > position.at());
    // A transaction without statements has the current position.
    let empty = db
        .begin()
        .await
        .unwrap()
        .commit_with_position()
        .await
        .unwrap();
    assert!(empty.at() >= later.at());
    assert!(db.position().await.unwrap().at() >= later.at());

    let elsewhere = Position::new(position.system() + 1, position.timeline(), 1);
    let error = db.after(elsewhere).query("SELECT 1", ()).await.unwrap_err();
    assert_eq!(error.class(), Class::Data, "{error}");
    assert!(
        error
            .to_string()
            .contains("does not belong to the database"),
        "{error}"
    );

    // A failed transaction has no position.
    let tx = db.begin().await.unwrap();
    tx.execute("SELECT 1 / 0", ()).await.unwrap_err();
    let error = tx.commit_with_position().await.unwrap_err();
    assert_eq!(error.effect(), Effect::RolledBack, "{error}");
    let tx = db.begin().await.unwrap();
    let inner = tx.savepoint().await.unwrap();
    let error = inner.commit_with_position().await.unwrap_err();
    assert_eq!(error.class(), Class::Unsupported, "{error}");
    tx.rollback().await.unwrap();
    db.close(Duration::from_secs(5)).await.unwrap();

    let sqlite = Database::connect("sqlite::memory:").await.unwrap();
    sqlite.batch("CREATE TABLE item (id int)").await.unwrap();
    for error in [
        sqlite.position().await.unwrap_err(),
        sqlite
            .after(position)
            .query("SELECT 1", ())
            .await
            .unwrap_err(),
        sqlite
            .transaction_with_position(async |tx| {
                tx.execute("INSERT INTO item VALUES (1)", ()).await
            })
            .await
            .unwrap_err(),
    ] {
        assert_eq!(error.class(), Class::Unsupported, "{error}");
    }
    assert_eq!(count(&sqlite).await, 0);
    sqlite.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn reads_with_a_maximum_lag_avoid_lagging_replicas() {
    let three = or_skip!(three("lag", None).await);
    let (db, replicas) = (&three.db, &three.replicas);
    replay(&replicas[0], "pause").await;
    insert(db, 1).await;
    let bounds = [
        db.max_lag_bytes(0).read_from(underpin::ReadFrom::Replicas),
        db.max_lag_time(Duration::from_millis(1))
            .read_from(underpin::ReadFrom::Replicas),
    ];
    for bounded in &bounds {
        eventually("only the other one serves", async || {
            let mut seen = std::collections::BTreeSet::new();
            for _ in 0..6 {
                seen.insert(port(bounded).await);
            }
            seen == [replicas[1].port()].into()
        })
        .await;
    }
    let health = db.health().await;
    assert!(
        health.members[1].lag.is_some_and(|bytes| bytes > 0),
        "{health:?}"
    );
    // If no replica is near enough, the primary serves.
    replay(&replicas[1], "pause").await;
    insert(db, 2).await;
    for bounded in &bounds {
        eventually("the primary serves", async || {
            port(bounded).await == three.primary.port()
        })
        .await;
    }
    let wide = db
        .max_lag_bytes(1 << 40)
        .read_from(underpin::ReadFrom::Replicas);
    assert_ne!(port(&wide).await, three.primary.port());
    replay(&replicas[0], "resume").await;
    replay(&replicas[1], "resume").await;
    db.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn the_replicas_the_least_busy_or_the_nearest_serve_if_requested() {
    let three = or_skip!(three("read_from", None).await);
    let db = &three.db;
    let seen = async |db: &Database| {
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..12 {
            seen.insert(port(db).await);
        }
        seen
    };
    let [one, other] = [three.replicas[0].port(), three.replicas[1].port()];
    let replicas = db.read_from(underpin::ReadFrom::Replicas);
    assert_eq!(seen(&replicas).await, [one, other].into());
    // All three are on this machine.
    assert!(
        !seen(&db.read_from(underpin::ReadFrom::Nearest))
            .await
            .is_empty()
    );
    // A host whose connections are held is busy.
    let busy = db.read_from(underpin::ReadFrom::LeastBusy);
    let mut held = Vec::new();
    for _ in 0..9 {
        held.push(replicas.acquire().await.unwrap());
    }
    assert_eq!(seen(&busy).await, [three.primary.port()].into());
    drop(held);
    db.close(Duration::from_secs(5)).await.unwrap();
}
