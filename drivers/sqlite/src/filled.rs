//! Databases in memory that are filled when they are opened.

use std::fmt;
use std::sync::Arc;

use underpin_core::Result;

use crate::shared::Shared;

type Fill = dyn Fn(&rusqlite::Connection, &Stop) -> Result<()> + Send + Sync;

/// Fills a database in memory when a connection to it is opened.
#[derive(Clone)]
pub(crate) struct Filling(Arc<Fill>);

impl Filling {
    pub(crate) fn new(
        fill: impl Fn(&rusqlite::Connection, &Stop) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        Filling(Arc::new(fill))
    }

    pub(crate) fn fill(&self, conn: &rusqlite::Connection, stop: &Stop) -> Result<()> {
        (self.0)(conn, stop)
    }
}

impl fmt::Debug for Filling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Filling")
    }
}

/// Tells code that SQLite calls whether the statement that it works for is to stop. SQLite itself
/// asks only between its own instructions.
#[derive(Clone)]
pub struct Stop(Arc<Shared>);

impl Stop {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Stop(Arc::clone(shared))
    }

    /// Whether the statement is to stop: its caller went away, or its deadline passed.
    pub fn is_wanted(&self) -> bool {
        self.0.is_stopped()
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stop").field(&self.is_wanted()).finish()
    }
}
