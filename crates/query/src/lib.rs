//! Statements as typed constants, checked against a database in a test.
//!
//! A [`Query`] has its text, the types of its parameters and the type that a row is read as in
//! one place. The text is a file of its own, which `query!` takes up, or
//! stands in the code:
//!
//! ```
//! use underpin::{Database, FromRow, Queries, Query, queries};
//!
//! #[derive(FromRow)]
//! struct User {
//!     id: i64,
//!     email: String,
//!     full_name: Option<String>,
//! }
//!
//! static BY_EMAIL: Query<(&str,), User> =
//!     Query::new("by_email", "SELECT id, email, full_name FROM users WHERE email = $1");
//! static RENAME: Query<(&str, i64)> =
//!     Query::new("rename", "UPDATE users SET full_name = $1 WHERE id = $2");
//! static QUERIES: Queries = queries![BY_EMAIL, RENAME];
//!
//! # async fn run() -> underpin::Result<()> {
//! let db = Database::connect("sqlite::memory:").await?;
//! // In an application: `Migrator::of(&db).embedded(REVISIONS)?.up("head").await?;`
//! db.execute(
//!     "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL, full_name TEXT)",
//!     (),
//! )
//! .await?;
//!
//! // In one test: every statement is prepared, and none is run.
//! QUERIES.check(&db).await?;
//!
//! db.execute("INSERT INTO users (email) VALUES ('ada@example.com')", ()).await?;
//! let ada = BY_EMAIL.one(&db, ("ada@example.com",)).await?;
//! RENAME.execute(&db, ("Ada", ada.id)).await?;
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
//! ```
//!
//! # The database of the check
//!
//! It has the schema that the application expects, and need hold no row: a
//! scratch database (`underpin::schema::Scratch`), brought to the newest of the embedded revisions.
//!
//! ```no_run
//! # use underpin::migrate::{Embedded, Migrator};
//! # use underpin::schema::Scratch;
//! # use underpin::{Config, Queries, queries};
//! # static REVISIONS: &[Embedded] = &[];
//! # static QUERIES: Queries = queries![];
//! // In an application with the attribute #[tokio::test].
//! async fn every_query_fits_the_schema() {
//!     let scratch = Scratch::beside(&Config::from_env().unwrap()).await.unwrap();
//!     let db = scratch.database();
//!     Migrator::of(db).embedded(REVISIONS).unwrap().up("head").await.unwrap();
//!     QUERIES.check(db).await.unwrap();
//! }
//! ```
//!
//! Queries for one engine alone have a list of their own, and so does each engine's directory.
//!
//! # What is checked
//!
//! - The engine can prepare the statement: its syntax, its tables and columns.
//! - It has as many parameters as there are types, and each type can be sent as what the
//!   server expects, whatever its value: an `i64` is too large for an `integer`. SQLite takes
//!   any type for any parameter, so that there only their number is checked.
//! - It gives the columns that the row wants, by name or, for a tuple, by number and position.
//!   Columns that nobody reads are allowed where they are found by name.
//! - Each column can be read as its Rust type, whatever its value, and each label of an
//!   enumerated type is known to the Rust enum. On SQLite this goes by the declared type of a
//!   table's column; of an expression nothing is known there.
//! - A column of a table that takes NULL is read as an `Option`. Where the statement itself
//!   keeps NULL out, as by `WHERE email IS NOT NULL`, a line in it says so: `-- not null:
//!   email`. What an expression gives, and what an outer join leaves without a row, is not
//!   known beforehand and never complained of.
//!
//! What can be sent and read is found by sending and reading specimens with the code that sends
//! and reads the values themselves, so that the two do not disagree.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod advice;
mod compare;
mod describe;
mod directory;
mod finding;
mod fit;
mod origin;
mod queries;
#[doc(hidden)]
pub mod sealed;
mod statement;

use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;

use underpin_core::{Executor, FromRow, Parameters, Result, RowStream};

