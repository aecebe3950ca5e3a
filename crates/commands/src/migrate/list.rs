use underpin::migrate::{Entry, Mark, Revision};
use underpin::{Result, Value};

use super::listing::{ids, names, print, text};
use super::revisions::Revisions;
use crate::exit::Exit;
use crate::options::GlobalOptions;

/// Prints what the database is at: revisions that are applied, and nothing on them.
pub(super) async fn current(options: &GlobalOptions, revisions: Revisions<'_>) -> Result<Exit> {
    let outline = revisions.migrator(options)?.outline().await?;
    let current = outline.iter().filter(|entry| entry.current);
    let rows = current.map(|entry| {
        let head = if entry.head { "head" } else { "" };
        let branch = names(&entry.branch_labels);
        vec![text(&entry.id), text(&entry.message), text(head), branch]
    });
    print(options, &["id", "message", "head", "branch"], rows)?;
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
        "depends_on",
        "branch",
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
    row.push(ids(&entry.depends_on));
    row.push(names(&entry.branch_labels));
    row
}

pub(super) fn state(entry: &Entry) -> &'static str {
    match (entry.mark, entry.changed) {
        (Mark::Applied, false) => "applied",
        (Mark::Applied, true) => "applied, changed since",
        (Mark::Pending, _) => "pending",
        (Mark::Partial, _) => "stopped halfway",
        (Mark::Unknown, _) => "applied, no file",
    }
}

/// Prints what `up` would apply.
pub(super) async fn pending(options: &GlobalOptions, revisions: Revisions<'_>) -> Result<Exit> {
    let pending = revisions.migrator(options)?.pending().await?;
    let rows = pending.iter().map(file);
    print(options, &["id", "parents", "message", "file"], rows)?;
    Ok(Exit::Success)
}

/// Prints the heads and their branches; asks no database.
pub(super) fn heads(options: &GlobalOptions, revisions: Revisions<'_>) -> Result<Exit> {
    let graph = revisions.graph()?;
    let rows = graph.heads().into_iter().map(|head| {
        let mut row = file(head);
        row.push(names(graph.branch_labels(&head.id)));
        row
    });
    print(
        options,
        &["id", "parents", "message", "file", "branch"],
        rows,
    )?;
    Ok(Exit::Success)
}

fn file(revision: &Revision) -> Vec<Value> {
    vec![
        text(&revision.id),
        ids(&revision.parents),
        text(&revision.message),
        text(&revision.origin),
    ]
}

/// Prints the branches, each by its first revision; asks no database.
pub(super) fn branches(options: &GlobalOptions, revisions: Revisions<'_>) -> Result<Exit> {
    let graph = revisions.graph()?;
    let rows = graph.branches().into_iter().map(|branch| {
        let message = graph.get(&branch.first).map_or("", |r| &r.message);
        vec![
            names(&branch.labels),
            match branch.from.is_empty() {
                true => text("base"),
                false => ids(&branch.from),
            },
            text(&branch.first),
            text(message),
            ids(&branch.heads),
        ]
    });
    let columns = ["branch", "from", "first", "message", "heads"];
    print(options, &columns, rows)?;
    Ok(Exit::Success)
}
