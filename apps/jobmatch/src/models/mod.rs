//! The six tables as Rust types. For each there is the row as it is read, what is given
//! to insert one, and what is given to change one.
//!
//! What stands in [`model`] is what a derive macro would write: nothing outside this
//! module knows how the types come about.

mod csv_import;
mod email_log;
mod field;
mod job;
mod job_score;
mod load;
mod matching_result;
mod model;
mod relations;
mod user;

pub use csv_import::{CsvImport, CsvImportChanges, ImportStatus, NewCsvImport};
pub use email_log::{EmailLog, EmailLogChanges, EmailStatus, NewEmailLog};
pub use field::Field;
pub use job::{Job, JobChanges, NewJob};
pub use job_score::{JobScore, JobScoreChanges, NewJobScore};
pub use load::{by_foreign_key, by_id};
pub use matching_result::{MatchStatus, MatchingResult, MatchingResultChanges, NewMatchingResult};
pub use model::{Given, Model};
pub use user::{NewUser, User, UserChanges};
