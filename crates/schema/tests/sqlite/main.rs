//! What is read of a real SQLite is all that is there.

mod comments;
mod odd;
mod pragmas;
mod round_trip;
mod selection;
mod unsupported;
