//! Copies tables from one database to another, on the same engine or on another one: what is copied
//! and in what order, the kinds of values, the checksum and what is done with a table that has rows
//! already are pure; [`copy`] runs it over connections that an [`Endpoint`] opens.
//!
//! What engines do differently is one value each, a [`CopyDialect`]; another engine joins by its own.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod access;
mod catalog;
mod checksum;
mod client;
mod convert;
mod dialect;
mod jobs;
mod json;
mod kind;
mod literal;
mod loading;
mod lock;
mod options;
mod order;
mod plan;
mod portable;
pub mod postgres;
mod progress;
mod reading;
mod record;
mod report;
mod resume;
mod run;
pub mod sqlite;
mod translate;
mod types;

pub use checksum::{Checksum, row_hash};
pub use client::{Endpoint, FileLock};
pub use convert::{Misfit, convert};
pub use dialect::{
    CopyDialect, Counting, ForeignKeyRules, SharedSnapshot, TargetLock, TargetRules,
};
pub use kind::{Digits, Kind, TextLimit};
pub use literal::Literal;
pub use options::CopyOptions;
pub use order::{Group, groups, with_dependents};
pub use plan::{ColumnPlan, TablePlan, selected};
pub use progress::Progress;
pub use report::{Bad, CopyReport, TableReport};
pub use resume::{Decision, Found, OnConflict, decide, needs_source};
pub use run::copy;
pub use types::type_table;
