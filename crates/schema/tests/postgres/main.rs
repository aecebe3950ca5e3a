//! What is read of a real PostgreSQL is all that is there.

#[path = "../generate/mod.rs"]
mod generate;
mod generated;
mod odd;
mod round_trip;
mod selection;
mod unsupported;
