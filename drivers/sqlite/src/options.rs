use std::time::Duration;

use underpin_core::{TimeForm, UuidForm};

/// What a connection may do to the database file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Access {
    /// Reads and writes: the primary. A file has room for one that writes at a time.
    #[default]
    Writer,
    /// Reads, and cannot write: a replica. Any number of them read while one writes.
    Reader,
}

/// How connections are opened and what bounds their statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How long a statement waits for a lock that another connection holds. 5 s by default.
    pub busy_timeout: Duration,
    /// Whether the connection writes. A database in memory has one connection, which
    /// does both whatever this says.
    pub access: Access,
    /// Whether a writer creates the file where there is none. A reader never does.
    /// True by default.
    pub create: bool,
    /// How many prepared statements a connection keeps; 0 keeps none. 64 by default.
    pub statement_cache_size: usize,
    /// How long a statement may run, where the call's own deadline is not earlier.
    /// No limit by default.
    pub statement_timeout: Option<Duration>,
    /// Opens the file so that nothing can be written to it, whatever `access` says, and
    /// touches neither its journal mode nor its settings.
    pub read_only: bool,
    /// Takes it that nobody changes the file while it is open, so that SQLite locks nothing and
    /// looks for no journal. Goes with `read_only`. False by default.
    pub immutable: bool,
    /// How UUIDs are written where the declared type of the column does not decide.
    pub uuids: UuidForm,
    /// How times are written where the declared type of the column does not decide.
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
