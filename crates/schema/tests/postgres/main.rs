//! What is read of a real PostgreSQL is all that is there.

mod odd;
mod round_trip;
