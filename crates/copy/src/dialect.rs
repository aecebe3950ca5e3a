use std::fmt;

use underpin_core::{ByEngine, Class, Engine, Error, Result, Value};
use underpin_schema::{Column, ObjectName, Schema, Table, Type};

use crate::convert::Misfit;
use crate::kind::Kind;
use crate::literal::Literal;
use crate::{access, postgres, sqlite};

/// The differences between engines in copying tables: one value for each. Tables can be copied from
/// any engine that has one, and to those with a [`target`](CopyDialect::target).
///
/// Another engine's is often one of these with a few fields of its own:
///
/// ```
/// use underpin_copy::{CopyDialect, sqlite};
///
/// static PAPER: CopyDialect = CopyDialect {
///     target: None,
///     ..sqlite::DIALECT
/// };
/// ```
#[derive(Clone)]
pub struct CopyDialect {
    /// The kind of values in a column of this type.
    pub kind_of: fn(&Schema, &Type) -> Kind,
    /// The kind as which values are copied to another database of the engine, in which all of a value
    /// is kept, by the kind that both columns have.
    pub within: fn(Kind) -> Kind,
    /// Whether a column takes values of any kind, whatever its type. Between two such engines
    /// values are copied as they are.
    pub dynamic: bool,
    /// A table's name in SQL.
    pub table_name: fn(&ObjectName) -> Result<String>,
    /// The expression that reads a column of this kind, by its name in quotes.
    pub read: fn(&str, &Kind) -> String,
    /// What stands behind FROM for the rows of a table, without those of its children, by its name
    /// in SQL.
    pub from: fn(&str, &Table) -> String,
    /// Statements that run first in each session, so that the texts of all values have one form.
    pub session: &'static [&'static str],
    /// How several connections read one snapshot, where they can.
    pub snapshot: Option<SharedSnapshot>,
    /// Whether a column counts by itself.
    pub counts: fn(&Schema, &ObjectName, &Column) -> bool,
    /// The query that gives the last number which a counting column has given out, or NULL;
    /// `None` where the engine keeps no such number.
    pub last_number: fn(&Schema, &ObjectName, &Column) -> Result<Option<String>>,
    /// A default value as a constant, where it is one.
    pub literal: fn(&str) -> Option<Literal>,
    /// What a target needs; `None` where tables cannot be copied there.
    pub target: Option<TargetRules>,
}

/// How several connections read one snapshot.
#[derive(Debug, Clone, Copy)]
pub struct SharedSnapshot {
    /// The query that gives the name of the snapshot of this transaction, for as long as it is open.
    pub export: &'static str,
    /// The statement by which a transaction that has just begun takes the snapshot of this name.
    pub import: fn(&str) -> String,
}

/// What an engine does differently as the target of a copy.
#[derive(Debug, Clone, Copy)]
pub struct TargetRules {
    /// The type that holds a kind; of a counting key, where `counts`.
    pub type_of: fn(&Kind, bool) -> Type,
    /// What a column of the type for this kind does not keep of its values, in words.
    pub loses: fn(&Kind) -> Option<&'static str>,
    /// Which values such a column refuses, in words.
    pub refuses: fn(&Kind) -> Option<&'static str>,
    /// Whether the driver writes values of other kinds into columns of text in a form of its own.
    pub text_forms: bool,
    /// A value in the form in which the engine stores it, where that is not the driver's work.
    pub store: fn(Value, &Kind) -> Result<Value, Misfit>,
    /// A constant as a default value of a column of this kind; `None` where it cannot be one.
    pub default: fn(&Literal, &Kind) -> Option<String>,
    /// The query that says whether a table has rows, by its name in SQL.
    pub has_rows: fn(&str) -> String,
    /// The query that gives a text which tells the database from all others; empty for one that no
    /// other connection sees.
    pub identity: &'static str,
    /// How two copies into one database are kept apart.
    pub lock: TargetLock,
    /// Which columns can count.
    pub counting: Counting,
    /// The statements that make a column go on counting behind this number.
    pub set_number: fn(&Schema, &ObjectName, &Column, i64) -> Result<Vec<String>>,
    /// Statements that run first in each session that writes.
    pub session: &'static [&'static str],
    /// How rows come into tables that refer to one another.
    pub foreign_keys: ForeignKeyRules,
    /// Whether several connections can write at once.
    pub writers: bool,
    /// Whether tables are in namespaces.
    pub namespaces: bool,
}

/// How two copies into one target are kept apart.
#[derive(Debug, Clone, Copy)]
pub enum TargetLock {
    /// A lock of the sessions of a run, which ends when the last of them does.
    Session {
        /// The query that takes the lock of one session, and gives whether it was free.
        take: &'static str,
        /// The statements that make a shared lock of it, which excludes other runs as well.
        keep: &'static str,
        /// The statement by which a further session of the run shares it.
        join: &'static str,
        /// The query that says in words who holds it.
        holder: &'static str,
    },
    /// The lock of a file beside the database's, which is named by the identity.
    File {
        /// What stands behind the name of the database's file.
        suffix: &'static str,
    },
}

/// Which columns can count by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// Any integer.
    Any,
    /// The only column of a primary key.
    Key,
}

/// How rows come into tables that refer to one another.
#[derive(Debug, Clone, Copy)]
pub enum ForeignKeyRules {
    /// The session does not check them; this query gives rows where a table's refer to nothing.
    CheckedAfter(fn(&str) -> String),
    /// They are constraints that can be added when the rows are there, and this statement defers
    /// those that can be until the transaction ends.
    Constraints {
        /// The statement.
        defer: &'static str,
    },
}

static DIALECTS: ByEngine<CopyDialect> = ByEngine::new(&[
    (Engine::POSTGRES, &postgres::DIALECT),
    (Engine::SQLITE, &sqlite::DIALECT),
    (Engine::ACCESS, &access::DIALECT),
]);

impl CopyDialect {
    /// The dialect of an engine.
    ///
    /// # Errors
    /// [`Class::Unsupported`] for an engine that has none.
    pub fn of(engine: Engine) -> Result<&'static CopyDialect> {
        DIALECTS.get(engine).ok_or_else(|| {
            let message = format!("Tables cannot be copied from or to {engine}.");
            Error::new(Class::Unsupported, message)
        })
    }

    /// Adds the dialect of another engine.
    pub fn add(engine: Engine, dialect: &'static CopyDialect) {
        DIALECTS.add(engine, dialect);
    }

    /// What the engine needs as a target.
    ///
    /// # Errors
    /// [`Class::Unsupported`] where tables cannot be copied there.
    pub fn target_of(engine: Engine) -> Result<&'static TargetRules> {
        CopyDialect::of(engine)?.target.as_ref().ok_or_else(|| {
            let message = format!("Tables cannot be copied to {engine}.");
            Error::new(Class::Unsupported, message)
        })
    }
}

impl fmt::Debug for CopyDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CopyDialect")
            .field("dynamic", &self.dynamic)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}
