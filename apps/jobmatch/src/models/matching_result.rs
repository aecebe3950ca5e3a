use underpin::value::Timestamp;
use underpin::{FromValue, IntoValue, Model};

use super::{Job, JobScore, User};

/// What has become of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromValue, IntoValue)]
#[value(rename_all = "snake_case")]
pub enum MatchStatus {
    /// Nobody has looked at it.
    Pending,
    /// The user has looked at it.
    Viewed,
    /// The user has applied for the job.
    Applied,
    /// The user does not want it.
    Rejected,
}

/// A job that is recommended to a user.
#[derive(Debug, Clone, PartialEq, Model)]
#[model(
    table = "matching_results",
    check(
        "confidence_level >= 0 AND confidence_level <= 1",
        name = "check_confidence_range"
    ),
    sqlite(strict, checked_types)
)]
pub struct MatchingResult {
    /// The primary key.
    #[model(primary_key, serial)]
    pub id: i32,
    /// The user.
    #[model(references = User, index = "idx_matching_results_user")]
    pub user_id: i32,
    /// The job.
    #[model(references = Job)]
    pub job_id: i32,
    /// The score that it rests on.
    #[model(references = JobScore)]
    pub job_score_id: i32,
    /// What has become of it.
    #[model(
        type = "varchar(20)",
        default = "'pending'",
        index = "idx_matching_results_status"
    )]
    pub match_status: Option<MatchStatus>,
    /// Why it is recommended, in words.
    pub recommendation_reason: Option<String>,
    /// How sure the recommendation is, from 0 to 1.
    pub confidence_level: Option<f64>,
    /// Whether the user has looked at it.
    #[model(default = false)]
    pub is_viewed: Option<bool>,
    /// Whether the user has applied.
    #[model(default = false)]
    pub is_applied: Option<bool>,
    /// When it was found.
    #[model(
        default = "now()",
        sqlite(default = "strftime('%Y-%m-%d %H:%M:%f', 'now')")
    )]
    pub matched_at: Option<Timestamp>,
    /// When the row was made.
    #[model(
        default = "now()",
        sqlite(default = "strftime('%Y-%m-%d %H:%M:%f', 'now')")
    )]
    pub created_at: Option<Timestamp>,
    /// When the row was last changed.
    #[model(
        default = "now()",
        on_update,
        sqlite(default = "strftime('%Y-%m-%d %H:%M:%f', 'now')")
    )]
    pub updated_at: Option<Timestamp>,
}
