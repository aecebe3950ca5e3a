//! Connecting is retried after 1, 2 and 4 s of simulated time, and not at all if the same attempt
//! would fail the same way; the log has the documented levels.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;
use underpin::postgres::{Dial, Dialing};
use underpin::{Class, Config, Database, Endpoint};
use underpin_testkit::{Postgres, or_skip, secrets};

use crate::place::Log;

/// Refuses every attempt, and records the time of each.
#[derive(Debug, Clone, Default)]
struct Refusing(Arc<Mutex<Vec<Instant>>>);

impl Dial for Refusing {
    fn dial<'a>(&'a self, _: &'a Endpoint) -> Dialing<'a> {
        self.0.lock().unwrap().push(Instant::now());
        Box::pin(async { Err(std::io::ErrorKind::ConnectionRefused.into()) })
    }
}

fn config(url: &str) -> Config {
    Config::from_url(url)
        .unwrap()
        .to_builder()
        .pool_min_size(0)
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn connecting_waits_one_two_and_four_seconds() {
    let log = Log::default();
    let collecting = log.collect();
    let dial = Refusing::default();
    let secret = secrets::password();
    let url = format!("postgres://app:{secret}@db.example:5432/shop?sslmode=disable");
    let error = Database::connect_through(config(&url), dial.clone())
        .await
        .unwrap_err();
    drop(collecting);
    assert_eq!(error.class(), Class::Connect, "{error}");
    let attempts = dial.0.lock().unwrap().clone();
    let waits: Vec<f64> = attempts
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_secs_f64())
        .collect();
    assert_eq!(waits.len(), 3, "{waits:?}");
    for (wait, exact) in waits.iter().zip([1.0, 2.0, 4.0]) {
        // The default jitter is a fifth in each direction.
        assert!((exact * 0.79..=exact * 1.21).contains(wait), "{waits:?}");
    }
    assert_eq!(log.count("WARN", ""), 3, "{}", log.text());
    assert_eq!(log.count("ERROR", ""), 1, "{}", log.text());
    assert_eq!(log.count("INFO", "pool opened"), 1, "{}", log.text());
    assert!(!log.text().contains(&secret));
}

#[tokio::test(start_paused = true)]
async fn the_number_of_retries_is_settable_per_call() {
    let dial = Refusing::default();
    let url = "postgres://app@db.example:5432/shop?sslmode=disable";
    let db = Database::connect_lazy_through(config(url), dial.clone()).unwrap();
    for (retries, attempts) in [(0, 1), (1, 3), (2, 6)] {
        let error = db.retries(retries).unwrap().acquire().await.unwrap_err();
        assert_eq!(error.class(), Class::Connect, "{error}");
        assert_eq!(dial.0.lock().unwrap().len(), attempts);
    }
    assert_eq!(db.metrics().connection_errors, 6);
    // Each attempt that followed a failed one.
    assert_eq!(db.metrics().retry_attempts, 5);
}

#[tokio::test(start_paused = true)]
async fn no_wait_passes_the_callers_deadline() {
    let dial = Refusing::default();
    let url = "postgres://app@db.example:5432/shop?sslmode=disable";
    let db = Database::connect_lazy_through(config(url), dial.clone()).unwrap();
    let error = db
        .deadline(Duration::from_millis(1500))
        .acquire()
        .await
        .unwrap_err();
    // The first attempt, the one after a second, and none after two more.
    assert_eq!(dial.0.lock().unwrap().len(), 2);
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn login_and_permission_errors_are_not_retried() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("no_retry");
    let observer = database.client().await;
    let reader_password = secrets::password();
    let role = format!("reader_{}", database.name());
    observer
        .batch_execute(&format!(
            "CREATE ROLE {role} LOGIN PASSWORD '{reader_password}';
             CREATE TABLE t (n int);
             REVOKE CONNECT ON DATABASE {name} FROM PUBLIC",
            name = database.name()
        ))
        .await
        .unwrap();
    let log = Log::default();
    let collecting = log.collect();
    // The default of three retries applies.
    let wrong = database
        .url()
        .replace(server.password(), &secrets::password());
    let error = Database::connect(config(&wrong)).await.unwrap_err();
    assert_eq!(error.class(), Class::Auth, "{error}");

    let user = database
        .url()
        .replace(server.user(), &role)
        .replace(server.password(), &reader_password);
    let error = Database::connect(config(&user)).await.unwrap_err();
    assert_eq!(error.class(), Class::Permission, "{error}");

    observer
        .batch_execute(&format!(
            "GRANT CONNECT ON DATABASE {} TO {role}",
            database.name()
        ))
        .await
        .unwrap();
    let db = Database::connect(config(&user)).await.unwrap();
    let error = db
        .idempotent()
        .execute("INSERT INTO t VALUES (1)", ())
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Permission, "{error}");
    assert_eq!(db.metrics().retry_attempts, 0);
    drop(collecting);
    assert_eq!(log.count("WARN", ""), 0, "{}", log.text());
    assert_eq!(log.count("ERROR", ""), 2, "{}", log.text());
    drop(db);
    observer
        .batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))
        .await
        .unwrap();
}

#[tokio::test]
async fn the_log_has_its_levels() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("log_levels");
    let log = Log::default();
    let collecting = log.collect();
    let db = Database::connect(config(&database.url())).await.unwrap();
    drop(db.acquire().await.unwrap());
    db.close(Duration::from_secs(5)).await.unwrap();
    drop(collecting);
    assert_eq!(log.count("INFO", "pool opened"), 1, "{}", log.text());
    assert!(log.count("INFO", "max=20") == 1, "{}", log.text());
    assert!(log.count("DEBUG", "acquired") >= 1, "{}", log.text());
    assert!(log.count("DEBUG", "returned") >= 1, "{}", log.text());
    assert_eq!(
        log.count("WARN", "") + log.count("ERROR", ""),
        0,
        "{}",
        log.text()
    );
    assert!(!log.text().contains(server.password()));
}
