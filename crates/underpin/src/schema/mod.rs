//! Schemas as plain values, how one is read from a database, and scratch databases in which one
//! is tried.

mod introspect;
mod scratch;

pub use introspect::introspect;
pub use scratch::Scratch;
pub use underpin_schema::*;