pub use describe::Describe;
pub use finding::{Finding, Problem};
pub use origin::Origin;
pub use queries::Queries;
pub use statement::Statement;
pub use underpin_core::{
    ANY_TEXT, ColumnDescription, Holds, ParameterDescription, ParameterShape, StatementDescription,
    Takes,
};

/// A statement with the types of its parameters, a tuple, and the type that its rows are read
/// as; `()`, the default, where nobody reads them.
///
/// A parameter that borrows is written without a lifetime, as in `Query<(&str, i64), User>`,
/// and given with any.
#[derive(Debug)]
pub struct Query<P, R = ()> {
    name: &'static str,
    sql: &'static str,
    origin: Origin,
    types: PhantomData<fn(P) -> R>,
}

impl<P, R> Query<P, R> {
    /// A statement whose text stands in the code; messages name this line.
    #[track_caller]
    pub const fn new(name: &'static str, sql: &'static str) -> Self {
        let caller = Location::caller();
        Query {
            name,
            sql,
            origin: Origin {
                file: caller.file(),
                line: caller.line(),
                holds_text: false,
            },
            types: PhantomData,
        }
    }

    /// A statement whose text begins at a line of a file of its own, counted from 1. What
    /// `query!` makes.
    pub const fn from_file(
        name: &'static str,
        sql: &'static str,
        file: &'static str,
        line: u32,
    ) -> Self {
        Query {
            name,
            sql,
            origin: Origin {
                file,
                line,
                holds_text: true,
            },
            types: PhantomData,
        }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its text.
    pub const fn sql(&self) -> &'static str {
        self.sql
    }

    /// Where it stands.
    pub const fn origin(&self) -> Origin {
        self.origin
    }
}

impl<P: Parameters, R> Query<P, R> {
    /// Runs it and gives the number of rows it changed.
    ///
    /// # Errors
    /// As for [`Executor::execute`].
    ///
    /// # Cancel safety
    /// As for [`Executor::execute`].
    #[track_caller]
    pub fn execute(
        &self,
        at: &impl Executor,
        params: P::Given<'_>,
    ) -> impl Future<Output = Result<u64>> + Send {
        at.execute(self.sql, params)
    }
}

impl<P: Parameters, R: FromRow + Send + 'static> Query<P, R> {
    /// Runs it and reads all rows.
    ///
    /// # Errors
    /// As for [`Executor::query_as`].
    ///
    /// # Cancel safety
    /// As for [`Executor::execute`].
    #[track_caller]
    pub fn all(
        &self,
        at: &impl Executor,
        params: P::Given<'_>,
    ) -> impl Future<Output = Result<Vec<R>>> + Send {
        at.query_as::<R>(self.sql, params)
    }

    /// Runs it and reads the only row.
    ///
    /// # Errors
    /// As for [`Executor::query_one`].
    ///
    /// # Cancel safety
    /// As for [`Executor::execute`].
    #[track_caller]
    pub fn one(
        &self,
        at: &impl Executor,
        params: P::Given<'_>,
    ) -> impl Future<Output = Result<R>> + Send {
        at.query_one::<R>(self.sql, params)
    }

    /// Runs it and reads the only row, if there is one.
    ///
    /// # Errors
    /// As for [`Executor::query_optional`].
    ///
    /// # Cancel safety
    /// As for [`Executor::execute`].
    #[track_caller]
    pub fn optional(
        &self,
        at: &impl Executor,
        params: P::Given<'_>,
    ) -> impl Future<Output = Result<Option<R>>> + Send {
        at.query_optional::<R>(self.sql, params)
    }

    /// Runs it and gives its rows as they arrive.
    ///
    /// # Errors
    /// As for [`Executor::query_stream`].
    ///
    /// # Cancel safety
    /// As for [`Executor::execute`].
    #[track_caller]
    pub fn stream(
        &self,
        at: &impl Executor,
        params: P::Given<'_>,
    ) -> impl Future<Output = Result<RowStream<R>>> + Send {
        at.query_stream::<R>(self.sql, params)
    }
}
