use std::time::Duration;

use underpin_core::{Error, Result};

use crate::dialect::MigrationDialect;
use crate::failure::is_for_want_of_a_lock;
use crate::graph::Graph;
use crate::history_table::HistoryTable;
use crate::host::{Host, Wait};
use crate::progress::Progress;

/// Limits of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunOptions {
    /// How long a statement waits for a lock on a table: while it does, every later statement on
    /// the table waits too. `None` is without end. 5 s by default.
    pub lock_timeout: Option<Duration>,
    /// How often the transaction, or the statement outside one, is tried again after that,
    /// and after a deadlock. 10 by default.
    pub lock_retries: u32,
    /// How long to let others go on before. 1 s by default.
    pub lock_wait: Duration,
}

impl Default for RunOptions {
    fn default() -> Self {
        RunOptions {
            lock_timeout: Some(Duration::from_secs(5)),
            lock_retries: 10,
            lock_wait: Duration::from_secs(1),
        }
    }
}

/// A run that has the lock.
pub(crate) struct Run<'a> {
    pub(crate) host: &'a dyn Host,
    pub(crate) graph: &'a Graph,
    pub(crate) progress: &'a dyn Progress,
    pub(crate) options: RunOptions,
    pub(crate) dialect: &'static MigrationDialect,
    pub(crate) table: HistoryTable,
}

impl Run<'_> {
    /// Makes the session fit for a run: nothing but a lock on a table is waited for with
    /// a bound.
    pub(crate) async fn prepare_session(&self) -> Result<()> {
        for setting in self.dialect.settings {
            self.host.run(setting).await?;
        }
        for setting in self.dialect.optional_settings {
            if let Err(error) = self.host.run(setting).await {
                tracing::debug!(%error, setting, "the server does not have a setting");
            }
        }
        self.limit_locks(self.options.lock_timeout).await
    }

    /// Bounds the wait for locks on tables, where the session does that.
    pub(crate) async fn limit_locks(&self, limit: Option<Duration>) -> Result<()> {
        match self.dialect.lock_timeout {
            Some(lock_timeout) => self.host.run(&lock_timeout(limit)).await,
            None => Ok(()),
        }
    }

    pub(crate) fn patience(&self) -> Patience {
        Patience {
            left: self.options.lock_retries,
        }
    }
}

/// How often something is still tried again for want of a lock.
pub(crate) struct Patience {
    left: u32,
}

impl Patience {
    /// Waits before another try, or gives the error back where there is to be none.
    pub(crate) async fn wait(&mut self, run: &Run<'_>, error: Error) -> Result<()> {
        if self.left == 0 || !is_for_want_of_a_lock(&error) {
            return Err(error);
        }
        self.left -= 1;
        let wait = Wait {
            length: run.options.lock_wait,
            what_for: "a lock that others hold",
        };
        tracing::warn!(%error, left = self.left, "a revision is retried");
        run.progress.waiting(wait);
        run.host.sleep(wait).await;
        Ok(())
    }
}
