use underpin::{Database, FromRow, Query, Result, query};

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

pub(crate) static STATS: Query<(), Stats> = query!("queries/stats.sql");

/// Counts what there is.
///
/// # Errors
/// What the database said.
///
/// # Cancel safety
/// Safe.
pub async fn stats(database: &Database) -> Result<Stats> {
    STATS.one(&database.read(), ()).await
}

/// One of the numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// How many there are.
    Count(i64),
    /// An average; none where there is nothing to average.
    Average(Option<f64>),
}

impl Stats {
    /// Each number with its name, in order.
    pub fn named(&self) -> Vec<(&'static str, Number)> {
        use Number::{Average, Count};
        vec![
            ("users", Count(self.users)),
            ("active_users", Count(self.active_users)),
            ("jobs", Count(self.jobs)),
            ("active_jobs", Count(self.active_jobs)),
            ("scores", Count(self.scores)),
            ("average_score", Average(self.average_score)),
            ("matches", Count(self.matches)),
            ("pending_matches", Count(self.pending_matches)),
            ("average_confidence", Average(self.average_confidence)),
            ("pending_emails", Count(self.pending_emails)),
            ("sent_emails", Count(self.sent_emails)),
            ("failed_emails", Count(self.failed_emails)),
            ("imports", Count(self.imports)),
            ("imported_rows", Count(self.imported_rows)),
            ("bad_rows", Count(self.bad_rows)),
        ]
    }
}
