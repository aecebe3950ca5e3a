use std::time::Duration;

use futures_util::future::BoxFuture;
use underpin_core::{Engine, Params, Result, ValueRow};

use crate::revision::RevisionId;

/// Which way a revision is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Towards the heads.
    Up,
    /// Towards the base.
    Down,
}

/// One connection, of whatever engine, that the runner has for itself alone.
pub trait Host: Send + Sync {
    /// The engine.
    fn engine(&self) -> Engine;

    /// Runs one statement without parameters, by the plainest way the engine has: nothing
    /// is prepared, so that DDL of any kind runs, and outside a transaction it runs by itself.
    fn run<'a>(&'a self, sql: &'a str) -> BoxFuture<'a, Result<()>>;

    /// Runs a statement with parameters, and gives the number of rows it changed.
    fn execute<'a>(&'a self, sql: &'a str, params: Params) -> BoxFuture<'a, Result<u64>>;

    /// Runs a statement and gives its rows.
    fn query<'a>(&'a self, sql: &'a str, params: Params) -> BoxFuture<'a, Result<Vec<ValueRow>>>;

    /// Runs the Rust code of a revision.
    fn code<'a>(&'a self, id: &'a RevisionId, direction: Direction) -> BoxFuture<'a, Result<()>>;

    /// Waits; the runner has no clock of its own.
    fn sleep(&self, wait: Wait) -> BoxFuture<'_, ()>;
}

/// A length of time to wait, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// How long.
    pub length: Duration,
    /// The reason of the wait, for a progress bar: "another run to end".
    pub what_for: &'static str,
}
