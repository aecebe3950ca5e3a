use underpin::value::Timestamp;
use underpin::{FromValue, IntoValue};

use super::model::model;

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

model! {
    /// A job that is recommended to a user.
    MatchingResult, NewMatchingResult, MatchingResultChanges in "matching_results"
    required {
        /// The user.
        user_id: i32,
        /// The job.
        job_id: i32,
        /// The score that it rests on.
        job_score_id: i32,
    }
    optional {
        /// What has become of it.
        match_status: MatchStatus,
        /// Why it is recommended, in words.
        recommendation_reason: String,
        /// How sure the recommendation is, from 0 to 1.
        confidence_level: f64,
        /// Whether the user has looked at it.
        is_viewed: bool,
        /// Whether the user has applied.
        is_applied: bool,
        /// When it was found.
        matched_at: Timestamp,
        /// When the row was made.
        created_at: Timestamp,
    }
    moved {
        /// When the row was last changed.
        updated_at
    }
}
