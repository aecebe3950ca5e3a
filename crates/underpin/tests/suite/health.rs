use std::time::Duration;

use underpin::{Config, Database, Status};
use underpin_testkit::{Postgres, or_skip};

use crate::place::{Place, eventually, small};

#[tokio::test]
async fn unhealthy_when_the_server_stops_and_healthy_when_it_is_back() {
    let mut server = or_skip!(Postgres::start());
    let url = server.url("postgres");
    let db = small(&url, 3).await;
    let health = db.health().await;
    assert_eq!(health.status, Status::Healthy, "{health}");
    assert!(health.response_time.is_some());
    assert_eq!(health.engine.name(), "postgres");

    for kill in [false, true] {
        if kill {
            server.kill()
        } else {
            server.stop()
        }
        let health = db.health().await;
        assert_eq!(health.status, Status::Unhealthy, "{health}");
        assert!(
            health.to_string().contains(&server.port().to_string()),
            "{health}"
        );
        assert!(health.error.is_some() && health.response_time.is_none());
        server.restart();
        eventually("it is healthy again", async || {
            db.health().await.is_healthy()
        })
        .await;
        assert_eq!(db.query_scalar::<i32>("SELECT 1", ()).await.unwrap(), 1);
    }
    db.close(Duration::from_secs(5)).await.unwrap();
    assert_eq!(db.health().await.status, Status::Unhealthy);
}

#[tokio::test]
async fn unhealthy_while_the_server_hangs() {
    let mut server = or_skip!(Postgres::start());
    let db = small(&server.url("postgres"), 2).await;
    server.pause();
    let health = db.deadline(Duration::from_millis(300)).health().await;
    assert_eq!(health.status, Status::Unhealthy, "{health}");
    server.resume();
    eventually("it is healthy again", async || {
        db.health().await.is_healthy()
    })
    .await;
}

#[tokio::test]
async fn a_server_that_hangs_is_unhealthy_though_all_connections_are_in_use() {
    let mut server = or_skip!(Postgres::start());
    let db = small(&server.url("postgres"), 2).await;
    let held = [db.acquire().await.unwrap(), db.acquire().await.unwrap()];
    let report = tokio::spawn({
        let db = db.clone();
        async move { db.query("SELECT 1", ()).await.map(drop) }
    });
    // The connections of the pool say nothing about the server, which is asked on a separate one.
    for _ in 0..3 {
        let health = db.health().await;
        assert_eq!(health.status, Status::Busy, "{health}");
        assert!(health.response_time.is_some());
    }
    let admin = server.admin().await;
    let count = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'
        AND pid <> pg_backend_pid()";
    eventually("the probes are gone", async || {
        let row = admin.query_one(count, &[]).await.unwrap();
        row.get::<_, i64>(0) == 2
    })
    .await;
    server.pause();
    let health = db.deadline(Duration::from_secs(1)).health().await;
    assert_eq!(health.status, Status::Unhealthy, "{health}");
    server.resume();
    eventually("it is healthy again", async || {
        db.health().await.is_healthy()
    })
    .await;
    drop(held);
    report.await.unwrap().unwrap();
}

#[tokio::test]
async fn metrics_count_what_was_done() {
    for place in Place::each("metrics") {
        let db = small(&place.url(), 4).await;
        for n in 0..10 {
            db.query_scalar::<i32>("SELECT CAST($1 AS INTEGER)", (n,))
                .await
                .unwrap();
        }
        db.query("SELECT nothing FROM nowhere", ())
            .await
            .unwrap_err();
        let lease = db.acquire().await.unwrap();
        let metrics = db.metrics();
        assert_eq!(metrics.total_queries, 11);
        assert_eq!(metrics.failed_queries, 1);
        assert!((metrics.failure_rate - 1.0 / 11.0).abs() < 1e-9);
        assert_eq!(metrics.active_connections, 1);
        assert!(metrics.pool_size >= 1 && metrics.total_connections >= 1);
        assert_eq!(metrics.connection_errors, 0);
        assert_eq!(metrics.retry_attempts, 0);
        assert!(metrics.avg_query_time > Duration::ZERO);
        drop(lease);
    }
}

#[tokio::test]
async fn a_pool_in_full_use_is_busy_not_unhealthy() {
    let db = Database::connect("sqlite::memory:").await.unwrap();
    let lease = db.acquire().await.unwrap();
    let health = db.deadline(Duration::from_millis(50)).health().await;
    assert_eq!(health.status, Status::Busy, "{health}");
    assert!(health.is_healthy());
    drop(lease);
    assert_eq!(db.health().await.status, Status::Healthy);
}

#[tokio::test]
async fn a_map_in_the_old_style_gives_the_database_and_its_status() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("old_style");
    let port = server.port().to_string();
    let properties = |port: &str| {
        [
            ("server_type", "postgresql"),
            ("server", server.host()),
            ("port", port),
            ("database", database.name()),
            ("username", server.user()),
            ("password", server.password()),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
    };
    let config = Config::from_legacy_properties(properties(&port)).unwrap();
    let (db, health) = Database::connect_with_health(config).await.unwrap();
    assert_eq!(health.status, Status::Healthy, "{health}");
    assert_eq!(db.query_scalar::<i32>("SELECT 1", ()).await.unwrap(), 1);

    let closed = underpin_testkit::closed_port().to_string();
    let config = Config::from_legacy_properties(properties(&closed)).unwrap();
    let (_db, health) = Database::connect_with_health(config).await.unwrap();
    assert_eq!(health.status, Status::Unhealthy, "{health}");
}
