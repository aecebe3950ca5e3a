//! PostgreSQL, from 12 on: the statements that read a schema, and what their answers mean.
//!
//! The holder of a connection begins a transaction that only reads and sees one snapshot
//! (repeatable read), runs [`PREPARE`], then each of [`statements`], and gives the answers, in
//! the same order, to [`assemble`]. [`dump`] is the way back: the SQL that recreates all of it. [`plan()`] leads from one schema to
//! another.

mod assemble;
mod catalog;
pub mod ddl;
mod dialect;
mod dump;
mod error;
mod fields;
mod listed;
mod plan;
mod statement;

pub use crate::Statement;
pub use assemble::assemble;
pub use dialect::DIALECT;
pub use dump::{Order, dump, order};
pub use error::CatalogError;
pub use plan::plan;
pub use statement::{PREPARE, statements};
