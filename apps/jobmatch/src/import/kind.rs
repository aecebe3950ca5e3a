use std::fmt;

use super::column::{Column, Rule};

/// What a CSV file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ImportKind {
    /// Jobs.
    Jobs,
    /// Users, with `hashed_password` as a PHC string or `password` to be hashed.
    Users,
    /// Scores of jobs for users, by the ids of both.
    Scores,
}

const fn required(name: &'static str, rule: Rule) -> Column {
    Column {
        name,
        rule,
        required: true,
    }
}

const fn optional(name: &'static str, rule: Rule) -> Column {
    Column {
        name,
        rule,
        required: false,
    }
}

static JOBS: &[Column] = &[
    required("title", Rule::Text(255)),
    required("company_name", Rule::Text(255)),
    optional("description", Rule::LongText),
    optional("requirements", Rule::LongText),
    optional("location", Rule::Text(255)),
    optional("salary_min", Rule::Salary),
    optional("salary_max", Rule::Salary),
    optional("employment_type", Rule::Text(50)),
    optional("experience_level", Rule::Text(50)),
    optional("industry", Rule::Text(100)),
    optional("is_active", Rule::Bool),
    optional("posted_date", Rule::Date),
    optional("created_at", Rule::Timestamp),
    optional("updated_at", Rule::Timestamp),
];

static USERS: &[Column] = &[
    required("email", Rule::Text(255)),
    required("hashed_password", Rule::Phc),
    optional("full_name", Rule::Text(255)),
    optional("is_active", Rule::Bool),
    optional("is_superuser", Rule::Bool),
    optional("created_at", Rule::Timestamp),
    optional("updated_at", Rule::Timestamp),
];

static SCORES: &[Column] = &[
    required("user_id", Rule::Integer),
    required("job_id", Rule::Integer),
    required("total_score", Rule::Percent),
    optional("skill_match_score", Rule::Float),
    optional("experience_score", Rule::Float),
    optional("location_score", Rule::Float),
    optional("salary_score", Rule::Float),
    optional("culture_fit_score", Rule::Float),
    optional("scoring_algorithm_version", Rule::Text(20)),
    optional("scored_at", Rule::Timestamp),
    optional("created_at", Rule::Timestamp),
];

/// What a file of users may have in place of `hashed_password`.
pub(super) static PASSWORD: Column = required("password", Rule::Password);

impl ImportKind {
    /// The name, as on the command line and in `csv_imports.import_type`.
    pub fn name(self) -> &'static str {
        match self {
            ImportKind::Jobs => "jobs",
            ImportKind::Users => "users",
            ImportKind::Scores => "scores",
        }
    }

    /// The table that the rows go into.
    pub fn table(self) -> &'static str {
        match self {
            ImportKind::Jobs => "jobs",
            ImportKind::Users => "users",
            ImportKind::Scores => "job_scores",
        }
    }

    pub(super) fn columns(self) -> &'static [Column] {
        match self {
            ImportKind::Jobs => JOBS,
            ImportKind::Users => USERS,
            ImportKind::Scores => SCORES,
        }
    }
}

impl fmt::Display for ImportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
