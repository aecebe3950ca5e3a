use std::time::Duration;

use underpin_core::{TimeForm, UuidForm};

/// Access of a connection to the database file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Access {
    /// Reads and writes: the primary. A file can have one writer at a time.
    #[default]
    Writer,
    /// Reads, and cannot write: a replica. Any number of readers read while one writer writes.
    Reader,
}

/// Options of connections, and limits for their statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Maximum wait of a statement for a lock that another connection holds. 5 s by default.
    pub busy_timeout: Duration,
    /// Whether the connection writes. A database in memory has one connection, which always reads
    /// and writes.
    pub access: Access,
    /// Whether a writer creates the file if it does not exist. A reader never does. True by
    /// default.
    pub create: bool,
    /// Number of prepared statements that a connection caches; 0 for none. 64 by default.
    pub statement_cache_size: usize,
    /// Maximum duration of a statement, if the call's own deadline is not earlier. No limit by
    /// default.
    pub statement_timeout: Option<Duration>,
    /// Opens the file so that nothing can be written to it, whatever `access` says, and leaves its
    /// journal mode and settings unchanged.
    pub read_only: bool,
    /// Assumes that the file does not change while it is open, so that SQLite locks nothing and
    /// looks for no journal. Requires `read_only`. False by default.
    pub immutable: bool,
    /// Form of UUIDs if the declared type of the column does not decide.
    pub uuids: UuidForm,
    /// Form of times if the declared type of the column does not decide.
    pub times: TimeForm,
    /// Whether statements may attach other database files. Without it no statement opens any file
    /// but the database's own. True by default.
    pub attach: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            busy_timeout: Duration::from_secs(5),
            access: Access::Writer,
            create: true,
            statement_cache_size: 64,
            statement_timeout: None,
            read_only: false,
            immutable: false,
            uuids: UuidForm::default(),
            times: TimeForm::default(),
            attach: true,
        }
    }
}

impl Options {
    /// The defaults for a writer.
    pub fn writer() -> Self {
        Options::default()
    }

    /// The defaults for a reader.
    pub fn reader() -> Self {
        Options {
            access: Access::Reader,
            create: false,
            ..Options::default()
        }
    }

    pub(crate) fn writes(&self) -> bool {
        self.access == Access::Writer && !self.read_only && !self.immutable
    }
}
