use std::fmt;

use underpin_core::{ByEngine, Class, Engine, Error, Result, TransactionOptions, ValueRow};

use crate::{
    Diff, Hints, Lock, Plan, Rename, Schema, Selection, Statement, Type, access, postgres, sqlite,
};

/// The differences between engines in reading, creating, comparing and changing a schema: one value
/// for each. Another engine's is often one of these with a few fields of its own:
///
/// ```
/// use underpin_schema::{SchemaDialect, postgres};
///
/// static REDSHIFT: SchemaDialect = SchemaDialect {
///     row_estimates: None,
///     ..postgres::DIALECT
/// };
/// ```
#[derive(Clone)]
pub struct SchemaDialect {
    /// How a schema is read.
    pub catalog: Catalog,
    /// The statements, without semicolons, that make a schema in an empty database, in an order
    /// in which each has what it needs.
    pub dump: fn(&Schema) -> Result<Vec<String>>,
    /// How two schemas differ.
    pub diff: fn(&Schema, &Schema, &Hints) -> Diff,
    /// The statements that carry out renames, where the engine has its own rendering of expressions
    /// and is asked whether two are one.
    pub renames: Option<RenameStatements>,
    /// The steps that carry out the changes of a diff on a database that has the first schema.
    pub plan: fn(&Schema, &Schema, &Diff) -> Result<Plan>,
    /// Whether others wait for a lock so long that a revision says so.
    pub holds_others_up: fn(&Lock) -> bool,
    /// Whether two names are one.
    pub same_name: fn(&str, &str) -> bool,
    /// The namespace that every database has from its beginning.
    pub first_namespace: &'static str,
    /// The handling of a statement of a schema that is written as SQL, by its first words, in
    /// capitals. `BEGIN`, `COMMIT` and their kin are known before.
    pub use_of: fn(&[&str]) -> Use,
    /// The empty databases in which schemas are tried.
    pub scratch: ScratchRules,
    /// Whether connecting to a database that does not exist creates it, so that one which is
    /// only looked at is opened for reading.
    pub creates_databases: bool,
    /// The lines that the engine's own shell needs around a plan.
    pub script: ScriptRules,
    /// How many rows tables have, as far as the engine knows without counting.
    pub row_estimates: Option<RowEstimates>,
    /// How times are found and rewritten that an earlier version has written in a form which does
    /// not compare with that of today, where there is such a form.
    pub old_times: Option<OldTimes>,
}

/// The statements, without semicolons, that carry out renames.
pub type RenameStatements = fn(&[Rename]) -> Result<Vec<String>>;

/// How times in an old form are found and rewritten.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct OldTimes {
    /// Whether a column of this type may hold any.
    pub may_hold: fn(&Type) -> bool,
    /// The condition on a column, by its name in quotes, that its value is one.
    pub is_old: fn(&str) -> String,
    /// The same time in the form of today.
    pub renewed: fn(&str) -> String,
}

/// How a schema is read: in one transaction, by a fixed number of queries.
#[derive(Clone)]
pub struct Catalog {
    /// The transaction, which sees one snapshot.
    pub snapshot: TransactionOptions,
    /// A query that runs first and gives one number, the version for which the queries are.
    pub prepare: Option<&'static str>,
    /// The queries that read what is selected, for a version. 0 where nothing was prepared.
    pub statements: fn(i32, &Selection) -> Result<Vec<Statement>>,
    /// Whether the queries are sent all at once: the server works on the next while the answer of
    /// one is read.
    pub pipelined: bool,
    /// The schema of the answers, in the order of the queries.
    pub assemble: fn(&[Vec<ValueRow>]) -> Result<Schema>,
}

/// The handling of a statement in a scratch database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// It runs.
    Run,
    /// It runs, and a transaction is open from here on.
    Begin,
    /// It runs, and no transaction is open from here on.
    End,
    /// It is about owners or privileges. It runs where the roles are there that it names; where one is
    /// not, nothing is said about owners and privileges.
    Access,
    /// The engine does it by itself.
    PassOver,
    /// It would reach beyond the database.
    Refuse,
}

/// The empty databases in which schemas are tried.
#[derive(Debug, Clone)]
pub enum ScratchRules {
    /// There are none.
    None,
    /// They are in memory, at this URL, and need no server.
    Memory {
        /// The URL.
        url: &'static str,
    },
    /// Each is a database of its own on the server.
    Server(ServerScratch),
}

/// How a scratch database is made on a server, and dropped.
#[derive(Debug, Clone)]
pub struct ServerScratch {
    /// The database that every server has: the way to it where the configured one does not exist.
    pub maintenance: &'static str,
    /// A query that gives the statement which makes a database of the name `$1`, like that of the
    /// connection.
    pub create: &'static str,
    /// A query that gives the statement which drops the database of the name `$1`, even if sessions
    /// are connected to it.
    pub drop: &'static str,
    /// A query that gives the statement which drops the database of the name `$1` where nobody is
    /// connected to it.
    pub drop_unused: &'static str,
    /// A query that gives the names that begin with `$1` of databases that may be dropped and that
    /// nobody is connected to.
    pub unused: &'static str,
    /// The statements that run first in each session that creates a schema.
    pub session: &'static [&'static str],
    /// The advice if the user may not create databases.
    pub permission_hint: &'static str,
}

/// The lines that the engine's own shell needs around a plan.
#[derive(Debug, Clone)]
pub struct ScriptRules {
    /// Before all else.
    pub begin: &'static [&'static str],
    /// Before all else, where not all steps are in one transaction.
    pub begin_in_parts: &'static [&'static str],
    /// Before a transaction is committed.
    pub before_commit: &'static [&'static str],
    /// After all steps.
    pub end: &'static [&'static str],
}

/// How many rows tables have, as far as the engine knows without counting.
#[derive(Debug, Clone)]
pub struct RowEstimates {
    /// A query that gives a number, 0 where nothing is known.
    pub known: Option<&'static str>,
    /// A query that gives, for each table, its namespace, its name and the number of its rows.
    pub query: &'static str,
}

static DIALECTS: ByEngine<SchemaDialect> = ByEngine::new(&[
    (Engine::POSTGRES, &postgres::DIALECT),
    (Engine::SQLITE, &sqlite::DIALECT),
    (Engine::ACCESS, &access::DIALECT),
]);

impl SchemaDialect {
    /// The dialect of an engine.
    ///
    /// # Errors
    /// [`Class::Unsupported`] for an engine that has none.
    pub fn of(engine: Engine) -> Result<&'static SchemaDialect> {
        DIALECTS.get(engine).ok_or_else(|| {
            let message = format!("Schemas are not supported on {engine}.");
            Error::new(Class::Unsupported, message)
        })
    }

    /// Adds the dialect of another engine.
    pub fn add(engine: Engine, dialect: &'static SchemaDialect) {
        DIALECTS.add(engine, dialect);
    }
}

impl fmt::Debug for SchemaDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchemaDialect")
            .field("first_namespace", &self.first_namespace)
            .field("scratch", &self.scratch)
            .finish_non_exhaustive()
    }
}
