use std::fmt;
use std::time::Duration;

use underpin_core::{ByEngine, Class, Engine, Error, Result};
use underpin_sql::Dialect;

use crate::{postgres, sqlite};

/// The differences between engines in a run of revisions: one value for each. Another engine's
/// is often one of these with a few fields of its own.
#[derive(Clone)]
pub struct MigrationDialect {
    /// The engine's SQL: names, parameters, transactions.
    pub sql: &'static Dialect,
    /// Gives one row: the schema that new tables go to, and the one that has the history.
    pub find_history: &'static str,
    /// Makes the history's table where it is missing; `{table}` stands for its name.
    pub create_history: &'static str,
    /// The present, as the history has it.
    pub now: &'static str,
    /// The lock that keeps two runs apart.
    pub lock: RunLock,
    /// Statements, separated by semicolons, that make the session what it was at its start, but for
    /// the lock of the run and what a transaction holds. Without them, the driver resets it.
    pub reset: Option<&'static str>,
    /// Makes the session act as the user of the connection again, within a transaction too.
    pub own_role: Option<&'static str>,
    /// Gives `transaction`, a text that another transaction does not have, and may begin to write.
    pub transaction: Option<&'static str>,
    /// How a replay in a scratch database is kept from reaching beyond it. Without it, the
    /// connection itself is.
    pub isolation: Option<Isolation>,
    /// Statements that set up the session of a run.
    pub settings: &'static [&'static str],
    /// What is good to have, and not there on every version and system.
    pub optional_settings: &'static [&'static str],
    /// The statement that bounds how long the session waits for a lock. Without it, the busy
    /// timeout of the configuration does.
    pub lock_timeout: Option<fn(Option<Duration>) -> String>,
    /// Whether connecting to a database that does not exist creates it, so that a run that only
    /// reads opens it for reading.
    pub creates_databases: bool,
    /// The guard of foreign keys, where tables that others refer to could not be rebuilt with it.
    pub foreign_keys: Option<ForeignKeyGuard>,
    /// The statements that build without locking writers out.
    pub concurrent: Option<Concurrent>,
    /// How the table of another tool is read, where databases are taken over from one.
    pub adoption: Option<AdoptionRules>,
}

/// The lock that keeps two runs apart.
#[derive(Debug, Clone)]
pub enum RunLock {
    /// A lock of the session, of a key that is one number.
    Session(SessionLock),
    /// A file beside the database's own.
    File {
        /// Gives `file`, the path of the database; empty in memory, where nobody else sees it.
        database: &'static str,
        /// What the lock's file is called: the database's path with this behind it.
        suffix: &'static str,
    },
}

/// A lock of the session, of the key `$1`.
#[derive(Debug, Clone)]
pub struct SessionLock {
    /// Takes the lock if it is free, and gives `taken`; it does not wait.
    pub take: &'static str,
    /// Frees it.
    pub free: &'static str,
    /// Gives `held`, whether this session holds it.
    pub held: &'static str,
    /// Gives `process`, `host` and `application` of the session that holds it.
    pub holder: &'static str,
    /// Gives `process`, the number of the session's process, and `session`, a text that no other
    /// session has.
    pub session: &'static str,
}

/// How a replay in a scratch database is kept from reaching beyond it.
#[derive(Clone)]
pub struct Isolation {
    /// How far a statement reaches, by its words, in capitals.
    pub reach: fn(&[String]) -> Reach,
    /// A statement that fails, with the SQLSTATE `refusal`, if the transaction has changed
    /// something beyond the database; its message names that in braces.
    pub check: &'static str,
    /// The SQLSTATE.
    pub refusal: &'static str,
    /// Gives a row if there is a role of the name `$1`.
    pub role: &'static str,
}

/// How far a statement reaches, as far as its first words tell.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reach {
    /// It stays in the database.
    Within,
    /// It creates or changes this role. It is passed over if the role exists, and refused
    /// otherwise.
    Role(String),
    /// It is about something beyond the database that no schema depends on, and is passed over.
    Beyond,
    /// It is refused.
    Refused,
}

impl fmt::Debug for Isolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Isolation")
            .field("refusal", &self.refusal)
            .finish_non_exhaustive()
    }
}

/// The guard of foreign keys, which a run turns off in its transactions, and checks at their end.
#[derive(Debug, Clone)]
pub struct ForeignKeyGuard {
    /// Gives `foreign_keys`, whether it is on.
    pub is_on: &'static str,
    /// Turns it off.
    pub off: &'static str,
    /// Turns it on.
    pub on: &'static str,
    /// Gives the rows whose parent is missing, counted by table and parent: `child`, `parent`,
    /// `rows`.
    pub orphans: &'static str,
}

/// The statements that build without locking writers out, and what they leave behind.
#[derive(Debug, Clone)]
pub struct Concurrent {
    /// The word that each has.
    pub word: &'static str,
    /// Gives the indexes that one which failed has left behind: `schema`, `name`.
    pub invalid_indexes: &'static str,
}

/// How the table of another tool is read.
#[derive(Debug, Clone)]
pub struct AdoptionRules {
    /// Gives a row where there is the table of the name `$1`.
    pub find_table: &'static str,
    /// Whether that name is quoted, and has its namespace before it.
    pub finds_qualified: bool,
    /// The bytes of the column `checksum` as text, in hexadecimal.
    pub checksum_in_hex: &'static str,
}

static DIALECTS: ByEngine<MigrationDialect> = ByEngine::new(&[
    (Engine::POSTGRES, &postgres::DIALECT),
    (Engine::SQLITE, &sqlite::DIALECT),
]);

impl MigrationDialect {
    /// The dialect of an engine.
    ///
    /// # Errors
    /// [`Class::Unsupported`] for an engine that has none.
    pub fn of(engine: Engine) -> Result<&'static MigrationDialect> {
        DIALECTS.get(engine).ok_or_else(|| {
            Error::new(
                Class::Unsupported,
                format!("Revisions cannot be run on {engine}."),
            )
        })
    }

    /// Adds the dialect of another engine.
    pub fn add(engine: Engine, dialect: &'static MigrationDialect) {
        DIALECTS.add(engine, dialect);
    }
}

impl fmt::Debug for MigrationDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MigrationDialect")
            .field("sql", &self.sql.name)
            .field("lock", &self.lock)
            .finish_non_exhaustive()
    }
}
