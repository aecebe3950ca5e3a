use underpin::value::Timestamp;
use underpin::{Class, Database, Engine, Error, FromRow, Model, Query, Result, query};

use crate::clock;
use crate::models::{EmailLog, EmailStatus, NewEmailLog};

/// The kind of e-mail that tells a user of new matches.
pub const MATCH_DIGEST: &str = "match_digest";

/// How many matches an e-mail shows.
const SHOWN: usize = 10;

#[derive(FromRow)]
pub(crate) struct Recommended {
    user_id: i32,
    email: String,
    full_name: Option<String>,
    title: String,
    company_name: String,
    recommendation_reason: Option<String>,
}

/// The pending matches of active users in a range of ids that no e-mail of a kind has told of.
pub(crate) static UNTOLD: Query<(i32, i32, &str), Recommended> = query!("queries/untold.sql");

/// Queues one e-mail for each active user with matches that none has told of yet, and gives
/// the number of e-mails. Run again, it queues nothing twice.
///
/// # Errors
/// What the database said; the e-mails queued by then stay.
///
/// # Cancel safety
/// As if it had been killed: run again, it carries on.
pub async fn queue_emails(database: &Database) -> Result<u64> {
    let mut queued = 0;
    let mut from = i32::MIN;
    loop {
        let (first, last): (Option<i32>, Option<i32>) = database
            .query_one(
                "SELECT min(user_id), max(user_id)
                 FROM (SELECT DISTINCT user_id FROM matching_results WHERE user_id >= $1
                       ORDER BY user_id LIMIT 200) AS part",
                (from,),
            )
            .await?;
        let (Some(first), Some(last)) = (first, last) else {
            return Ok(queued);
        };
        let transaction = database.begin().await?;
        if database.engine() == Engine::POSTGRES {
            // No other run of this, which would find nobody told either, and no new matches.
            transaction
                .batch("LOCK TABLE matching_results, email_logs IN SHARE ROW EXCLUSIVE MODE")
                .await?;
        }
        let untold = UNTOLD
            .all(&transaction, (first, last, MATCH_DIGEST))
            .await?;
        let now = clock::now(&transaction).await?;
        let users = untold.chunk_by(|a, b| a.user_id == b.user_id);
        let emails: Vec<NewEmailLog> = users.map(|matches| digest(matches, now)).collect();
        queued += EmailLog::insert_many(&transaction, emails).await?;
        transaction.commit().await?;
        let Some(next) = last.checked_add(1) else {
            return Ok(queued);
        };
        from = next;
    }
}

fn digest(matches: &[Recommended], now: Timestamp) -> NewEmailLog {
    let user = &matches[0];
    let name = user.full_name.as_deref().unwrap_or(&user.email);
    let count = matches.len();
    let jobs = if count == 1 { "job" } else { "jobs" };
    let mut body = format!("Dear {name},\n\nwe found {count} {jobs} for you.\n");
    for found in matches.iter().take(SHOWN) {
        let reason = found.recommendation_reason.as_deref().unwrap_or_default();
        body += &format!("\n* {}, {}\n  {reason}\n", found.title, found.company_name);
    }
    if count > SHOWN {
        body += &format!("\nand {} more.\n", count - SHOWN);
    }
    let subject = format!("{count} new {jobs} for you");
    let mut email = NewEmailLog::new(MATCH_DIGEST, user.email.as_str(), subject, body);
    email.user_id = user.user_id.into();
    email.created_at = now.into();
    email
}

/// Notes that an e-mail was sent, or could not be; `why` is kept with one that could not.
///
/// # Errors
/// `Class::NotFound` where there is no such e-mail; `Class::Constraint` where it was sent
/// already.
///
/// # Cancel safety
/// Dropped half-way, the note may have been made.
pub async fn mark_email(
    database: &Database,
    id: i32,
    status: EmailStatus,
    why: Option<&str>,
) -> Result<()> {
    let sent = match status {
        EmailStatus::Sent => "CURRENT_TIMESTAMP",
        _ => "NULL",
    };
    let sql = format!(
        "UPDATE email_logs SET status = $1, error_message = $2, sent_at = {sent}
         WHERE id = $3 AND (status IS NULL OR status <> 'sent')"
    );
    if database.execute(&sql, (status, why, id)).await? == 1 {
        return Ok(());
    }
    match EmailLog::get(database, id).await? {
        None => Err(Error::new(
            Class::NotFound,
            format!("There is no e-mail {id}."),
        )),
        Some(email) => {
            let when = email
                .sent_at
                .map_or_else(String::new, |at| format!(" on {at}"));
            Err(Error::new(
                Class::Constraint,
                format!("The e-mail {id} was already sent{when}."),
            ))
        }
    }
}
