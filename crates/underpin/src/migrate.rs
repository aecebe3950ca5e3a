//! Migrations: revisions as readable SQL files, or Rust code, and the [`Migrator`] that brings a
//! database to a revision.
//!
//! ```
//! use underpin::Database;
//! use underpin::migrate::{Embedded, Migrator};
//!
//! // `embed_revisions!("revisions")` returns the files of a directory in this form.
//! const REVISIONS: &[Embedded] = &[Embedded::new(
//!     "revisions/3f9c2a1b7d40_users.sql",
//!     "\
//! -- revision: 3f9c2a1b7d40
//! -- parents: none
//! -- message: users
//! -- up
//! CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL);
//! -- down
//! DROP TABLE users;
//! ",
//! )];
//!
//! # async fn run() -> underpin::Result<()> {
//! let db = Database::connect("sqlite::memory:").await?;
//! let migrator = Migrator::of(&db).embedded(REVISIONS)?;
//! let report = migrator.up("head").await?;
//! assert_eq!(report.revisions.len(), 1);
//! assert!(migrator.pending().await?.is_empty());
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
//! ```

pub use underpin_derive::embed_revisions;
pub use underpin_migrate::{
    Adopted, Adoption, AdoptionRules, Applied, Branch, BranchLabel, Checksum, Concurrent,
    Direction, Edge, Embedded, Entry, Finding, ForeignKeyGuard, Graph, GraphError, Group,
    HISTORY_TABLE, History, Holder, IntoTarget, Isolation, Link, Mark, Merge, MigrationDialect,
    Mode, NewRevision, NewScript, NewSection, Object, Origin, Overlap, Piece, Plan, PlanError,
    PlanStep, Progress, Reach, Repair, Replay, Report, Revision, RevisionId, RunLock, RunOptions,
    Script, ScriptHistory, Section, SessionLock, SplitError, StampChange, State, Statement,
    TEMPLATE, Target, Tool, Touch, Wait, Work, current, entry, file_name, is_transaction_control,
    merge, outline, parse, pending, plan_down, plan_offline, plan_up, read_directory,
    read_embedded, render, split, touched, validate,
};
pub use underpin_sources::{Wanted, Written, written};

use crate::Database;

/// Brings a database to a revision; see [`underpin_migrate::Migrator`].
pub type Migrator = underpin_migrate::Migrator<Database>;

/// The connection of a run, for the Rust code of a revision; see
/// [`underpin_migrate::RevisionConnection`].
pub type RevisionConnection = underpin_migrate::RevisionConnection<Database>;

/// The differences between the result of the revisions and the wanted schema; see
/// [`underpin_sources::Comparison`].
pub type Comparison = underpin_sources::Comparison<Database>;
