//! The SQLite driver of Underpin: [rusqlite] under the traits of
//! [`underpin_core::driver`].
//!
//! SQLite's calls block, so each [`Connection`] has a thread of its own that makes them.
//! Callers hand it jobs and wait for the answers; rows are decoded on that thread,
//! straight from SQLite's memory. A statement whose caller went away, or whose deadline
//! passed, is interrupted, so that the thread comes free.
//!
//! A database file has one writer and many readers at a time. A connection is opened as
//! one or the other ([`Access`]), and a reader cannot write whatever it is sent.
//!
//! | what is stored | in SQLite |
//! |---|---|
//! | booleans, integers | INTEGER |
//! | floats | REAL; NaN is refused, since SQLite would keep NULL |
//! | text, decimal numbers, dates, times, intervals, UUIDs, JSON | TEXT, in the form that `Display` gives |
//! | moments (`TimestampTz`) | TEXT, in UTC, so that the order of text is the order of time |
//! | arrays | TEXT, as JSON |
//! | bytes | BLOB |
//!
//! SQLite converts text that looks like a number where a column's declared type has
//! numeric affinity: a decimal number keeps all its digits in a column declared `TEXT`,
//! not in one declared `NUMERIC` or `DECIMAL`, and the JSON document `1` stays JSON in
//! a `TEXT` column, not in a `JSON` one.
//!
//! Without the feature `bundled` the system's SQLite is linked, 3.44 or later.

mod bulk_insert;
mod classify;
mod client;
mod connection;
mod connector;
mod constraint_name;
mod describe;
mod effect;
mod execute;
mod fault;
mod message;
mod only_reads;
mod open;
mod options;
mod param;
mod pending;
mod pooled;
mod query;
mod row;
mod session;
mod shared;
mod statements;
mod stream;
mod transaction;
mod worker;

pub use connection::Connection;
pub use connector::Connector;
pub use options::{Access, Options};
pub use rusqlite;
use underpin_core::driver::Capabilities;

/// What SQLite can do.
pub const CAPABILITIES: Capabilities = Capabilities {
    pipelining: false,
    transactions: true,
    // A file that is read-only stays so.
    roles_change: false,
};
