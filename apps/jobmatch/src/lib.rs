//! The database of a service that scores jobs for its users: its tables, its CSV import,
//! its matches and its e-mails, on PostgreSQL and on SQLite.
//!
//! ```no_run
//! use jobmatch::import::{ImportKind, Source, import};
//! use jobmatch::{MatchOptions, run_matching, stats};
//! use underpin::Database;
//!
//! # async fn run() -> underpin::Result<()> {
//! let database = Database::connect("sqlite:jobs.db").await?;
//! let maps = [("title".into(), "Civil Service Title".into())];
//! let source = Source::open(ImportKind::Jobs, "nyc_jobs.csv".as_ref(), &maps)?;
//! let report = import(&database, source, |_| ()).await?;
//! println!("{} rows are in, {} are bad", report.inserted, report.bad);
//! let options = MatchOptions { min_score: 70.0, top: 40 };
//! println!("{} new matches", run_matching(&database, options).await?.added);
//! println!("{} matches in all", stats(&database).await?.matches);
//! # Ok(())
//! # }
//! ```

mod clock;
mod confidence;
mod emails;
pub mod import;
mod matching;
mod migrations;
pub mod models;
mod queries;
mod sample;
mod stats;
mod verify;

pub use confidence::Components;
pub use emails::{MATCH_DIGEST, mark_email, queue_emails};
pub use matching::{MatchOptions, MatchReport, run_matching};
pub use migrations::{REVISIONS, migrate, migrator};
pub use queries::QUERIES;
pub use sample::Sample;
pub use stats::{Number, Stats, stats};
pub use verify::{Difference, Verification, verify};
