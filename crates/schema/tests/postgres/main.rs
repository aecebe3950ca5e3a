//! What is read of a real PostgreSQL is all that is there, and a plan leads to another.

mod beside;
mod carry_out;
mod cases;
#[path = "../compare/mod.rs"]
mod compare;
mod events;
#[path = "../generate/mod.rs"]
mod generate;
mod generated;
mod kinds;
mod later;
mod listed;
mod odd;
mod pairs;
mod queries;
mod round_trip;
mod rows;
mod selection;
mod unsupported;
