//! What is read of a real SQLite is all that is there.

mod cases;
mod comments;
#[path = "../compare/mod.rs"]
mod compare;
mod generate;
mod generated;
mod migration;
mod odd;
mod partial;
mod plan;
mod pragmas;
mod round_trip;
mod selection;
mod unsupported;
