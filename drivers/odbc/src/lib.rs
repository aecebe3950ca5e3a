//! The ODBC driver of Underpin: any database that has an ODBC driver on this machine, through the
//! driver manager of the system (unixODBC, or that of Windows). It reads and writes as far as the
//! installed driver can.
//!
//! Statements are in the database's own SQL, with `?` for parameters. Each [`Connection`] has a thread
//! of its own, since ODBC's calls block. A statement is given its deadline as the driver's query
//! timeout, in whole seconds; whether it is kept is up to the driver. A statement whose caller went
//! away runs to its end, and the connection is busy until then.
//!
//! | ODBC | value |
//! |---|---|
//! | BIT, TINYINT to BIGINT | a truth value, integers |
//! | REAL, FLOAT, DOUBLE | floats |
//! | NUMERIC, DECIMAL | decimal numbers with all digits |
//! | DATE, TIME, TIMESTAMP | the same |
//! | BINARY types | bytes |
//! | GUID | UUIDs |
//! | all others | text |
//!
//! Without the feature `manager` this crate is empty.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg(feature = "manager")]

mod classify;
mod connection;
mod connector;
mod options;
mod param;
mod read;
mod session;
mod worker;

pub use connection::Connection;
pub use connector::Connector;
pub use odbc_api;
pub use options::Options;
use underpin_core::driver::Capabilities;

/// What every ODBC driver is taken to be able to do.
pub const CAPABILITIES: Capabilities = Capabilities {
    pipelining: false,
    transactions: true,
    notifications: false,
    roles_change: false,
    positions: false,
};
