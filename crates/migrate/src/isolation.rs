//! Statements of a replay in a scratch database, which must reach nothing beyond it.

use underpin_core::driver::SessionState;
use underpin_core::{Class, Effect, Error, Result, Value};

use crate::dialect::{Isolation, MigrationDialect, Reach};
use crate::host::Host;
use crate::open_database::OpenConnection;
use crate::run::Replay;
use crate::sql::words;

/// SQLSTATEs of a statement that a server does not run within a transaction, and of one that would
/// end the transaction which it is in.
const ALONE: [&str; 2] = ["25001", "2D000"];

/// What a person can do about a statement that reaches beyond a scratch database.
const ELSEWHERE: &str = "Revisions and files of SQL are tried in a scratch database beside the \
    configured one, where nothing else may change. Name another server for that, with --scratch-url, \
    `[scratch] url` or SCRATCH_DATABASE_URL.";

/// What no rollback undoes.
const ELSE: &str = "other servers, files or sessions";

/// What becomes of a statement of a replay.
pub(crate) enum Verdict {
    /// It runs, and what it reached is looked at.
    Run,
    /// It is passed over, for the reason in this sentence.
    PassOver(String),
}

/// Looks at a statement before it runs.
pub(crate) async fn judge(
    host: &dyn Host,
    isolation: &Isolation,
    sql: &str,
    replay: Replay,
) -> Result<Verdict> {
    let shown = crate::failure::shortened(sql);
    let words = words(sql, Some(host.engine()));
    let reach = match (isolation.reach)(&words) {
        reach if replay == Replay::Isolated => reach,
        Reach::Role(name) if words[0] == "CREATE" => Reach::Role(name),
        _ => Reach::Within,
    };
    match reach {
        Reach::Within => Ok(Verdict::Run),
        Reach::Beyond => Ok(Verdict::PassOver(format!(
            "`{shown}` is about what lies beyond the database, and is passed over here."
        ))),
        Reach::Role(name) => {
            let params = vec![Value::Text(name.clone())];
            match host.query(isolation.role, params).await?.is_empty() {
                false => Ok(Verdict::PassOver(format!(
                    "The role {name} exists, and `{shown}` is passed over here."
                ))),
                true if replay != Replay::Isolated => Ok(Verdict::Run),
                true => Err(beyond(&format!("the role {name}")).with_hint(format!(
                    "Create the role {name} on this server. {ELSEWHERE}"
                ))),
            }
        }
        Reach::Refused => Err(beyond(ELSE)),
    }
}

/// Runs a statement of a replay: by itself where it has to be, and else in one message with the
/// check, so that both are one transaction. A statement that reached beyond the database has not
/// taken effect then.
pub(crate) async fn run(host: &dyn Host, isolation: &Isolation, sql: &str) -> Result<()> {
    match host.run(&checked(isolation, sql)).await {
        Err(error) if is_alone(&error, host.state()) => {
            host.run(sql).await?;
            check(host, isolation).await
        }
        result => result.map_err(|error| told(isolation, error)),
    }
}

/// Looks whether the transaction has reached beyond the database.
pub(crate) async fn check(host: &dyn Host, isolation: &Isolation) -> Result<()> {
    let checked = host.run(isolation.check).await;
    checked.map_err(|error| told(isolation, error))
}

/// Runs a statement of a file of SQL in a scratch database. One that changes anything beyond that
/// does not take effect.
///
/// # Errors
/// That of the statement; [`Class::Config`] where it reaches beyond the database.
///
/// # Cancel safety
/// As for [`Executor::batch`](underpin_core::Executor::batch).
pub async fn run_isolated(session: &impl OpenConnection, sql: &str) -> Result<()> {
    let Some(isolation) = &MigrationDialect::of(session.engine())?.isolation else {
        return session.batch(sql).await;
    };
    if (isolation.reach)(&words(sql, Some(session.engine()))) == Reach::Refused {
        return Err(beyond(ELSE));
    }
    match session.batch(&checked(isolation, sql)).await {
        Err(error) if is_alone(&error, session.state()) => {
            session.batch(sql).await?;
            let checked = session.batch(isolation.check).await;
            checked.map_err(|error| told(isolation, error))
        }
        result => result.map_err(|error| told(isolation, error)),
    }
}

/// A comment at the end of the statement does not swallow the check.
fn checked(isolation: &Isolation, sql: &str) -> String {
    format!("{sql}\n;{}", isolation.check)
}

/// Whether the statement has to run outside a transaction, and can: none is open.
fn is_alone(error: &Error, state: SessionState) -> bool {
    let alone = error.sqlstate().is_some_and(|state| ALONE.contains(&state));
    alone && matches!(state, SessionState::Clean | SessionState::Changed)
}

/// The error of the check in the words of a refusal.
fn told(isolation: &Isolation, error: Error) -> Error {
    match error.sqlstate() == Some(isolation.refusal) {
        true => {
            let reason = error.reason();
            let named = reason
                .split_once('{')
                .and_then(|(_, rest)| rest.rsplit_once('}'));
            beyond(named.map_or(reason, |(named, _)| named)).with_source(error)
        }
        false => error,
    }
}

fn beyond(what: &str) -> Error {
    let what = what.trim_end_matches('.');
    let message = format!("It would reach beyond the database: {what}.");
    Error::new(Class::Config, message)
        .with_effect(Effect::RolledBack)
        .with_hint(ELSEWHERE)
}
