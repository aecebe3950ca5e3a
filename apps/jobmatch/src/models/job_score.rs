use underpin::Model;
use underpin::value::Timestamp;

use super::{Job, User};

/// How well a job fits a user, by one version of the algorithm.
#[derive(Debug, Clone, PartialEq, Model)]
#[model(
    table = "job_scores",
    check(
        "total_score >= 0 AND total_score <= 100",
        name = "check_total_score_range"
    ),
    unique(
        user_id,
        job_id,
        scoring_algorithm_version,
        name = "unique_user_job_score"
    ),
    index(user_id, job_id, name = "idx_job_scores_user_job"),
    sqlite(strict, checked_types)
)]
pub struct JobScore {
    /// The primary key.
    #[model(primary_key, serial)]
    pub id: i32,
    /// The user.
    #[model(references = User)]
    pub user_id: i32,
    /// The job.
    #[model(references = Job)]
    pub job_id: i32,
    /// The score in all, from 0 to 100.
    #[model(index = "idx_job_scores_total_score")]
    pub total_score: f64,
    /// How well the skills fit.
    pub skill_match_score: Option<f64>,
    /// How well the experience fits.
    pub experience_score: Option<f64>,
    /// How well the place fits.
    pub location_score: Option<f64>,
    /// How well the salary fits.
    pub salary_score: Option<f64>,
    /// How well the culture fits.
    pub culture_fit_score: Option<f64>,
    /// Which version of the algorithm it was.
    #[model(type = "varchar(20)", default = "'1.0'")]
    pub scoring_algorithm_version: Option<String>,
    /// When the score was worked out.
    #[model(
        default = "now()",
        sqlite(default = "strftime('%Y-%m-%d %H:%M:%f', 'now')")
    )]
    pub scored_at: Option<Timestamp>,
    /// When the row was made.
    #[model(
        default = "now()",
        sqlite(default = "strftime('%Y-%m-%d %H:%M:%f', 'now')")
    )]
    pub created_at: Option<Timestamp>,
}
