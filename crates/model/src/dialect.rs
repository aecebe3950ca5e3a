use std::collections::BTreeMap;
use std::fmt;

use underpin_core::value::Numeric;
use underpin_core::{ByEngine, Class, Engine, Error, Result};
use underpin_schema::{Check, Type};
use underpin_sql::Dialect;

use crate::description::Description;
use crate::{postgres, sqlite};

/// The differences between engines in a model's table and statements: one value for each.
/// Another engine's is often one of these with a few fields of its own, as for
/// [`SchemaDialect`](underpin_schema::SchemaDialect).
#[derive(Clone)]
pub struct ModelDialect {
    /// The name of the engine, for which a description may spell something in its own way.
    pub name: &'static str,
    /// The engine's SQL: names, parameters, how rows are returned.
    pub sql: &'static Dialect,
    /// Whether a table can be in a namespace that its model names.
    pub namespaces: bool,
    /// The namespace of what names none.
    pub default_namespace: &'static str,
    /// The namespace of a collation that names none.
    pub collation_namespace: &'static str,
    /// A type that was given for this engine, by the name that its catalog has for it.
    pub given_type: fn(Type) -> Type,
    /// The type that holds what a type of PostgreSQL's holds.
    pub storage: fn(&Description, &Type) -> Type,
    /// The type that holds anything, and is not checked.
    pub any_type: Option<&'static str>,
    /// What a default of `now()` is for a column of a type of PostgreSQL's, which is stored as
    /// the second one, where that is another expression.
    pub now: Option<fn(&Type, &Type) -> String>,
    /// Whether tables and columns have comments.
    pub comments: bool,
    /// How columns are counted up.
    pub counters: Counters,
    /// Whether there are enumerated types. Where there are none, they are text.
    pub enums: bool,
    /// The check of a column, with the end of its name, that holds it to what its type is on
    /// PostgreSQL, where a model asks for that.
    pub type_check: Option<TypeCheck>,
    /// The check of a column that keeps out what its type cannot read.
    pub readable: Option<Readable>,
    /// Whether an index has a method, columns that it carries, operator classes and a place for
    /// NULL. Where it has none, an index of another method than `btree` is left out.
    pub index_options: bool,
    /// Whether tables have partitions.
    pub partitions: bool,
    /// The options of a table, where its model describes all of them.
    pub options: Option<TableOptions>,
    /// The present, or just after the row's last change, which the first text is, where the clock
    /// has not moved since; for a column of a time type of PostgreSQL's, which is stored as the
    /// second one.
    pub advance: fn(&str, &Type, &Type) -> String,
    /// What a column is set to where a row is there already: the table, both quoted, and the
    /// expression.
    pub on_conflict: fn(&str, &str) -> String,
    /// Whether an array is one parameter, so that `= ANY ($1)` finds any number of keys.
    pub array_parameters: bool,
    /// A decimal number as a type of PostgreSQL's holds it, where the engine's own would hold
    /// another.
    pub fit: Option<Fit>,
    /// The parameters of so many keys of so many columns each, behind `IN (`: width, count.
    pub keys: fn(usize, usize) -> String,
}

/// A check of a column's type: of its name, its type on PostgreSQL and its labels.
pub type TypeCheck = fn(&str, &Type, Option<&[&str]>) -> Result<Option<(&'static str, Check)>>;

/// A check of what a column's type can read: of its name, its type on PostgreSQL, and whether the
/// table is strict.
pub type Readable = fn(&str, &Type, bool) -> Result<Option<Check>>;

/// A decimal number as a type of PostgreSQL's holds it; else a clause that says why it holds none
/// such.
pub type Fit = fn(&Type, &Numeric) -> Result<Numeric, String>;

/// The options of a table, by name.
pub type TableOptions = fn(&Description) -> BTreeMap<String, String>;

/// How columns are counted up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counters {
    /// By sequences: of identity columns, or named by a default.
    Sequences,
    /// An integer that is the primary key counts by itself.
    RowIds,
}

static DIALECTS: ByEngine<ModelDialect> = ByEngine::new(&[
    (Engine::POSTGRES, &postgres::DIALECT),
    (Engine::SQLITE, &sqlite::DIALECT),
]);

impl ModelDialect {
    /// The dialect of an engine.
    ///
    /// # Errors
    /// [`Class::Unsupported`] for an engine that has none.
    pub fn of(engine: Engine) -> Result<&'static ModelDialect> {
        DIALECTS.get(engine).ok_or_else(|| {
            let message = format!("Models are not supported on {engine}.");
            Error::new(Class::Unsupported, message)
        })
    }

    /// Adds the dialect of another engine.
    pub fn add(engine: Engine, dialect: &'static ModelDialect) {
        DIALECTS.add(engine, dialect);
    }
}

impl fmt::Debug for ModelDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelDialect")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
