//! What revisions make of a database.

use underpin_core::Result;
use underpin_migrate::{Migrator, OpenDatabase};
use underpin_schema::{Schema, Selection};

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
    let migrator = migrator.on(scratch.database());
    if !migrator.graph()?.heads().is_empty() {
        let applied = migrator.up("heads").await;
        applied.map_err(|error| {
            error.with_context("The revisions cannot be applied to an empty database.")
        })?;
    }
    introspect(scratch.database(), &selection()).await
}

/// All but the history of the revisions.
pub(crate) fn selection() -> Selection {
    Selection {
        exclude: vec![underpin_migrate::HISTORY_TABLE.to_owned()],
        ..Selection::default()
    }
}
