use underpin::migrate::{Entry, Mark, Revision};
use underpin::{Result, Value};

use super::listing::{ids, print, text};
use super::revisions::Revisions;
use crate::exit::Exit;
use crate::options::GlobalOptions;

/// Prints what the database is at: revisions that are applied, and nothing on them.
pub(super) async fn current(options: &GlobalOptions, revisions: Revisions<'_>) -> Result<Exit> {
    let outline = revisions.migrator(options)?.outline().await?;
    let current = outline.iter().filter(|entry| entry.current);
    let rows = current.map(|entry| {
        let head = if entry.head { "head" } else { "" };
        vec![text(&entry.id), text(&entry.message), text(head)]
    });
    print(options, &["id", "message", "head"], rows)?;
    Ok(Exit::Success)
}

/// Prints all revisions, in the order of the graph.
pub(super) async fn history(options: &GlobalOptions, revisions: Revisions<'_>) -> Result<Exit> {
    let outline = revisions.migrator(options)?.outline().await?;
    let columns = [
        "id",
        "parents",
        "message",
        "state",
        "applied_at",
        "duration_ms",
        "version",
    ];
    print(options, &columns, outline.iter().map(row))?;
    Ok(Exit::Success)
}

fn row(entry: &Entry) -> Vec<Value> {
    let mut row = vec![
        text(&entry.id),
        ids(&entry.parents),
        text(&entry.message),
        text(state(entry)),
    ];
    match &entry.applied {
        Some(applied) => row.extend([
            text(applied.applied_at),
            Value::I64(i64::try_from(applied.duration.as_millis()).unwrap_or(i64::MAX)),
            text(&applied.version),
        ]),
        None => row.extend([Value::Null, Value::Null, Value::Null]),
    }
    row
}

pub(super) fn state(entry: &Entry) -> &'static str {
    match (entry.mark, entry.changed) {
        (Mark::Applied, false) => "applied",
        (Mark::Applied, true) => "applied, changed since",
        (Mark::Pending, _) => "pending",
        (Mark::Partial, _) => "stopped half-way",
        (Mark::Unknown, _) => "applied, no file",
    }
}

/// Prints what `up` would apply.
pub(super) async fn pending(options: &GlobalOptions, revisions: Revisions<'_>) -> Result<Exit> {
    files(options, revisions.migrator(options)?.pending().await?)
}

/// Prints the heads; asks no database.
pub(super) fn heads(options: &GlobalOptions, revisions: Revisions<'_>) -> Result<Exit> {
    let graph = revisions.graph()?;
    files(options, graph.heads().into_iter().cloned())
}

fn files(options: &GlobalOptions, revisions: impl IntoIterator<Item = Revision>) -> Result<Exit> {
    let rows = revisions.into_iter().map(|revision| {
        vec![
            text(&revision.id),
            ids(&revision.parents),
            text(&revision.message),
            text(&revision.origin),
        ]
    });
    print(options, &["id", "parents", "message", "file"], rows)?;
    Ok(Exit::Success)
}
