//! Poolers in transaction mode: they give each statement of a connection to whatever session of the
//! server is free, so that a lock of a session excludes nobody.

use std::time::Duration;

use futures_util::future::{Either, select};
use underpin_core::{Class, Effect, Error, Result};

use crate::dialect::SessionLock;
use crate::host::{Host, Wait};

/// How often two connections are asked for their sessions. While others use the pooler too, one of
/// them soon has another session than before.
const ROUNDS: usize = 20;

/// How long a pooler in session mode, which has no session left, is waited for.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Refuses a connection whose statements meet several sessions of the server.
///
/// A server announces the process of a session; one that announces another has a pooler before it.
/// Two connections that have one session between them, or a connection that has two, prove that
/// sessions are shared. A pooler in session mode never does either.
pub(crate) async fn refuse_shared_sessions(host: &dyn Host, lock: &SessionLock) -> Result<()> {
    let Some(announced) = host.announced_process() else {
        return Ok(());
    };
    let (process, own) = session(host, lock).await?;
    if process == i64::from(announced) {
        return Ok(());
    }
    let Some(other) = host.another().await else {
        return Ok(());
    };
    for _ in 0..ROUNDS {
        let wait = Wait::new(PATIENCE, "a session of the server");
        let asked = select(
            Box::pin(session(&*other, lock)),
            Box::pin(host.sleep(&wait)),
        );
        let theirs = match asked.await {
            Either::Left((Ok((_, theirs)), _)) => theirs,
            // None is left, which a pooler that shares them does not run out of.
            Either::Left((Err(_), _)) | Either::Right(_) => return Ok(()),
        };
        let (_, now) = session(host, lock).await?;
        if theirs == own || now != own {
            return Err(shared());
        }
    }
    Ok(())
}

/// The process of the session, and a text that tells it from all others.
pub(crate) async fn session(host: &dyn Host, lock: &SessionLock) -> Result<(i64, String)> {
    let rows = host.query(lock.session, Vec::new()).await?;
    match rows.first() {
        Some(row) => Ok((row.get("process")?, row.get("session")?)),
        None => Err(Error::new(
            Class::Data,
            "The server does not say which session this is.",
        )),
    }
}

/// The refusal.
pub(crate) fn shared() -> Error {
    Error::new(
        Class::Config,
        "A pooler in transaction mode is between this program and the server: statements of one \
         connection run in several sessions, and the lock of a run would keep nobody out.",
    )
    .with_effect(Effect::NotSent)
    .with_hint(
        "Let migrations connect to the server itself, or to a pooler in session mode: set \
         migrate_url, or MIGRATE_DATABASE_URL, to that URL.",
    )
}
