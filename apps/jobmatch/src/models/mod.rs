//! The six tables as Rust types. For each there is the row as it is read, what is given
//! to insert one, and what is given to change one.

mod csv_import;
mod email_log;
mod job;
mod job_score;
mod matching_result;
mod user;

pub use csv_import::{CsvImport, CsvImportChanges, ImportStatus, NewCsvImport};
pub use email_log::{EmailLog, EmailLogChanges, EmailStatus, NewEmailLog};
pub use job::{Job, JobChanges, NewJob};
pub use job_score::{JobScore, JobScoreChanges, NewJobScore};
pub use matching_result::{MatchStatus, MatchingResult, MatchingResultChanges, NewMatchingResult};
pub use user::{NewUser, User, UserChanges};

/// All of them: what the database is to have.
pub static MODELS: underpin::model::Models =
    underpin::models![User, Job, JobScore, MatchingResult, EmailLog, CsvImport];
