//! The SQL that SQLite has stored, read. It was accepted by SQLite, so that only what is told
//! apart here is looked at.

mod column;
mod constraint;
mod index;
mod placement;
mod table;
mod view;

pub(super) use constraint::{Constraint, Named};
pub(super) use index::index;
pub(super) use table::table;
pub(super) use view::{names_in, view};
