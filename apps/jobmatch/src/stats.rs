use underpin::{Database, FromRow, Result};

/// Counts and averages of the whole database.
#[derive(Debug, Clone, Copy, PartialEq, FromRow)]
pub struct Stats {
    /// How many users there are.
    pub users: i64,
    /// How many of them are active.
    pub active_users: i64,
    /// How many jobs there are.
    pub jobs: i64,
    /// How many of them are active.
    pub active_jobs: i64,
    /// How many scores there are.
    pub scores: i64,
    /// The average of their total scores.
    pub average_score: Option<f64>,
    /// How many matches there are.
    pub matches: i64,
    /// How many of them nobody has looked at.
    pub pending_matches: i64,
    /// The average of their confidence.
    pub average_confidence: Option<f64>,
    /// How many e-mails are still to be sent.
    pub pending_emails: i64,
    /// How many were sent.
    pub sent_emails: i64,
    /// How many could not be.
    pub failed_emails: i64,
    /// How many files were imported.
    pub imports: i64,
    /// How many rows of theirs are in.
    pub imported_rows: i64,
    /// How many are not.
    pub bad_rows: i64,
}

const SQL: &str = "
SELECT
    (SELECT count(*) FROM users) AS users,
    (SELECT count(*) FROM users WHERE is_active) AS active_users,
    (SELECT count(*) FROM jobs) AS jobs,
    (SELECT count(*) FROM jobs WHERE is_active) AS active_jobs,
    (SELECT count(*) FROM job_scores) AS scores,
    (SELECT avg(total_score) FROM job_scores) AS average_score,
    (SELECT count(*) FROM matching_results) AS matches,
    (SELECT count(*) FROM matching_results WHERE match_status = 'pending') AS pending_matches,
    (SELECT avg(confidence_level) FROM matching_results) AS average_confidence,
    (SELECT count(*) FROM email_logs WHERE status = 'pending') AS pending_emails,
    (SELECT count(*) FROM email_logs WHERE status = 'sent') AS sent_emails,
    (SELECT count(*) FROM email_logs WHERE status = 'failed') AS failed_emails,
    (SELECT count(*) FROM csv_imports WHERE status = 'completed') AS imports,
    (SELECT coalesce(sum(success_rows), 0) FROM csv_imports) AS imported_rows,
    (SELECT coalesce(sum(error_rows), 0) FROM csv_imports) AS bad_rows";

/// Counts what there is.
///
/// # Errors
/// What the database said.
///
/// # Cancel safety
/// Safe.
pub async fn stats(database: &Database) -> Result<Stats> {
    database.read().query_one(SQL, ()).await
}

impl Stats {
    /// Each number with its name, in order.
    pub fn named(&self) -> Vec<(&'static str, Option<f64>)> {
        let count = |number: i64| Some(number as f64);
        vec![
            ("users", count(self.users)),
            ("active_users", count(self.active_users)),
            ("jobs", count(self.jobs)),
            ("active_jobs", count(self.active_jobs)),
            ("scores", count(self.scores)),
            ("average_score", self.average_score),
            ("matches", count(self.matches)),
            ("pending_matches", count(self.pending_matches)),
            ("average_confidence", self.average_confidence),
            ("pending_emails", count(self.pending_emails)),
            ("sent_emails", count(self.sent_emails)),
            ("failed_emails", count(self.failed_emails)),
            ("imports", count(self.imports)),
            ("imported_rows", count(self.imported_rows)),
            ("bad_rows", count(self.bad_rows)),
        ]
    }
}
