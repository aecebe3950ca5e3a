use underpin::value::{Date, Numeric, Timestamp};

use super::model::model;

model! {
    /// A job that is, or was, to be had.
    Job, NewJob, JobChanges in "jobs"
    required {
        /// What the job is called.
        title: String,
        /// Who offers it.
        company_name: String,
    }
    optional {
        /// What there is to do.
        description: String,
        /// What one must bring.
        requirements: String,
        /// Where.
        location: String,
        /// The least that is paid, by the hour or by the year, as it was published.
        salary_min: Numeric,
        /// The most that is paid.
        salary_max: Numeric,
        /// Full time, part time, and so on.
        employment_type: String,
        /// Junior, senior, and so on.
        experience_level: String,
        /// The branch of industry.
        industry: String,
        /// Whether the job is still to be had.
        is_active: bool,
        /// When it was published.
        posted_date: Date,
        /// When the row was made.
        created_at: Timestamp,
    }
    moved {
        /// When the row was last changed.
        updated_at
    }
}
