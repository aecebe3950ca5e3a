//! The lock that keeps two copies into one target apart.

use std::path::PathBuf;
use std::time::Duration;

use underpin_core::{Class, Effect, Error, Result, Value};

use crate::client::{Client, Endpoint, FileLock};
use crate::dialect::{TargetLock, TargetRules};
use crate::progress::Progress;

/// How often the lock is asked for, and how long another run is waited for: a server may need a
/// while to notice that a run was killed.
const PAUSE: Duration = Duration::from_millis(100);
const TRIES: u32 = 50;

/// The lock of a target, held.
pub(crate) enum Lock {
    /// It belongs to the session of the writer, and ends with it.
    Session,
    /// It is freed when dropped, and by the operating system when the process ends.
    File(#[expect(dead_code, reason = "held for its drop")] FileLock),
    /// No other process sees the target.
    Memory,
}

/// Takes the lock of the target, through the first connection that writes.
///
/// # Errors
/// [`Class::Busy`] where another copy holds it, with what is known of that.
pub(crate) async fn acquire(
    target: &dyn Endpoint,
    writer: &Client,
    rules: &TargetRules,
    progress: &dyn Progress,
) -> Result<Lock> {
    let mut holder = None;
    for tried in 0..TRIES {
        if tried > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        let taken = match rules.lock {
            TargetLock::Session { take, keep, .. } => {
                let taken = writer.number(take).await? == Some(1);
                if taken {
                    writer.batch(keep).await?;
                }
                taken.then_some(Lock::Session)
            }
            TargetLock::File { suffix } => match path(writer, rules, suffix).await? {
                Some(path) => target.lock_file(&path)?.map(Lock::File),
                None => Some(Lock::Memory),
            },
        };
        if let Some(lock) = taken {
            return Ok(lock);
        }
        if holder.is_none() {
            let found = found(writer, rules).await?;
            progress.waiting(&found);
            holder = Some(found);
        }
    }
    let holder = holder.unwrap_or_default();
    let message = format!("Another copy into the target is at work{holder}; nothing was copied.");
    Err(Error::new(Class::Busy, message)
        .with_effect(Effect::NotSent)
        .with_hint("Wait until it has ended, or end its process, and run the command again."))
}

/// Joins the run that holds the lock with a further connection that writes, so that the lock is
/// held until the server has ended every one of them.
pub(crate) async fn join(writer: &Client, rules: &TargetRules) -> Result<()> {
    match rules.lock {
        TargetLock::Session { join, .. } => writer.batch(join).await,
        TargetLock::File { .. } => Ok(()),
    }
}

/// Who holds the lock, as the end of a clause; empty where that is not known.
async fn found(writer: &Client, rules: &TargetRules) -> Result<String> {
    let found = match rules.lock {
        TargetLock::Session { holder, .. } => match writer.value(holder).await? {
            Value::Text(holder) => Some(holder),
            _ => None,
        },
        TargetLock::File { suffix } => {
            let path = path(writer, rules, suffix).await?;
            let text = path.and_then(|path| std::fs::read_to_string(path).ok());
            text.and_then(|text| Some(format!("process {}", text.trim().parse::<u32>().ok()?)))
        }
    };
    Ok(found.map_or_else(String::new, |holder| format!(" ({holder})")))
}

/// The file beside the target's; none for a database in memory.
async fn path(writer: &Client, rules: &TargetRules, suffix: &str) -> Result<Option<PathBuf>> {
    Ok(match writer.value(rules.identity).await? {
        Value::Text(path) if !path.is_empty() => Some(PathBuf::from(path + suffix)),
        _ => None,
    })
}

/// Refuses to copy a database into itself.
///
/// # Errors
/// [`Class::Config`] where both connections are to the same database of an engine.
pub(crate) async fn require_two(
    reader: &Client,
    writer: &Client,
    rules: &TargetRules,
) -> Result<()> {
    let from = reader.value(rules.identity).await?;
    if from != writer.value(rules.identity).await? || from == Value::Text(String::new()) {
        return Ok(());
    }
    Err(Error::new(
        Class::Config,
        "The source and the target are the same database.",
    ))
}
