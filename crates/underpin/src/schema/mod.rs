//! Schemas as plain values, how one is read from a database, what models and revisions make of
//! one, and scratch databases in which one is tried.

mod introspect;
mod models;
mod revisions;
mod scratch;

pub use introspect::introspect;
pub use models::of_models;
pub use revisions::of_revisions;
pub(crate) use revisions::selection;
pub use scratch::Scratch;
pub use underpin_schema::*;
