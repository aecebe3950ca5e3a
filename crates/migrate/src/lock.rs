//! The lock of a run: one for each database, held by the session that runs
//! the DDL or by the process, so that it ends with either whatever happens. Who waits
//! asks again and again, and holds nothing meanwhile.

use std::path::PathBuf;
use std::time::Duration;

use underpin_core::{Class, Effect, Error, Params, Result, Stage, Value};

use crate::dialect::{MigrationDialect, RunLock, SessionLock};
use crate::host::{Holder, Host, Wait};
use crate::lock_file::LockFile;
use crate::pooler;
use crate::progress::Progress;

/// The first wait between two questions; each is twice as long, up to the longest.
const SHORTEST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_millis(250);

/// `underpin` as a number.
const LOCK_KEY: i64 = i64::from_be_bytes(*b"underpin");

/// The lock, held.
pub(crate) enum Lock {
    /// A lock of the host's own session, and a text that tells the session from all others.
    Session(&'static SessionLock, String),
    /// A file beside the database's, locked by the operating system, which frees it when the
    /// process ends. SQLite's own lock ends with each transaction, and a run may have
    /// several; the database's file itself must not be opened a second time, for closing
    /// it would free SQLite's locks.
    File(#[expect(dead_code, reason = "held for its drop")] LockFile),
    /// None is needed: nobody else sees a database in memory.
    Memory,
}

/// The wait for the lock.
pub(crate) struct Queue {
    at: At,
    length: Duration,
    /// How long was waited so far.
    waited: Duration,
    limit: Option<Duration>,
    holder: Option<Holder>,
    /// Whether the connection was found to have one session.
    is_alone: bool,
}

/// Where the lock is.
enum At {
    Session(&'static SessionLock),
    File(PathBuf),
    Memory,
}

impl Queue {
    /// A wait that ends after `limit`.
    pub(crate) async fn new(host: &dyn Host, limit: Option<Duration>) -> Result<Self> {
        let at = match &MigrationDialect::of(host.engine())?.lock {
            RunLock::Session(lock) => At::Session(lock),
            RunLock::File { database, suffix } => lock_file(host, database, suffix).await?,
        };
        Ok(Queue {
            at,
            length: SHORTEST,
            waited: Duration::ZERO,
            limit,
            holder: None,
            is_alone: false,
        })
    }

    /// Takes the lock, if it is free.
    pub(crate) async fn try_take(&mut self, host: &dyn Host) -> Result<Option<Lock>> {
        match &self.at {
            At::File(path) => Ok(LockFile::try_take(path)?.map(Lock::File)),
            At::Memory => Ok(Some(Lock::Memory)),
            At::Session(lock) => {
                if !self.is_alone {
                    pooler::refuse_shared_sessions(host, lock).await?;
                    self.is_alone = true;
                }
                if !ask(host, lock.take, "taken").await? {
                    return Ok(None);
                }
                let (_, session) = pooler::session(host, lock).await?;
                Ok(Some(Lock::Session(lock, session)))
            }
        }
    }

    /// Lets the other run go on before the next try.
    ///
    /// # Errors
    /// Who holds the lock, once the limit is reached.
    pub(crate) async fn wait(&mut self, host: &dyn Host, progress: &dyn Progress) -> Result<()> {
        if self.holder.is_none() || self.length == LONGEST {
            self.holder = self.holder(host).await;
        }
        if self.limit.is_some_and(|limit| self.waited >= limit) {
            return Err(self.in_vain());
        }
        let mut wait = Wait::new(self.length, "another run to end");
        wait.holder.clone_from(&self.holder);
        progress.waiting(&wait);
        host.sleep(&wait).await;
        self.waited += self.length;
        self.length = (self.length * 2).min(LONGEST);
        Ok(())
    }

    /// Who holds the lock, if that can be found out.
    async fn holder(&self, host: &dyn Host) -> Option<Holder> {
        match &self.at {
            At::Session(lock) => {
                let rows = host.query(lock.holder, key()).await.ok()?;
                let row = rows.first()?;
                Some(Holder {
                    process: row.get("process").ok()?,
                    host: row.get("host").ok()?,
                    application: row.get("application").ok()?,
                })
            }
            At::File(path) => {
                let text = std::fs::read_to_string(path).ok()?;
                Some(Holder {
                    process: text.trim().parse().ok()?,
                    host: None,
                    application: None,
                })
            }
            At::Memory => None,
        }
    }

    fn in_vain(&self) -> Error {
        let holder = match &self.holder {
            Some(holder) => format!(", {holder},"),
            None => String::new(),
        };
        Error::new(
            Class::Timeout { stage: Stage::Lock },
            format!(
                "Timed out after {:.0?} waiting for another run{holder} to end.",
                self.waited
            ),
        )
        .with_effect(Effect::NotSent)
        .with_hint(
            "If it is at work, try again later or wait longer (--wait). If it hangs, end its \
             process: its lock goes with its session.",
        )
    }
}

/// Waits for the lock.
pub(crate) async fn acquire(
    host: &dyn Host,
    limit: Option<Duration>,
    progress: &dyn Progress,
) -> Result<Lock> {
    let mut queue = Queue::new(host, limit).await?;
    loop {
        if let Some(lock) = queue.try_take(host).await? {
            return Ok(lock);
        }
        queue.wait(host, progress).await?;
    }
}

fn key() -> Params {
    vec![Value::I64(LOCK_KEY)]
}

/// The answer to a question about the lock; without a row it is false.
async fn ask(host: &dyn Host, sql: &str, column: &str) -> Result<bool> {
    let rows = host.query(sql, key()).await?;
    rows.first().map_or(Ok(false), |row| row.get(column))
}

/// The file beside the database's; a database in memory has none.
async fn lock_file(host: &dyn Host, database: &str, suffix: &str) -> Result<At> {
    let rows = host.query(database, Vec::new()).await?;
    let path: Option<String> = match rows.first() {
        Some(row) => row.get("file")?,
        None => None,
    };
    Ok(match path.filter(|path| !path.is_empty()) {
        Some(path) => At::File(PathBuf::from(path + suffix)),
        None => At::Memory,
    })
}

impl Lock {
    /// Makes sure that the session which runs the next statements holds the lock. A revision may
    /// have freed it; then it is taken again.
    ///
    /// # Errors
    /// If the session is another, or another run has taken the lock.
    pub(crate) async fn hold(&self, host: &dyn Host) -> Result<()> {
        let Lock::Session(lock, own) = self else {
            return Ok(());
        };
        if ask(host, lock.held, "held").await? {
            return Ok(());
        }
        if pooler::session(host, lock).await?.1 != *own {
            return Err(pooler::shared());
        }
        match ask(host, lock.take, "taken").await? {
            true => Ok(()),
            false => Err(Error::new(
                Class::Conflict,
                "The lock of the run was freed by a statement of a revision, and another run has \
                 taken it.",
            )
            .with_effect(Effect::RolledBack)
            .with_hint(
                "Leave pg_advisory_unlock_all and DISCARD ALL out of revisions, and run again.",
            )),
        }
    }

    /// Frees it. Where the session cannot be told any more it has ended, and the lock with it.
    pub(crate) async fn release(self, host: &dyn Host) {
        if let Lock::Session(lock, _) = self
            && let Err(error) = host.query(lock.free, key()).await
        {
            tracing::debug!(%error, "the lock of the run goes with its session");
        }
    }
}
