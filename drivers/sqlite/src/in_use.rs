//! Tracks the files that this program has open, so that the last connection to one leaves all data
//! in it.
//!
//! SQLite moves the content of the write-ahead log into the file when the last connection closes,
//! if that connection can write. Connections close in any order, and the last one is often a
//! reader.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use underpin_core::{Address, Endpoint};

use crate::open::FileIdentity;
use crate::options::Options;

/// The files that are open.
static FILES: Mutex<Vec<File>> = Mutex::new(Vec::new());

struct File {
    identity: FileIdentity,
    connections: usize,
    /// Whether one of the connections could write, so that there may be a log.
    written: bool,
}

/// A connection to a file, from before it is opened until after it is closed.
pub(crate) struct InUse {
    identity: FileIdentity,
}

/// Maximum wait for another program's lock.
const WAIT: Duration = Duration::from_secs(1);

impl InUse {
    /// Records that a file is about to be opened, if it already exists.
    pub(crate) fn before(endpoint: &Endpoint, options: &Options) -> Option<Self> {
        let Address::File(path) = &endpoint.address else {
            return None;
        };
        let identity = FileIdentity::of(path)?;
        Some(InUse::new(identity, options.writes()))
    }

    pub(crate) fn new(identity: FileIdentity, writes: bool) -> Self {
        let mut files = files();
        match files.iter_mut().find(|file| file.identity == identity) {
            Some(file) => {
                file.connections += 1;
                file.written |= writes;
            }
            None => files.push(File {
                identity: identity.clone(),
                connections: 1,
                written: writes,
            }),
        }
        InUse { identity }
    }

    /// Whether this was the last connection, and one of them could write.
    fn end(&self) -> bool {
        let mut files = files();
        let Some(at) = files.iter().position(|file| file.identity == self.identity) else {
            return false;
        };
        files[at].connections -= 1;
        files[at].connections == 0 && files.swap_remove(at).written
    }
}

fn files() -> MutexGuard<'static, Vec<File>> {
    FILES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for InUse {
    fn drop(&mut self) {
        if self.end()
            && self.identity.has_log()
            && self.identity.is_there()
            && let Err(error) = empty_log(&self.identity)
        {
            tracing::debug!(%error, "the write-ahead log of a SQLite database was not checkpointed");
        }
    }
}

/// Moves the content of the log into the file. The log is gone once this connection is closed,
/// unless another program has the file open.
fn empty_log(file: &FileIdentity) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(file.path(), flags)?;
    conn.busy_timeout(WAIT)?;
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}
