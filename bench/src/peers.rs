//! The pools, and the driver alone, that ours is measured against on PostgreSQL.

pub(crate) mod bb8;
pub(crate) mod deadpool;
pub(crate) mod driver;
pub(crate) mod mobc;
pub(crate) mod ours;
pub(crate) mod pgbench;
mod prepared;
pub(crate) mod raw;
pub(crate) mod sqlx;

use std::future::Future;

/// So many connections each of them has at most.
pub(crate) const CONNECTIONS: u32 = 8;

pub(crate) const SELECT: &str = "SELECT $1::int8";
pub(crate) const SLEEP: &str = "SELECT pg_sleep(0.02)";

/// What runs statements of their own, each on any connection.
pub(crate) trait Statements: Clone + Send + Sync + 'static {
    /// [`SELECT`] with this number, and its answer.
    fn select(&self, task: usize, n: i64) -> impl Future<Output = i64> + Send;

    /// [`SLEEP`].
    fn sleep(&self, task: usize) -> impl Future<Output = ()> + Send;
}

/// A list of [`ROWS`] rows that begins with a number.
pub(crate) const LIST: &str = "SELECT n, 'item ' || n AS name, n * 1.5::float8 AS price
    FROM generate_series($1::int8, $1::int8 + 49) AS n";
pub(crate) const ROWS: usize = 50;

/// What reads lists.
pub(crate) trait Lists: Clone + Send + Sync + 'static {
    /// [`LIST`] from this number on, into values of its own, and how many rows there were.
    fn list(&self, task: usize, n: i64) -> impl Future<Output = usize> + Send;
}

/// What runs transactions.
pub(crate) trait Transactions: Clone + Send + Sync + 'static {
    /// BEGIN, [`SELECT`], COMMIT on one connection, and the answer.
    fn transaction(&self, n: i64) -> impl Future<Output = i64> + Send;
}
