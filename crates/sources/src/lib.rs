//! Where schemas come from: databases, models, revisions and SQL. What is described is made in
//! a [`Scratch`] database and read back, so that both sides of a diff are a server's own
//! rendering. Revisions are written from what differs, and tried before a file is written.
//!
//! Databases are known as [`OpenDatabase`](underpin_migrate::OpenDatabase) only.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod autogenerate;
mod dialect;
mod introspect;
mod models;
mod revisions;
mod scratch;
mod selected;
mod settled;
mod source;
mod sources;
mod sql;
mod status;
mod target;

pub use autogenerate::{Comparison, Wanted, Written, written};
pub use dialect::{dump, plan};
pub use introspect::introspect;
pub use models::of_models;
pub use revisions::of_revisions;
pub(crate) use revisions::{selection, without_histories};
pub use scratch::Scratch;
pub use settled::settle;
pub use source::Source;
pub use sources::Sources;
pub use sql::of_sql;
pub use status::{SchemaStatus, status};
pub use target::Target;
