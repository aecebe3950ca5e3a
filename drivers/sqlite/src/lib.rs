//! The SQLite driver of Underpin: [rusqlite] under the traits of
//! [`underpin_core::driver`].
//!
//! SQLite's calls block, so each [`Connection`] makes them on a thread of its own. Callers send
//! jobs to it and wait for the answers; rows are decoded on that thread, directly from SQLite's
//! memory. A statement whose caller went away, or whose deadline passed, is interrupted, so that
//! the thread becomes free.
//!
//! A database file has one writer and many readers at a time. A connection is opened as one or the
//! other ([`Access`]), and a reader cannot write, whatever statement it gets.
//!
//! | what is stored | in SQLite |
//! |---|---|
//! | booleans, integers | INTEGER |
//! | floats | REAL; NaN is refused, since SQLite would keep NULL |
//! | decimal numbers | REAL or INTEGER, or refused where neither is that number; in a column of text all their digits |
//! | timestamps with and without zone | TEXT, `2026-01-31 12:34:56.789` in UTC; in a column declared as INTEGER Unix seconds |
//! | dates, times of day | TEXT, `2026-01-31`, `12:34:56.789` |
//! | UUIDs | TEXT; in a column declared as BLOB or BINARY 16 bytes |
//! | text, intervals, JSON | TEXT |
//! | arrays | TEXT, as JSON |
//! | bytes | BLOB |
//!
//! A time has no, three or six digits of a second. Its text therefore sorts by time, SQLite's
//! functions accept it, and the same instant has one text, which is also that of
//! `CURRENT_TIMESTAMP` and, except for `.000`, of `strftime('%Y-%m-%d %H:%M:%f')`. Years are 1 to
//! 9999; others are refused. [`Options::uuids`] and [`Options::times`] choose the forms for a file
//! that another client fills, if the declared type of a column does not. Every form is read: 16
//! bytes and all texts of a UUID; a time in any zone, with more than six digits (rounded to the
//! microsecond), a date alone (its midnight) and Unix seconds.
//!
//! A parameter is written for the column directly beside it: `column = $1`, `column IN ($1)`, `SET
//! column = $1`, a value of an INSERT. In every other place, a decimal number is a number.
//!
//! SQLite converts text that looks like a number if a column's declared type has numeric affinity:
//! the JSON document `1` stays JSON in a `TEXT` column, but not in a `JSON` one. For a decimal
//! number in a column declared `NUMERIC` or `DECIMAL`, it stores the number without its trailing
//! zeros. It divides two integers as integers, so that in such a column `5.00 / 2` is 2; write
//! `price / 2.0`.
//!
//! Without the feature `bundled`, the system's SQLite is linked, version 3.44 or later.

#![cfg_attr(docsrs, feature(doc_cfg))]

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
mod filled;
mod form;
mod in_use;
mod message;
mod only_reads;
mod open;
mod options;
mod param;
mod pending;
mod place;
mod plan;
mod pooled;
mod pragmas;
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
pub use filled::Stop;
pub use options::{Access, Options};
pub use rusqlite;
use underpin_core::driver::Capabilities;
pub use underpin_core::{TimeForm, UuidForm};

/// Capabilities of SQLite.
pub const CAPABILITIES: Capabilities = Capabilities {
    pipelining: false,
    transactions: true,
    // A read-only file stays read-only.
    notifications: false,
    roles_change: false,
    positions: false,
};
