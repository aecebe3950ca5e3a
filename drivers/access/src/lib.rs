//! The Access driver of Underpin: reads `.mdb` and `.accdb` files, of Access 97 to 2019, with and
//! without a password, on every platform and without a system library. It writes nothing.
//!
//! [jetdb] reads the file. Each connection has a SQLite database in memory with a virtual table for
//! each table of the file, so that SQL is SQLite's: joins, ORDER BY, aggregates and windows read the
//! rows where they are, one page at a time. Only the columns that a statement uses are read, and
//! simple conditions (`=`, `<`, `IS NULL` and the like, on one column) are checked before a row's
//! long values are.
//!
//! | Access | declared as | value |
//! |---|---|---|
//! | Yes/No | `BOOLEAN` | 0 or 1 |
//! | Byte, Integer, Long Integer, Large Number | `TINYINT`, `SMALLINT`, `INTEGER`, `BIGINT` | INTEGER |
//! | Single | `REAL` | REAL, the shortest number that is this Single: 0.1, not 0.10000000149 |
//! | Double | `DOUBLE PRECISION` | REAL |
//! | Currency, Decimal | `NUMERIC(19,4)`, `NUMERIC(p,s)` | INTEGER or REAL where that is exact, else TEXT with all digits |
//! | Date/Time, Date/Time Extended | `DATETIME` | TEXT, `2026-01-31 12:34:56`, with three or seven digits of a second where there are some |
//! | Short Text, Long Text, Hyperlink | `VARCHAR(n)`, `TEXT` | TEXT; a hyperlink as it is stored, `text#address#part` |
//! | Replication ID | `UUID` | TEXT, in small letters |
//! | Binary, OLE Object | `BLOB` | BLOB |
//! | multiple values, attachments | `JSON` | an array: of the values, or of objects with the name, type and content (Base64) of each file |
//! | calculated | as its result | the value that Access has stored |
//!
//! Columns that Access hides are not part of `*`, and can be named. Dates before 1899-12-30 count
//! their time of day forward, as Access shows them.
//!
//! A row or a value that cannot be read is an error that says how many there are and where
//! ([`Class::Corrupt`](underpin_core::Class::Corrupt)). With [`Options::lenient`] such rows are left
//! out and such values are NULL, and a warning says so. A linked table is named in the error of a
//! statement that uses it.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod catalog;
mod complex;
mod condition;
mod connection;
mod connector;
mod date;
mod error;
mod file;
mod lookup;
mod options;
mod page;
mod problems;
mod scan;
mod statement;
mod structure;
mod table;
mod value;
mod vtab;

pub use connection::Connection;
pub use connector::Connector;
pub use options::Options;
use underpin_core::driver::Capabilities;
pub use underpin_sqlite::rusqlite;

/// What Access files can do.
pub const CAPABILITIES: Capabilities = Capabilities {
    pipelining: false,
    // They read only.
    transactions: true,
    notifications: false,
    roles_change: false,
    positions: false,
};
