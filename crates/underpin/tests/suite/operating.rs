//! The operations of an administrator while the database is in use.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use underpin::driver::Connection as _;
use underpin::postgres::Credentials;
use underpin::{
    Bounds, Class, Config, Database, Deadline, Hooks, Secret, Status, TransactionOptions,
};
use underpin_testkit::{Postgres, TestDatabase, or_skip, secrets};

use crate::place::{InPlace, Place, eventually, server_connections, small};

/// A role that logs in with its own password.
struct Role<'a> {
    database: &'a TestDatabase,
    name: String,
}

impl<'a> Role<'a> {
    async fn new(database: &'a TestDatabase, password: &str) -> Self {
        let name = format!("{}_role", database.name());
        let create = format!("CREATE ROLE {name} LOGIN PASSWORD '{password}'");
        database
            .client()
            .await
            .batch_execute(&create)
            .await
            .unwrap();
        Role { database, name }
    }

    async fn set_password(&self, password: &str) {
        let alter = format!("ALTER ROLE {} PASSWORD '{password}'", self.name);
        self.database
            .client()
            .await
            .batch_execute(&alter)
            .await
            .unwrap();
    }

    /// The URL of the role, with this password or none.
    fn url(&self, server: &Postgres, password: Option<&str>) -> String {
        let (host, port) = (server.host(), server.port());
        let login = match password {
            Some(password) => format!("{}:{password}", self.name),
            None => self.name.clone(),
        };
        let database = self.database.name();
        format!("postgres://{login}@{host}:{port}/{database}?sslmode=disable")
    }

