//! Schemas as plain values, how one is read from a database or from SQL, what models and
//! revisions make of one, and scratch databases in which one is tried.

mod dialect;
mod introspect;
mod models;
mod revisions;
mod scratch;
mod selected;
mod source;
mod sources;
mod sql;
mod standing;
mod target;

pub use dialect::{dump, plan};
pub use introspect::introspect;
pub use models::of_models;
pub use revisions::of_revisions;
pub(crate) use revisions::selection;
pub use scratch::Scratch;
pub use source::Source;
pub use sources::Sources;
pub use sql::of_sql;
pub use standing::{Standing, standing};
pub use target::Target;
pub use underpin_schema::*;
