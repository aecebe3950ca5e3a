//! SQLite, from 3.37 on: the statements that read a schema, and what their answers mean.
//!
//! The holder of a connection begins a transaction that only reads, runs each of
//! [`statements`], and gives the answers, in the same order, to [`assemble`]. [`dump`] is the
//! way back: the SQL that recreates all of it. [`plan`](plan()) leads from one schema to another.
//!
//! SQLite keeps a schema as the SQL that made it. That is read here as SQLite reads it, and
//! expressions are brought into a normal form. What belongs to attached databases and what is
//! temporary is not part of the schema.

mod assemble;
mod comment;
mod constraint_names;
mod cursor;
pub mod ddl;
mod dialect;
mod diff;
mod dump;
mod error;
mod expression;
mod keyword;
mod normal;
mod old_times;
mod parse;
mod plan;
mod rowid;
mod statement;
mod token;

pub use assemble::assemble;
pub use dialect::DIALECT;
pub use diff::diff;
pub use dump::dump;
pub use error::SqlError;
pub use plan::plan;
pub use statement::statements;
