//! The pool while a real server restarts, hangs, ends sessions or falls silent. Each test ends when
//! the pool and the server count the same connections.

mod black_hole;
mod hang;
mod restart;
mod terminate;

use underpin::Database;
use underpin::config::ConfigBuilder;
use underpin_testkit::TestDatabase;

use crate::place::eventually;

/// Waits until no caller holds or awaits a connection, no transaction is open, and the pool counts
/// as many connections as the server.
pub(crate) async fn at_rest(db: &Database, database: &TestDatabase) {
    eventually("nobody holds or awaits a connection", async || {
        let metrics = db.metrics();
        metrics.active_connections == 0 && metrics.waiting == 0
    })
    .await;
    eventually("no session is in a transaction or at work", async || {
        database.sessions("state <> 'idle'").await.is_empty()
    })
    .await;
    eventually("the pool and the server count the same", async || {
        database.sessions("true").await.len() == db.metrics().pool_size
    })
    .await;
    let (metrics, most) = (db.metrics(), db.config().pool_max_size() as usize);
    assert!(metrics.pool_size <= most, "{metrics:?}");
    assert_eq!(metrics.active_connections, 0, "{metrics:?}");
}

/// A database at this URL, with a pool of this size that is filled on demand.
pub(crate) async fn open(
    url: &str,
    connections: u32,
    settings: impl FnOnce(ConfigBuilder) -> ConfigBuilder,
) -> Database {
    let config = underpin::Config::from_url(url).unwrap().to_builder();
    let config = settings(config.pool_min_size(0).pool_max_size(connections));
    Database::connect(config.build().unwrap())
        .await
        .expect("the test's database opens")
}

/// Opens all connections of the pool, and leaves them idle.
pub(crate) async fn fill(db: &Database) {
    let mut leases = Vec::new();
    for _ in 0..db.config().pool_max_size() {
        leases.push(db.acquire().await.unwrap());
    }
}
