//! Behind a PgBouncer in transaction mode, where each transaction may use another session of the
//! server.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};
use underpin::{Class, Database, Effect, Error, Stage};
use underpin_testkit::{PgBouncer, PgBouncerBuilder, Postgres, TestDatabase, Unavailable, or_skip};

use crate::chaos::open;
use crate::place::eventually;

struct Scene {
    bouncer: PgBouncer,
    database: TestDatabase,
}

impl Scene {
    fn new(
        server: &Postgres,
        test: &str,
        settings: impl FnOnce(PgBouncerBuilder) -> PgBouncerBuilder,
    ) -> Result<Scene, Unavailable> {
        Ok(Scene {
            bouncer: settings(PgBouncer::builder()).start(server)?,
            database: server.database(test),
        })
    }

    /// The database of a user who follows the error's advice.
    async fn uncached(&self, connections: u32) -> Database {
        let url = format!(
            "{}&statement_cache_size=0",
            self.bouncer.url(&self.database)
        );
        open(&url, connections, |config| config).await
    }

    /// Another program behind the same PgBouncer.
    async fn stranger(&self) -> Client {
        let url = self.bouncer.url(&self.database);
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }
}

const ADVICE: &str = "Set statement_cache_size = 0";

async fn work(db: Database, task: i32) -> Result<(), Error> {
    for n in 0..10 {
        let id = task * 10 + n;
        let insert = "INSERT INTO t (n, note) VALUES ($1, $2)";
        db.execute(insert, (id, format!("row {id}"))).await?;
        let note: String = db
            .query_scalar("SELECT note FROM t WHERE n = $1", (id,))
            .await?;
        assert_eq!(note, format!("row {id}"));
        let counted: i64 = db
            .transaction(async |tx| {
                let changed = tx
                    .execute("UPDATE t SET note = 'moved' WHERE n = $1", (id,))
                    .await?;
                assert_eq!(changed, 1);
                tx.query_scalar(
                    "SELECT count(*) FROM t WHERE n = $1 AND note = 'moved'",
                    (id,),
                )
                .await
            })
            .await?;
        assert_eq!(counted, 1);
        if n % 5 == 0 {
            assert_cut_short(&db, task).await;
        }
        let failed: Result<(), Error> = db
            .transaction(async |tx| {
                tx.execute("DELETE FROM t WHERE n = $1", (id,)).await?;
                tx.execute(insert, (id, "twice")).await?;
                tx.execute(insert, (id, "twice")).await.map(drop)
            })
            .await;
        assert_eq!(failed.unwrap_err().class(), Class::Constraint);
    }
    Ok(())
}

