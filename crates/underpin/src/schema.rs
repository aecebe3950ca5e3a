//! Schemas as plain values, how one is read from a database or from SQL, what models and
//! revisions make of one, and scratch databases in which one is tried.

use std::path::Path;

use underpin_core::Result;

use crate::model::Models;
use crate::{Config, Database};

pub use underpin_schema::*;
pub use underpin_sources::{
    SchemaStatus, Source, Target, dump, introspect, of_revisions, plan, settle, status,
};

/// An empty database for a while; see [`underpin_sources::Scratch`].
pub type Scratch = underpin_sources::Scratch<Database>;

/// What sources of schemas are read with; see [`underpin_sources::Sources`].
pub type Sources = underpin_sources::Sources<Database>;

/// The schema that models want of a database which has the schema `now`; see
/// [`underpin_sources::of_models`].
///
/// # Errors
/// As for [`underpin_sources::of_models`].
///
/// # Cancel safety
/// As for [`Scratch::beside`].
pub async fn of_models(
    models: &Models,
    config: &Config,
    now: &Schema,
    hints: &Hints,
) -> Result<Schema> {
    underpin_sources::of_models::<Database>(models, config, now, hints).await
}

/// The schema that a file of SQL describes, or a directory with all `.sql` files in it and below
/// it; see [`underpin_sources::of_sql`].
///
/// # Errors
/// As for [`underpin_sources::of_sql`].
///
/// # Cancel safety
/// Dropped half-way, the scratch database is dropped in the background.
pub async fn of_sql(
    path: impl AsRef<Path>,
    config: &Config,
    selection: &Selection,
) -> Result<Target> {
    underpin_sources::of_sql::<Database>(path, config, selection).await
}
