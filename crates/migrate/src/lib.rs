//! Underpin's migrations. A [`Revision`] is a node of a graph: a SQL file that people can
//! read, or Rust code, with the way up and the way down. What is applied is decided by
//! pure functions over the graph and the history; the runner does it, over the erased
//! [`Host`] that the holder of a connection implements.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod adopt;
mod checksum;
mod concurrent;
mod dialect;
mod directory;
mod failure;
mod graph;
mod history;
mod history_table;
mod host;
mod into_target;
mod isolation;
mod lock;
mod lock_file;
mod merge;
mod migrator;
mod offline;
mod open_database;
mod outline;
mod plan;
mod pooler;
pub mod postgres;
mod progress;
mod renamed;
mod repair;
mod revision;
mod revision_file;
mod run;
mod runner;
mod sql;
pub mod sqlite;
mod stamp;
mod stepwise;
mod target;
mod together;
mod touched;
mod transaction;
mod validate;

pub use adopt::{Adopted, Adoption, Tool, adopt};
pub use checksum::Checksum;
pub use dialect::{
    AdoptionRules, Concurrent, ForeignKeyGuard, Isolation, MigrationDialect, Reach, RunLock,
    SessionLock,
};
pub use directory::{Embedded, file_name, read_directory, read_embedded};
pub use failure::statement_failed;
pub use graph::{Branch, Edge, Graph, GraphError, Link};
pub use history::{Applied, History, State};
pub use history_table::HISTORY_TABLE;
pub use host::{Direction, Holder, Host, Wait};
pub use into_target::IntoTarget;
pub use isolation::run_isolated;
pub use lock_file::LockFile;
pub use merge::{Merge, Overlap, Touch, merge};
pub use migrator::{Migrator, RevisionConnection};
pub use offline::{ScriptHistory, plan_offline};
pub use open_database::{OpenConnection, OpenDatabase};
pub use outline::{Entry, Mark, current, entry, outline};
pub use plan::{
    Group, Mode, Plan, PlanError, PlanStep, Work, leads_down, pending, plan_down, plan_up,
};
pub use postgres::DIALECT as POSTGRES;
pub use progress::Progress;
pub use renamed::{Renamed, RenamedError, RenamedTo, renamed};
pub use repair::{Repair, repair};
pub use revision::{BranchLabel, Origin, Revision, RevisionId, Script, Section, Statement};
pub use revision_file::{NewRevision, NewScript, NewSection, TEMPLATE, parse, render};
pub use run::{Replay, RunOptions};
pub use runner::{Report, Runner, read_history};
pub use sql::{is_transaction_control, split, words};
pub use sqlite::DIALECT as SQLITE;
pub use stamp::{StampChange, stamp};
pub use target::Target;
pub use touched::{Object, touched};
pub use underpin_sql::{Piece, SplitError};
pub use validate::{Finding, validate};
