//! Underpin connects, pools, retries and observes PostgreSQL and SQLite, from one crate.
//!
//! ```
//! use underpin::{Database, FromRow};
//!
//! #[derive(Debug, FromRow)]
//! struct User {
//!     id: i32,
//!     email: String,
//!     full_name: Option<String>,
//! }
//!
//! # async fn run() -> underpin::Result<()> {
//! let db = Database::connect("sqlite::memory:").await?;
//! db.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL, full_name TEXT)", ()).await?;
//! let changed = db
//!     .transaction(async |tx| {
//!         tx.execute("INSERT INTO users (email) VALUES ($1)", ("ada@example.com",)).await
//!     })
//!     .await?;
//! assert_eq!(changed, 1);
//!
//! let users: Vec<User> = db.query_as("SELECT * FROM users WHERE id = $1", (1,)).await?;
//! assert_eq!(users[0].email, "ada@example.com");
//! println!("{}", db.health().await);
//! db.close(std::time::Duration::from_secs(10)).await?;
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
//! ```
//!
//! Statements are written in the engine's own SQL. Everything runs on Tokio.
//!
//! # A tour
//!
//! - **Connecting.** [`Database::connect`] takes a URL, [`Database::from_env`] reads `underpin.toml` and the
//!   environment, and [`Config`] is the configuration as one typed value. A [`Database`] is a cheap
//!   handle: clone it into every task.
//! - **Statements.** [`Database::query_as`] reads rows as structs by [`FromRow`](macro@FromRow), as tuples, or as
//!   single values; [`Database::query_stream`] reads them as they arrive, and
//!   [`Database::bulk_insert`] inserts many. [`Executor`] covers every place where SQL runs. A
//!   [`Query`] is a statement as a typed constant that a test checks.
//! - **Types.** [`FromValue`](macro@FromValue) and [`IntoValue`](macro@IntoValue) make a column of your own types;
//!   [`value`] has times, numbers and UUIDs; [`Json`] is any type that serde knows.
//! - **Transactions.** [`Database::transaction`] runs a closure in one, [`Database::begin`] returns a
//!   [`Transaction`]. [`Database::retry`] runs it again after a conflict.
//! - **Errors.** [`Error::class`] is the kind of failure, and [`Error::effect`] says whether the statement
//!   took effect.
//! - **Handles with options.** [`Database::read`] sends calls to any host, [`Database::deadline`] limits
//!   their time, [`Database::idempotent`] lets them run twice.
//! - **One connection.** [`Database::acquire`] leases one of the pool; [`Lease`] has the engine's own client.
//! - **Operating.** [`Database::health`], [`Database::metrics`], [`Database::statistics`],
//!   [`Database::events`], [`Database::reconfigure`] and [`Database::close`].
//! - **Models.** [`Model`](macro@Model) makes a struct stand for a table.
//! - **Migrations.** [`migrate`] has revisions, which are SQL files, and the
//!   [`Migrator`](migrate::Migrator) that applies them.
//! - **Schemas.** [`schema`] reads, compares, plans and draws them.
//! - **Copies.** [`copy`] moves tables from one database to another, on the same engine or another one.
//! - **Below.** `postgres` and `sqlite` are the drivers; `postgres::types` and `sqlite::rusqlite` are the crates
//!   whose types they show, in one place each. [`engine`] is for an engine of your own.
//!
//! # Features
//!
//! | feature | default | effect |
//! |---|---|---|
//! | `postgres`, `sqlite` | yes | the engines |
//! | `tls` | yes | encrypted connections, by rustls |
//! | `access` | no | Access files, read only; brings `sqlite` |
//! | `odbc` | no | any database with an installed ODBC driver; needs unixODBC, or Windows |
//! | `sqlite-system` | no | the system's SQLite in place of `sqlite` |
//! | `chrono`, `time`, `jiff`, `rust_decimal`, `bigdecimal` | no | their types as columns and parameters |
//! | `metrics` | no | the pool's numbers through the crate `metrics` |

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(any(
    feature = "postgres",
    feature = "sqlite",
    feature = "sqlite-system",
    feature = "odbc"
)))]
compile_error!("Underpin needs an engine: enable the feature `postgres`, `sqlite` or both.");

#[cfg(all(feature = "sqlite", feature = "sqlite-system"))]
compile_error!(
    "The features `sqlite` and `sqlite-system` exclude each other: one compiles SQLite in, the \
     other links the system's library. For the latter, build with `default-features = false`."
);

mod backend;
mod connect;
mod connection;
pub mod copy;
mod database;
mod engines;
mod handles;
mod health;
#[cfg(feature = "postgres")]
mod listen;
mod metrics;
pub mod migrate;
mod one_row;
mod open_database;
mod operating;
#[cfg(feature = "postgres")]
mod postgres_builder;
mod reconfigure;
pub mod schema;
mod session;
mod statements;
mod transaction;

/// The interface for an engine that Underpin does not bring itself.
pub mod engine {
    pub use underpin_cluster::{CallOptions, Cluster, NewMember};
    pub use underpin_core::driver::Capabilities;
    pub use underpin_core::{AddressForm, EngineInfo};
    pub use underpin_migrate::MigrationDialect;
    pub use underpin_model::ModelDialect;
    pub use underpin_pool::PoolOptions;
    pub use underpin_schema::SchemaDialect;
    pub use underpin_sql::Dialect;

    pub use crate::backend::Backend;
    pub use crate::engines::{Dialects, EngineDriver, Opened, register};
}

/// The configuration of a database: one typed value, built in layers, each value with its source.
pub use underpin_config as config;
/// Rust structs that stand for tables.
pub use underpin_model as model;
/// Statements as typed constants, checked against a database in a test.
pub use underpin_query as query;
/// Reading and writing of each SQL dialect: one lexer, and the differences as data.
pub use underpin_sql as sql;

pub use config::{Config, IntoConfig};
pub use connection::{Connection, Lease};
pub use database::Database;
pub use health::{Health, Status};
#[cfg(feature = "postgres")]
pub use listen::{Heard, Listener};
pub use metrics::Metrics;
pub use model::{Field, Keyed, Model, models};
#[cfg(feature = "postgres")]
pub use postgres_builder::PostgresBuilder;
pub use query::{Queries, Query, queries};
pub use transaction::Transaction;
#[cfg(feature = "access")]
pub use underpin_access as access;
pub use underpin_cluster::{Event, Events, MemberState};
/// The operations of a driver's connection, for hooks that get one.
pub use underpin_core::driver;
pub use underpin_core::{
    ArrayElement, Class, Code, Column, ColumnCount, ColumnPlace, ColumnType, Columns,
    ConstraintKind, Deadline, Effect, Endpoint, Engine, Error, Executor, Existence, FromRow,
    FromValue, IntoParams, IntoValue, Isolation, Json, Mismatch, Parameter, Parameters, Params,
    Position, ReadColumn, ReadFrom, Recycling, Result, Role, Row, RowShape, RowStream, Secret,
    Stage, TransactionOptions, TwoPrimaries, Value, ValueRef, ValueRow, VecElement, quote, retry,
    value,
};
pub use underpin_derive::{ColumnType, FromRow, FromValue, IntoValue, Model, query};
#[cfg(feature = "odbc")]
pub use underpin_odbc as odbc;
pub use underpin_pool::{Bounds, Histogram, HookFuture, Hooks, Statistics};
#[cfg(feature = "postgres")]
pub use underpin_postgres as postgres;
#[cfg(any(feature = "sqlite", feature = "sqlite-system"))]
pub use underpin_sqlite as sqlite;
