//! Schemas as plain values: reading one from a database or from SQL, deriving one from models and
//! revisions, and scratch databases for trying one.

use std::path::Path;

use underpin_core::Result;

use crate::model::Models;
use crate::{Config, Database};

pub use underpin_schema::*;
pub use underpin_sources::{
    SchemaStatus, Source, Target, dump, introspect, of_revisions, plan, settle, status,
};

/// A temporary empty database; see [`underpin_sources::Scratch`].
pub type Scratch = underpin_sources::Scratch<Database>;

/// The context for reading sources of schemas; see [`underpin_sources::Sources`].
pub type Sources = underpin_sources::Sources<Database>;

/// The schema that models require of a database which has the schema `now`; see
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

/// The schema that SQL describes: a file, or a directory with all `.sql` files in it and its
/// subdirectories; see [`underpin_sources::of_sql`].
///
/// # Errors
/// As for [`underpin_sources::of_sql`].
///
/// # Cancel safety
/// If the future is dropped, the scratch database is dropped in the background.
pub async fn of_sql(
    path: impl AsRef<Path>,
    config: &Config,
    selection: &Selection,
) -> Result<Target> {
    underpin_sources::of_sql::<Database>(path, config, selection).await
}
