use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;
use underpin_core::driver::SessionState;
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

    /// Runs a statement that takes its rows from the client, and gives their number.
    fn copy<'a>(&'a self, sql: &'a str, rows: &'a str) -> BoxFuture<'a, Result<u64>>;

    /// Runs a statement with parameters, and gives the number of rows it changed.
    fn execute<'a>(&'a self, sql: &'a str, params: Params) -> BoxFuture<'a, Result<u64>>;

    /// Runs a statement and gives its rows.
    fn query<'a>(&'a self, sql: &'a str, params: Params) -> BoxFuture<'a, Result<Vec<ValueRow>>>;

    /// Runs the Rust code of a revision.
    fn code<'a>(&'a self, id: &'a RevisionId, direction: Direction) -> BoxFuture<'a, Result<()>>;

    /// The state of the session, without asking the server.
    fn state(&self) -> SessionState;

    /// Makes the session what it was at its start.
    fn reset(&self) -> BoxFuture<'_, Result<()>>;

    /// The process that the other side announced when the session began, where engines have
    /// processes.
    fn announced_process(&self) -> Option<i32>;

    /// Opens another connection to the same place. `None` where none is available.
    fn another(&self) -> BoxFuture<'_, Option<Box<dyn Host>>>;

    /// Waits; the runner has no clock of its own.
    fn sleep<'a>(&'a self, wait: &'a Wait) -> BoxFuture<'a, ()>;
}

/// A length of time to wait, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wait {
    /// How long.
    pub length: Duration,
    /// The reason of the wait, for a progress bar: "another run to end".
    pub what_for: &'static str,
    /// The session that holds what is waited for, where the engine tells.
    pub holder: Option<Holder>,
}

impl Wait {
    pub(crate) fn new(length: Duration, what_for: &'static str) -> Self {
        Wait {
            length,
            what_for,
            holder: None,
        }
    }
}

/// The reason of a wait, and who is waited for.
impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what_for)?;
        match &self.holder {
            Some(holder) => write!(f, ": {holder}"),
            None => Ok(()),
        }
    }
}

/// The holder of the lock of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// Its process: on a server that of the session, beside a file that of the program.
    pub process: i64,
    /// The host that it is connected from. None on the server's own machine.
    pub host: Option<String>,
    /// The name under which the server lists it.
    pub application: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.process)?;
        if let Some(application) = &self.application {
            write!(f, " of `{application}`")?;
        }
        match &self.host {
            Some(host) => write!(f, " from {host}"),
            None => Ok(()),
        }
    }
}
