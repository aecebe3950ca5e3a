use underpin::{Class, Database, Engine, Error, FromRow, Model, Query, Result, query};

use crate::clock;
use crate::confidence::Components;
use crate::models::{MatchingResult, NewMatchingResult};

/// Which scores become matches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatchOptions {
    /// The least total score.
    pub min_score: f64,
    /// How many jobs a user is recommended at most, the ones from earlier runs among them.
    pub top: u32,
}

/// What a run of the matching did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MatchReport {
    /// How many active users were looked at.
    pub users: u64,
    /// How many matches are new.
    pub added: u64,
}

/// How many users are matched in one transaction.
const USERS: i64 = 500;

/// The best scored active jobs of the users in a range of ids, at most so many of each.
pub(crate) static CANDIDATES: Query<(f64, i32, i32, i64), Candidate> =
    query!("queries/candidates.sql");

#[derive(FromRow)]
pub(crate) struct Candidate {
    score_id: i32,
    user_id: i32,
    job_id: i32,
    total_score: f64,
    skill_match_score: Option<f64>,
    experience_score: Option<f64>,
    location_score: Option<f64>,
    salary_score: Option<f64>,
    culture_fit_score: Option<f64>,
}

#[derive(FromRow)]
struct Range {
    users: i64,
    first: Option<i32>,
    last: Option<i32>,
}

/// Makes the best scored active jobs of each active user into matches, each with a reason
/// and a confidence (see [`Components::confidence`]). Run again, it adds only what is new;
/// two runs at once add nothing twice.
///
/// # Errors
/// `Class::Config` for a score that is not from 0 to 100 or a `top` of 0, else what the
/// database said; the users done by then keep their matches.
///
/// # Cancel safety
/// As if it had been killed: run again, it carries on.
pub async fn run_matching(database: &Database, options: MatchOptions) -> Result<MatchReport> {
    if !(0.0..=100.0).contains(&options.min_score) || options.top == 0 {
        return Err(Error::new(
            Class::Config,
            "The minimum score must be from 0 to 100, and a user must get at least one job.",
        ));
    }
    let mut report = MatchReport { users: 0, added: 0 };
    let mut from = i32::MIN;
    loop {
        let range: Range = database
            .query_one(
                "SELECT count(*) AS users, min(id) AS first, max(id) AS last
                 FROM (SELECT id FROM users WHERE is_active AND id >= $1
                       ORDER BY id LIMIT $2) AS part",
                (from, USERS),
            )
            .await?;
        let (Some(first), Some(last)) = (range.first, range.last) else {
            return Ok(report);
        };
        report.users += u64::try_from(range.users).unwrap_or(0);
        report.added += match_range(database, options, first, last).await?;
        let Some(next) = last.checked_add(1) else {
            return Ok(report);
        };
        from = next;
    }
}

async fn match_range(
    database: &Database,
    options: MatchOptions,
    first: i32,
    last: i32,
) -> Result<u64> {
    let transaction = database.begin().await?;
    if database.engine() == Engine::POSTGRES {
        // Two runs at once would both find a match missing. SQLite has one writer anyway.
        transaction
            .batch("LOCK TABLE matching_results IN SHARE ROW EXCLUSIVE MODE")
            .await?;
    }
    let asked = (options.min_score, first, last, i64::from(options.top));
    let candidates = CANDIDATES.all(&transaction, asked).await?;
    let matched_at = clock::now(&transaction).await?;
    let rows = candidates.into_iter().map(|candidate| {
        let components = Components([
            candidate.skill_match_score,
            candidate.experience_score,
            candidate.location_score,
            candidate.salary_score,
            candidate.culture_fit_score,
        ]);
        NewMatchingResult {
            recommendation_reason: components.reason(candidate.total_score).into(),
            confidence_level: components.confidence().into(),
            matched_at: matched_at.into(),
            ..NewMatchingResult::new(candidate.user_id, candidate.job_id, candidate.score_id)
        }
    });
    let added = MatchingResult::insert_many(&transaction, rows).await?;
    transaction.commit().await?;
    Ok(added)
}