/// A statement that is canceled at its deadline, through PgBouncer.
async fn assert_cut_short(db: &Database, task: i32) {
    let late = db
        .deadline(Duration::from_millis(300))
        .execute("INSERT INTO t SELECT $1, pg_sleep(5)::text", (-1 - task,))
        .await
        .unwrap_err();
    // With few sessions, the deadline may pass while PgBouncer has no session available.
    assert!(late.is_timeout(), "{late}");
    assert_ne!(late.effect(), Effect::Applied, "{late}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_cache_many_tasks_share_few_sessions_of_the_server() {
    let server = or_skip!(Postgres::shared());
    let scene = or_skip!(Scene::new(server, "bouncer_shared", |bouncer| {
        bouncer.setting("default_pool_size", 3)
    }));
    let db = scene.uncached(12).await;
    db.execute("CREATE TABLE t (n int PRIMARY KEY, note text)", ())
        .await
        .unwrap();
    let mut tasks = JoinSet::new();
    for task in 0..24 {
        tasks.spawn(work(db.clone(), task));
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap().unwrap();
    }
    let rows: Vec<i32> = db.query_as("SELECT n FROM t ORDER BY n", ()).await.unwrap();
    assert_eq!(rows, (0..240).collect::<Vec<_>>());
    eventually("nobody holds a connection", async || {
        let metrics = db.metrics();
        metrics.active_connections == 0 && metrics.waiting == 0
    })
    .await;
    eventually("no session is at work or in a transaction", async || {
        scene.database.sessions("state <> 'idle'").await.is_empty()
    })
    .await;
    let sessions = scene.database.sessions("true").await.len();
    assert!((1..=3).contains(&sessions), "{sessions} sessions");
}

#[tokio::test]
async fn without_a_cache_a_deadline_cancels_through_the_pgbouncer() {
    let server = or_skip!(Postgres::shared());
    let scene = or_skip!(Scene::new(server, "bouncer_deadline", |bouncer| bouncer));
    let db = scene.uncached(2).await;
    let brief = db.deadline(Duration::from_millis(200));
    let error = brief.execute("SELECT pg_sleep(60)", ()).await.unwrap_err();
    let class = Class::Timeout {
        stage: Stage::Statement,
    };
    assert_eq!(
        (error.class(), error.sqlstate()),
        (class, Some("57014")),
        "{error}"
    );
    assert_eq!(error.effect(), Effect::RolledBack, "{error}");
    // The connection to PgBouncer has survived.
    db.execute("SELECT 1", ()).await.unwrap();
    assert_eq!(db.metrics().total_connections, 1);
    // So has the connection of a dropped future.
    let dropped = db.execute("SELECT pg_sleep(60)", ());
    let dropped = tokio::time::timeout(Duration::from_millis(100), dropped).await;
    assert!(dropped.is_err());
    eventually("nothing runs on the server", async || {
        scene.database.sessions("state = 'active'").await.is_empty()
    })
    .await;
    db.execute("SELECT 1", ()).await.unwrap();
}

/// Each setting that is sent at startup, without a cache: it takes effect, or is refused.
#[tokio::test]
async fn without_a_cache_every_setting_holds_or_is_refused() {
    let server = or_skip!(Postgres::shared());
    let scene = or_skip!(Scene::new(server, "bouncer_startup", |bouncer| bouncer));
    let bouncer = format!(
        "{}&statement_cache_size=0",
        scene.bouncer.url(&scene.database)
    );
    let direct = format!("{}&statement_cache_size=0", scene.database.url());
    let shown = |name: &str| format!("SELECT current_setting('{name}')");
    for (parameter, setting, value, is_taken) in [
        ("application_name=shop", "application_name", "shop", true),
        (
            "fallback_application_name=shop",
            "application_name",
            "shop",
            true,
        ),
        ("statement_timeout=5s", "statement_timeout", "5s", false),
        ("options=-c%20work_mem%3D1MB", "work_mem", "1MB", false),
        ("client_encoding=UTF8", "client_encoding", "UTF8", true),
        ("keepalives_idle=30", "client_encoding", "UTF8", true),
    ] {
        let db = open(&format!("{direct}&{parameter}"), 1, |config| config).await;
        let told: String = db.query_scalar(&shown(setting), ()).await.unwrap();
        assert_eq!(told, value, "{parameter}");
        let through = Database::connect(format!("{bouncer}&{parameter}&max_retries=0")).await;
        match through {
            Ok(db) => {
                assert!(is_taken, "{parameter}");
                let told: String = db.query_scalar(&shown(setting), ()).await.unwrap();
                assert_eq!(told, value, "{parameter}");
            }
            Err(error) => {
                assert!(!is_taken, "{parameter}: {error}");
                assert_eq!(error.class(), Class::Config, "{error}");
                assert!(error.hint().unwrap().contains("ALTER ROLE"), "{error}");
            }
        }
    }
    // The default timeout was not configured, so it is not needed.
    let db = open(&bouncer, 1, |config| config).await;
    assert_eq!(db.query_scalar::<i32>("SELECT 1", ()).await.unwrap(), 1);
}

#[tokio::test]
async fn with_the_usual_settings_a_pgbouncer_lets_nobody_in_and_the_error_says_what_to_set() {
    let server = or_skip!(Postgres::shared());
    let scene = or_skip!(Scene::new(server, "bouncer_usual", |bouncer| bouncer));
    // It is not retried either: the default of three retries applies.
    let error = Database::connect(scene.bouncer.url(&scene.database))
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Config, "{error}");
    assert_eq!(error.sqlstate(), Some("08P01"));
    assert!(
        error.to_string().contains("unsupported startup parameter"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains(ADVICE), "{error}");
}

#[tokio::test]
async fn other_refusals_of_a_pgbouncer_are_not_blamed_on_the_settings() {
    let server = or_skip!(Postgres::shared());
    let scene = or_skip!(Scene::new(server, "bouncer_nowhere", |bouncer| {
        lenient(bouncer).setting("max_client_conn", 0)
    }));
    let url = format!("{}&max_retries=0", scene.bouncer.url(&scene.database));
    let error = Database::connect(&url).await.unwrap_err();
    // The code is the same.
    assert_eq!(error.sqlstate(), Some("08P01"), "{error}");
    assert_ne!(error.class(), Class::Config, "{error}");
    assert!(error.to_string().contains("no more connections"), "{error}");
}

/// Named statements behind a PgBouncer that ignores the settings which it would refuse.
async fn cached(scene: &Scene) -> Database {
    open(&scene.bouncer.url(&scene.database), 2, |config| config).await
}

fn lenient(bouncer: PgBouncerBuilder) -> PgBouncerBuilder {
    bouncer
        .setting("ignore_startup_parameters", "options")
        .setting("default_pool_size", 2)
}

#[tokio::test]
async fn with_a_cache_a_statement_that_is_not_there_says_what_to_set() {
    let server = or_skip!(Postgres::shared());
    let scene = or_skip!(Scene::new(server, "bouncer_missing", lenient));
    let db = cached(&scene).await;
    let lease = db.acquire().await.unwrap();
    lease.execute("SELECT 1", ()).await.unwrap();
    // The only session of the server that has prepared the statement is in use.
    let stranger = scene.stranger().await;
    stranger.batch_execute("BEGIN").await.unwrap();
    let transaction = lease.begin().await.unwrap();
    let error = transaction.execute("SELECT 1", ()).await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("26000"), "{error}");
    assert_eq!(error.effect(), Effect::RolledBack, "{error}");
    assert!(error.hint().unwrap().contains(ADVICE), "{error}");
}

#[tokio::test]
async fn with_a_cache_a_name_that_is_taken_says_what_to_set() {
    let server = or_skip!(Postgres::shared());
    // One session of the server, so that both programs use it.
    let one_session = |bouncer: PgBouncerBuilder| {
        bouncer
            .setting("ignore_startup_parameters", "options")
            .setting("default_pool_size", 1)
    };
    let scene = or_skip!(Scene::new(server, "bouncer_taken", one_session));
    let db = cached(&scene).await;
    // Every program numbers its statements from 0, so the names of two programs collide.
    let stranger = scene.stranger().await;
    for number in 0..100 {
        let prepare = format!("PREPARE s{number} AS SELECT 1");
        stranger.batch_execute(&prepare).await.unwrap();
    }
    let error = db.execute("SELECT 2", ()).await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("42P05"), "{error}");
    assert_eq!(error.effect(), Effect::RolledBack, "{error}");
    assert!(error.hint().unwrap().contains(ADVICE), "{error}");
}
