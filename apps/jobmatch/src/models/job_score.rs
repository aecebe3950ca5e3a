use underpin::value::Timestamp;

use super::model::model;

model! {
    /// How well a job fits a user, by one version of the algorithm.
    JobScore, NewJobScore, JobScoreChanges in "job_scores"
    required {
        /// The user.
        user_id: i32,
        /// The job.
        job_id: i32,
        /// The score in all, from 0 to 100.
        total_score: f64,
    }
    optional {
        /// How well the skills fit.
        skill_match_score: f64,
        /// How well the experience fits.
        experience_score: f64,
        /// How well the place fits.
        location_score: f64,
        /// How well the salary fits.
        salary_score: f64,
        /// How well the culture fits.
        culture_fit_score: f64,
        /// Which version of the algorithm it was.
        scoring_algorithm_version: String,
        /// When the score was worked out.
        scored_at: Timestamp,
        /// When the row was made.
        created_at: Timestamp,
    }
}
