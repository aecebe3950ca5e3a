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
//! Statements are in the engine's own SQL. Everything runs on Tokio.

#[cfg(not(any(feature = "postgres", feature = "sqlite")))]
compile_error!("Underpin needs an engine: enable the feature `postgres`, `sqlite` or both.");

mod backend;
mod connect;
mod connection;
mod counters;
mod database;
mod health;
mod into_config;
mod metrics;
pub mod migrate;
pub mod model;
mod operating;
mod operation;
mod options;
#[cfg(feature = "postgres")]
mod postgres_builder;
pub mod query;
mod reconfigure;
mod routes;
mod row_stream;
pub mod schema;
mod service;
mod session;
mod statement_speed;
mod statements;
mod transaction;

/// Where a database is and how it is used: one typed value, in layers, each value with
/// the source that it came from.
pub use underpin_config as config;

pub use config::Config;
pub use connection::{Connection, Lease};
pub use database::Database;
pub use health::{Health, Status};
pub use into_config::IntoConfig;
pub use metrics::Metrics;
pub use model::{Field, Keyed, Model};
#[cfg(feature = "postgres")]
pub use postgres_builder::PostgresBuilder;
pub use query::{Queries, Query};
pub use row_stream::RowStream;
pub use statements::Executor;
pub use transaction::Transaction;
/// What a driver's connection does, for hooks that are given one.
pub use underpin_core::driver;
pub use underpin_core::{
    ArrayElement, Class, Code, Column, ColumnCount, ColumnPlace, ColumnType, Columns, Deadline,
    Effect, Endpoint, Engine, Error, FromRow, FromValue, IntoParams, IntoValue, Isolation, Json,
    Mismatch, Parameter, Parameters, Params, ReadColumn, Result, Role, Row, RowShape, Secret,
    Stage, TransactionOptions, Value, ValueRef, ValueRow, VecElement, quote, retry, value,
};
pub use underpin_derive::{ColumnType, FromRow, FromValue, IntoValue, Model, query};
pub use underpin_pool::{Bounds, Histogram, HookFuture, Hooks, Statistics};
#[cfg(feature = "postgres")]
pub use underpin_postgres as postgres;
#[cfg(feature = "sqlite")]
pub use underpin_sqlite as sqlite;