    async fn remove(self) {
        let drop = format!("DROP ROLE {}", self.name);
        self.database
            .client()
            .await
            .batch_execute(&drop)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_rotated_password_serves_new_connections() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("rotated");
    let (first, second) = (secrets::password(), secrets::password());
    let role = Role::new(&database, &first).await;
    let vault = Arc::new(Mutex::new(first));
    let (asked, user) = (Arc::clone(&vault), role.name.clone());
    let config = Config::from_url(&role.url(server, None)).unwrap();
    let config = config.to_builder().pool_min_size(0).max_retries(0);
    let db = Database::postgres(config.build().unwrap())
        .credentials(move || {
            let (asked, user) = (Arc::clone(&asked), user.clone());
            async move {
                let password = Secret::new(asked.lock().unwrap().clone());
                Ok(Credentials { user, password })
            }
        })
        .connect()
        .await
        .unwrap();
    let old = db.acquire().await.unwrap();

    role.set_password(&second).await;
    let error = db.acquire().await.unwrap_err();
    assert_eq!(error.class(), Class::Auth, "the vault is behind");
    old.ping().await.unwrap();

    *vault.lock().unwrap() = second;
    let new = db.acquire().await.unwrap();
    let who: String = new
        .query_scalar("SELECT current_user::text", ())
        .await
        .unwrap();
    assert_eq!(who, role.name);
    assert_eq!(server_connections(&database).await, 2);
    drop((old, new));
    db.close(Duration::from_secs(5)).await.unwrap();
    role.remove().await;
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_the_old_one_goes_on() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("refused");
    let (right, next) = (secrets::password(), secrets::password());
    let role = Role::new(&database, &right).await;
    let db = small(&role.url(server, Some(&right)), 2).await;
    let held = db.acquire().await.unwrap();

    let wrong = |password: &str| {
        let builder = db.config().to_builder();
        builder.password(password.to_owned()).build().unwrap()
    };
    let error = db.reconfigure(wrong(&next)).await.unwrap_err();
    assert_eq!(error.class(), Class::Auth);
    let beginning = "The new configuration was not applied; the old one remains in use. ";
    assert!(error.message().starts_with(beginning), "{error}");
    assert!(!format!("{error:?}").contains(&next));
    held.ping().await.unwrap();
    assert_eq!(db.query_scalar::<i32>("SELECT 1", ()).await.unwrap(), 1);
    assert_eq!(db.config().password().expose(), right);
    assert_eq!(
        server_connections(&database).await,
        2,
        "the trial is closed"
    );

    role.set_password(&next).await;
    db.reconfigure(wrong(&next)).await.unwrap();
    assert_eq!(db.query_scalar::<i32>("SELECT 1", ()).await.unwrap(), 1);
    drop(held);
    db.close(Duration::from_secs(5)).await.unwrap();
    role.remove().await;
}

#[tokio::test]
async fn a_database_moves_to_another_server_while_it_is_used() {
    let server = or_skip!(Postgres::shared());
    let old = server.database("moved_from");
    let mut other = or_skip!(Postgres::start());
    let new = other.database("moved_to");
    for (place, name) in [(&old, "old"), (&new, "new")] {
        let fill = format!("CREATE TABLE place AS SELECT '{name}'::text AS name");
        place.client().await.batch_execute(&fill).await.unwrap();
    }
    let db = small(&old.url(), 2).await;
    let ask = "SELECT name FROM place";
    let tx = db.begin().await.unwrap();
    assert_eq!(tx.query_scalar::<String>(ask, ()).await.unwrap(), "old");
    let moved = |max| {
        let builder = Config::from_url(&new.url()).unwrap().to_builder();
        let builder = builder.pool_min_size(0).pool_max_size(max).max_retries(0);
        builder.build().unwrap()
    };
    db.reconfigure(moved(3)).await.unwrap();
    assert_eq!(db.query_scalar::<String>(ask, ()).await.unwrap(), "new");
    // A transaction that began on the old server ends there.
    assert_eq!(tx.query_scalar::<String>(ask, ()).await.unwrap(), "old");
    tx.commit().await.unwrap();
    eventually("the old server is left alone", async || {
        server_connections(&old).await == 0
    })
    .await;
    assert_eq!(db.config().endpoints()[0].to_string(), {
        Config::from_url(&new.url()).unwrap().endpoints()[0].to_string()
    });
    assert!(
        db.health()
            .await
            .endpoint
            .contains(&other.port().to_string())
    );
    assert_eq!(db.statistics()[0].bounds.max, 3);

    // The name in messages is that of the current server.
    other.stop();
    eventually("the pool has noticed", async || {
        let error = db.ping().await.err();
        error.is_some_and(|error| error.message().contains(&other.port().to_string()))
    })
    .await;
    db.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn settings_that_cannot_change_while_open_are_named() {
    for place in Place::each("not_changed") {
        let db = place.open().await;
        let other_timeout = db.config().to_builder();
        let other_timeout = other_timeout.acquire_timeout(Duration::from_secs(7));
        let error = db.reconfigure(other_timeout.build().unwrap()).await;
        let error = error.unwrap_err();
        assert_eq!(error.class(), Class::Unsupported);
        assert!(error.message().contains("`acquire_timeout`"), "{error}");
        let error = db.reconfigure("sqlite::memory:").await.unwrap_err();
        assert_eq!(error.class(), Class::Unsupported);
        db.ping().await.unwrap();
    }
}

#[tokio::test]
async fn a_sqlite_database_moves_to_another_file() {
    let [from, to] = [(); 2].map(|()| underpin_testkit::SqliteFile::new());
    let db = Database::connect(from.url()).await.unwrap();
    db.execute("CREATE TABLE old (id INTEGER)", ())
        .await
        .unwrap();
    db.reconfigure(to.url()).await.unwrap();
    let tables = "SELECT count(*) FROM sqlite_schema";
    assert_eq!(db.query_scalar::<i64>(tables, ()).await.unwrap(), 0);
    assert_eq!(db.read().query_scalar::<i64>(tables, ()).await.unwrap(), 0);
    db.execute("CREATE TABLE new (id INTEGER)", ())
        .await
        .unwrap();
    db.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn a_paused_database_answers_when_it_is_resumed() {
    for place in Place::each("paused") {
        let db = place.open().await;
        db.pause();
        assert!(db.statistics().iter().all(|pool| pool.paused));
        let hasty = db.deadline(Duration::from_millis(50));
        let error = hasty.query_scalar::<i64>("SELECT 1", ()).await.unwrap_err();
        assert!(
            error.is_timeout() && error.message().contains("paused"),
            "{error}"
        );
        let waiting = tokio::spawn({
            let db = db.clone();
            async move { db.query_scalar::<i64>("SELECT 1 + 1", ()).await }
        });
        eventually("it waits", async || db.metrics().waiting == 1).await;
        db.resume();
        assert_eq!(waiting.await.unwrap().unwrap(), 2);
        db.close(Duration::from_secs(5)).await.unwrap();
    }
}

#[tokio::test]
async fn a_pool_is_resized_while_it_is_used() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("resized");
    let db = small(&database.url(), 1).await;
    let bounds = |min, max| Bounds {
        min,
        max,
        max_overflow: 0,
    };
    let held = db.acquire().await.unwrap();
    db.resize(bounds(0, 2)).unwrap();
    let second = db.acquire().await.unwrap();
    drop((held, second));
    db.resize(bounds(1, 1)).unwrap();
    eventually("one is left", async || {
        server_connections(&database).await == 1
    })
    .await;
    assert_eq!(db.resize(bounds(3, 2)).unwrap_err().class(), Class::Config);
    let memory = Database::connect("sqlite::memory:").await.unwrap();
    let error = memory.resize(bounds(1, 2)).unwrap_err();
    assert_eq!(error.class(), Class::Unsupported);
}

#[tokio::test]
async fn a_full_queue_is_busy_and_counted() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("full");
    let config = Config::from_url(&format!("{}&pool_max_waiting=1", database.url()))
        .unwrap()
        .to_builder()
        .pool_min_size(0)
        .pool_max_size(1);
    let db = Database::connect(config.build().unwrap()).await.unwrap();
    let held = db.acquire().await.unwrap();
    let waiting = tokio::spawn({
        let db = db.clone();
        async move { db.acquire().await }
    });
    eventually("one waits", async || db.metrics().waiting == 1).await;
    let error = db.acquire().await.unwrap_err();
    assert_eq!(error.class(), Class::Busy);
    assert_eq!(db.health().await.status, Status::Busy);
    assert_eq!(db.metrics().acquires_shed, 1);
    drop(held);
    drop(waiting.await.unwrap().unwrap());
    let statistics = &db.statistics()[0];
    assert!(statistics.wait.count() >= 3 && statistics.create.count() == 1);
}

#[tokio::test]
async fn settings_of_a_hook_apply_to_every_caller() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("hooked");
    let hooks = Hooks::new().after_connect(|connection: &underpin::postgres::Connection| {
        Box::pin(connection.batch("SET search_path TO shop", Deadline::NONE))
    });
    let config = Config::from_url(&database.url()).unwrap().to_builder();
    let config = config.pool_min_size(0).pool_max_size(1).build().unwrap();
    let db = Database::postgres(config)
        .hooks(hooks)
        .connect()
        .await
        .unwrap();
    let path = "SELECT current_setting('search_path')";
    for round in 0..3 {
        let lease = db.acquire().await.unwrap();
        let found: String = lease.query_scalar(path, ()).await.unwrap();
        assert_eq!(found, "shop", "in round {round}");
        if round == 1 {
            lease.batch("SET search_path TO elsewhere").await.unwrap();
        }
    }
    assert_eq!(db.metrics().total_connections, 1, "none had to be replaced");
}

#[tokio::test]
async fn a_hook_that_leaves_a_transaction_open_is_refused() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("hook_left_open");
    let hooks = Hooks::new().after_connect(|connection: &underpin::postgres::Connection| {
        Box::pin(connection.begin(TransactionOptions::default(), Deadline::NONE))
    });
    let db = Database::postgres(database.url())
        .hooks(hooks)
        .connect()
        .await;
    let error = db.unwrap_err();
    assert_eq!(error.class(), Class::Config, "{error}");
    eventually("nothing stays", async || {
        server_connections(&database).await == 0
    })
    .await;
}
