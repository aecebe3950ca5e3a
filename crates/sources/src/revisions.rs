//! What revisions make of a database.

use underpin_core::Result;
use underpin_migrate::{Migrator, OpenDatabase, Tool};
use underpin_schema::{Schema, Selection};

use crate::target::without_history;
use crate::{Scratch, introspect};

/// The schema that the revisions of a migrator make of an empty database: all of them are
/// applied to the scratch database, which is empty before, up to all heads, Rust code included.
/// The table of their history is not part of it.
///
/// # Errors
/// As for [`Migrator::up`] and [`introspect`].
///
/// # Cancel safety
/// Dropped half-way, some of the revisions may be applied to the scratch database.
pub async fn of_revisions<D: OpenDatabase>(
    migrator: &Migrator<D>,
    scratch: &Scratch<D>,
) -> Result<Schema> {
    let migrator = scratch.replay(migrator);
    if !migrator.graph()?.heads().is_empty() {
        let applied = migrator.up("heads").await;
        applied.map_err(|error| {
            error.with_context("The revisions cannot be applied to an empty database.")
        })?;
    }
    introspect(scratch.database(), &selection()).await
}

/// All but the history of the revisions, and what other tools keep theirs in.
pub(crate) fn selection() -> Selection {
    without_histories(&Selection::default())
}

/// The same selection, without the history of the revisions and those of other tools, unless they
/// are selected by their names.
pub(crate) fn without_histories(selection: &Selection) -> Selection {
    let mut selection = without_history(selection);
    let others = Tool::ALL.map(|tool| tool.table().to_owned());
    let others = others
        .into_iter()
        .filter(|table| !selection.tables.contains(table));
    let others: Vec<String> = others.collect();
    selection.exclude.extend(others);
    selection
}
