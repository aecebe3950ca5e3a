//! The PostgreSQL driver of Underpin: a client of PostgreSQL's protocol under the traits of
//! [`underpin_core::driver`].
//!
//! The wire client is Underpin's own, so that it knows how far each request was written, what was
//! answered, and what the server reports about the transaction. Every error says whether the
//! statement may have taken effect, and every connection knows its own state without asking.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod bulk_insert;
mod call;
mod calls;
mod cancel;
mod catalog;
mod classify;
mod client;
mod column;
mod connection;
mod connector;
mod copy;
mod copy_in;
mod copy_place;
mod copy_row;
mod credentials;
mod decode;
mod describe;
mod dial;
mod encode;
mod encode_array;
#[cfg(feature = "tls")]
mod end_point_hash;
mod execute;
mod kind;
mod lane;
mod leaves;
mod made_text;
mod message_limit;
mod notices;
mod observe;
mod options;
mod outcome;
mod param;
#[cfg(feature = "patroni")]
mod patroni;
mod pipeline;
mod portal;
mod prepare;
mod query;
mod range;
mod reset;
mod resolve;
mod row;
mod search_path;
mod session;
mod socket;
mod specimen;
mod sql;
mod statement_limit;
mod statements;
mod stream;
mod tcp;
mod texts;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "tls_disabled.rs"]
mod tls;
mod transaction;
mod trust;
mod unnamed;
mod verdicts;
#[cfg(feature = "tls")]
mod verify;
mod watchdog;
mod wire;

pub use client::{
    CancelToken, Client, ClientRow, ColumnIndex, CopyInWriter, Parameter, Query, SimpleMessage,
    SimpleRow, Statement,
};
pub use connection::Connection;
pub use connector::Connector;
pub use copy::CopyOut;
pub use credentials::{Credentials, ProvideCredentials, ProvidingCredentials};
pub use dial::{Dial, Dialing, Stream};
pub use lane::shares;
pub use notices::{Notice, Notification};
pub use options::Options;
#[cfg(feature = "patroni")]
pub use patroni::Patroni;
pub use pipeline::{Answered, Pipeline};
pub use portal::Portal;
pub use postgres_types as types;
pub use resolve::resolve;
pub use row::Row;
pub use sql::changes_session;
pub use tcp::TcpOptions;
use underpin_core::driver::Capabilities;
pub use wire::server_error::ServerError;

/// Capabilities of PostgreSQL.
pub const CAPABILITIES: Capabilities = Capabilities {
    pipelining: true,
    transactions: true,
    notifications: true,
    roles_change: true,
    positions: true,
};
