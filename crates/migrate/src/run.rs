use std::time::Duration;

use underpin_config::Ahead;
use underpin_core::driver::SessionState;
use underpin_core::{Class, Effect, Error, Result};

use crate::dialect::MigrationDialect;
use crate::failure::is_for_want_of_a_lock;
use crate::graph::Graph;
use crate::history_table::HistoryTable;
use crate::host::{Host, Wait};
use crate::isolation::{self, Verdict};
use crate::lock::Lock;
use crate::progress::Progress;
use crate::revision::Statement;

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
    /// How long another run is waited for. `None` is without end. 10 min by default.
    pub wait: Option<Duration>,
    /// Whether the database is one in which revisions are only tried.
    pub replay: Replay,
    /// What a run up does if the database has revisions that are not among those of the run.
    /// `Error` by default.
    pub ahead: Ahead,
}

/// Whether a run tries revisions in a scratch database, and what it may change beyond it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Replay {
    /// The run applies the revisions to a database that is used.
    #[default]
    No,
    /// On a server that others use: what would change anything beyond the database is refused, or
    /// passed over where no schema depends on it.
    Isolated,
    /// On a server for scratch databases alone: everything runs, but roles that exist are not made
    /// again.
    OnItsOwnServer,
}

impl Default for RunOptions {
    fn default() -> Self {
        RunOptions {
            lock_timeout: Some(Duration::from_secs(5)),
            lock_retries: 10,
            lock_wait: Duration::from_secs(1),
            wait: Some(Duration::from_secs(10 * 60)),
            replay: Replay::No,
            ahead: Ahead::Error,
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
    pub(crate) lock: &'a Lock,
    /// The statements that set up the session, and that this server knows.
    pub(crate) settings: Vec<&'static str>,
}

impl Run<'_> {
    /// Makes the session fit for a run: nothing but a lock on a table is waited for with
    /// a bound.
    pub(crate) async fn prepare_session(&mut self) -> Result<()> {
        for setting in self.dialect.settings {
            self.host.run(setting).await?;
            self.settings.push(setting);
        }
        for setting in self.dialect.optional_settings {
            match self.host.run(setting).await {
                Ok(()) => self.settings.push(setting),
                Err(error) => {
                    tracing::debug!(%error, setting, "the server does not have a setting");
                }
            }
        }
        self.limit_locks(self.options.lock_timeout).await
    }

    /// Makes the session what it was when the run began, between two revisions. Within a
    /// transaction, an engine whose driver would roll back leaves it as it is.
    pub(crate) async fn renew_session(&self) -> Result<()> {
        let Some(reset) = self.dialect.reset else {
            return match self.host.state() {
                SessionState::InTransaction => Ok(()),
                _ => self.host.reset().await,
            };
        };
        let mut statements = reset.to_owned();
        let limit = self.dialect.lock_timeout;
        let limit = limit.map(|lock_timeout| lock_timeout(self.options.lock_timeout));
        for setting in self.settings.iter().copied().chain(limit.as_deref()) {
            statements += "; ";
            statements += setting;
        }
        self.host.run(&statements).await
    }

    /// Acts as the user of the connection again, who may write the history.
    pub(crate) async fn resume_own_role(&self) -> Result<()> {
        match self.dialect.own_role {
            Some(own_role) => self.host.run(own_role).await,
            None => Ok(()),
        }
    }

    /// Runs a statement of a revision. One of a replay reaches nothing beyond the scratch
    /// database.
    pub(crate) async fn statement(&self, statement: &Statement) -> Result<()> {
        let sql = &statement.sql;
        let replay = self.options.replay;
        let isolation = self.dialect.isolation.as_ref();
        let isolation = isolation.filter(|_| replay != Replay::No);
        if let Some(isolation) = isolation {
            match isolation::judge(self.host, isolation, sql, replay).await? {
                Verdict::Run => {}
                Verdict::PassOver(reason) => {
                    self.progress.note(&reason);
                    return Ok(());
                }
            }
        }
        match (
            &statement.rows,
            isolation.filter(|_| replay == Replay::Isolated),
        ) {
            (Some(rows), _) => self.host.copy(sql, rows).await.map(drop),
            (None, Some(isolation)) => isolation::run(self.host, isolation, sql).await,
            (None, None) => self.host.run(sql).await,
        }
    }

    /// Looks whether the code of a replay has reached beyond the scratch database.
    pub(crate) async fn check_reach(&self) -> Result<()> {
        match &self.dialect.isolation {
            Some(isolation) if self.options.replay == Replay::Isolated => {
                isolation::check(self.host, isolation).await
            }
            _ => Ok(()),
        }
    }

    /// A text that another transaction does not have.
    pub(crate) async fn transaction(&self) -> Result<Option<String>> {
        let Some(sql) = self.dialect.transaction else {
            return Ok(None);
        };
        let rows = self.host.query(sql, Vec::new()).await?;
        rows.first().map(|row| row.get("transaction")).transpose()
    }

    /// Makes sure that the transaction which a revision runs in is still the one that was begun.
    ///
    /// # Errors
    /// If a statement in it has failed, or it has ended.
    pub(crate) async fn is_still_in(&self, begun: Option<&String>) -> Result<()> {
        let ended = || {
            Error::new(
                Class::Unsupported,
                "It ended the transaction that the run had begun for it, so that the run cannot \
                 tell what took effect.",
            )
            .with_effect(Effect::Unknown)
            .with_hint(
                "Leave COMMIT and ROLLBACK to the run; what needs transactions of its own goes \
                 into `no-transaction` sections.",
            )
        };
        match self.host.state() {
            SessionState::Failed => Err(Error::new(
                Class::Unsupported,
                "A statement in it failed, and with it the transaction, although it returned no \
                 error.",
            )
            .with_effect(Effect::RolledBack)
            .with_hint("Return the error, or run the statement within a savepoint.")),
            SessionState::InTransaction if begun.is_some() => {
                match self.transaction().await?.as_ref() == begun {
                    true => Ok(()),
                    false => Err(ended()),
                }
            }
            SessionState::InTransaction => Ok(()),
            _ => Err(ended()),
        }
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
        let wait = Wait::new(run.options.lock_wait, "a lock that others hold");
        tracing::warn!(%error, left = self.left, "a revision is retried");
        run.progress.waiting(&wait);
        run.host.sleep(&wait).await;
        Ok(())
    }
}
