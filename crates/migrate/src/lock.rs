//! The lock of a run: one for each database, held by the session that runs
//! the DDL or by the process, so that it ends with either whatever happens. Who waits
//! asks again and again, and holds nothing meanwhile.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use underpin_core::{Class, Error, Result, Value};

use crate::dialect::{MigrationDialect, RunLock};
use crate::host::{Host, Wait};
use crate::progress::Progress;

/// The first wait between two questions; each is twice as long, up to the longest.
const SHORTEST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_millis(250);

/// `underpin` as a number.
const LOCK_KEY: i64 = i64::from_be_bytes(*b"underpin");

/// The lock, held.
pub(crate) enum Lock {
    /// A lock of the host's own session, and what frees it.
    Session(&'static str),
    /// A file beside the database's, locked by the operating system, which frees it when the
    /// process ends. SQLite's own lock ends with each transaction, and a run may have
    /// several; the database's file itself must not be opened a second time, for closing
    /// it would free SQLite's locks.
    File(#[expect(dead_code, reason = "held for its drop")] LockFile),
    /// None is needed: nobody else sees a database in memory.
    Memory,
}

/// The file, open and locked; removed and freed when dropped.
pub(crate) struct LockFile {
    file: File,
    path: PathBuf,
}

/// The wait for the lock.
pub(crate) struct Queue {
    at: At,
    length: Duration,
}

/// Where the lock is.
enum At {
    Session {
        take: &'static str,
        free: &'static str,
    },
    File(PathBuf),
    Memory,
}

impl Queue {
    pub(crate) async fn new(host: &dyn Host) -> Result<Self> {
        let at = match MigrationDialect::of(host.engine())?.lock {
            RunLock::Session { take, free } => At::Session { take, free },
            RunLock::File { database, suffix } => lock_file(host, database, suffix).await?,
        };
        Ok(Queue {
            at,
            length: SHORTEST,
        })
    }

    /// Takes the lock, if it is free.
    pub(crate) async fn try_take(&self, host: &dyn Host) -> Result<Option<Lock>> {
        match &self.at {
            At::File(path) => Ok(LockFile::try_take(path)?.map(Lock::File)),
            At::Memory => Ok(Some(Lock::Memory)),
            At::Session { take, free } => {
                let taken = try_session(host, take).await?;
                Ok(taken.then_some(Lock::Session(free)))
            }
        }
    }

    /// Lets the other run go on before the next try.
    pub(crate) async fn wait(&mut self, host: &dyn Host, progress: &dyn Progress) {
        let wait = Wait {
            length: self.length,
            what_for: "another run to end",
        };
        progress.waiting(wait);
        host.sleep(wait).await;
        self.length = (self.length * 2).min(LONGEST);
    }
}

/// Waits for the lock.
pub(crate) async fn acquire(host: &dyn Host, progress: &dyn Progress) -> Result<Lock> {
    let mut queue = Queue::new(host).await?;
    loop {
        if let Some(lock) = queue.try_take(host).await? {
            return Ok(lock);
        }
        queue.wait(host, progress).await;
    }
}

async fn try_session(host: &dyn Host, take: &str) -> Result<bool> {
    let rows = host.query(take, vec![Value::I64(LOCK_KEY)]).await?;
    match rows.first() {
        Some(row) => row.get("taken"),
        None => Ok(false),
    }
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
    /// Frees it. Where the session cannot be told any more it has ended, and the lock with it.
    pub(crate) async fn release(self, host: &dyn Host) {
        if let Lock::Session(free) = self {
            let key = vec![Value::I64(LOCK_KEY)];
            if let Err(error) = host.query(free, key).await {
                tracing::debug!(%error, "the lock of the run goes with its session");
            }
        }
    }
}

impl LockFile {
    fn try_take(path: &Path) -> Result<Option<LockFile>> {
        let unusable = |error: std::io::Error| {
            Error::new(
                Class::Resource,
                format!(
                    "The file {}, whose lock keeps two runs apart, cannot be used: {error}.",
                    path.display()
                ),
            )
            .with_hint("The directory of the database must be writable, as SQLite itself requires.")
        };
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path);
        let file = opened.map_err(unusable)?;
        match file.try_lock() {
            // Who held it before may have removed it between our opening and our locking.
            Ok(()) if is_still(&file, path) => Ok(Some(LockFile {
                file,
                path: path.to_owned(),
            })),
            Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // Removed while it is held: who opened it meanwhile finds that it is another's.
        if REMOVES {
            let _ = std::fs::remove_file(&self.path);
        }
        let _ = self.file.unlock();
    }
}

/// Whether the file can be removed while it is locked, and be told from its successor.
const REMOVES: bool = cfg!(unix);

#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(ours), Ok(there)) => ours.dev() == there.dev() && ours.ino() == there.ino(),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_still(_: &File, _: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_the_file_and_leaves_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("shop.db-underpin-lock");
        let held = LockFile::try_take(&path).unwrap().expect("it is free");
        assert!(LockFile::try_take(&path).unwrap().is_none());
        drop(held);
        assert!(LockFile::try_take(&path).unwrap().is_some());
        assert_eq!(path.exists(), !REMOVES);
    }

    #[test]
    fn a_removed_file_is_nobodys_lock() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let held = LockFile::try_take(&path).unwrap().expect("it is free");
        if REMOVES {
            let stale = File::open(&path).unwrap();
            drop(held);
            stale.try_lock().unwrap();
            assert!(!is_still(&stale, &path));
        }
    }
}
