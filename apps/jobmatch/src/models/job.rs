use underpin::Model;
use underpin::value::{Date, Numeric, Timestamp};

/// A job that is, or was, open.
#[derive(Debug, Clone, PartialEq, Model)]
#[model(
    table = "jobs",
    check(
        "salary_min >= 0",
        name = "check_salary_min_positive",
        sqlite = "round(salary_min, 2) >= 0"
    ),
    check(
        "salary_max >= salary_min",
        name = "check_salary_max_greater_than_min",
        sqlite = "round(salary_max, 2) >= round(salary_min, 2)"
    ),
    index(company_name, is_active, name = "idx_jobs_company_active"),
    index(location, industry, name = "idx_jobs_location_industry"),
    sqlite(strict, checked_types)
)]
pub struct Job {
    /// The primary key.
    #[model(primary_key, serial)]
    pub id: i32,
    /// What the job is called.
    #[model(type = "varchar(255)")]
    pub title: String,
    /// Who offers it.
    #[model(type = "varchar(255)")]
    pub company_name: String,
    /// What there is to do.
    pub description: Option<String>,
    /// What one must bring.
    pub requirements: Option<String>,
    /// Where.
    #[model(type = "varchar(255)")]
    pub location: Option<String>,
    /// The least that is paid, by the hour or by the year, as it was published.
    #[model(type = "numeric(10, 2)")]
    pub salary_min: Option<Numeric>,
    /// The most that is paid.
    #[model(type = "numeric(10, 2)")]
    pub salary_max: Option<Numeric>,
    /// Full time, part time, and so on.
    #[model(type = "varchar(50)")]
    pub employment_type: Option<String>,
    /// Junior, senior, and so on.
    #[model(type = "varchar(50)")]
    pub experience_level: Option<String>,
    /// The branch of industry.
    #[model(type = "varchar(100)")]
    pub industry: Option<String>,
    /// Whether the job is still open.
    #[model(default = true)]
    pub is_active: Option<bool>,
    /// When it was published.
    #[model(default = "CURRENT_DATE")]
    pub posted_date: Option<Date>,
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
