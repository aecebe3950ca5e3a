//! The PostgreSQL driver of Underpin: tokio-postgres under the traits of
//! [`underpin_core::driver`].
//!
//! What it adds is knowledge. A tap on the plain bytes, within the encryption,
//! counts what was written and reads what the server says of the transaction, so that
//! every error says whether the statement may have taken hold, and every connection
//! knows its own state without asking.

mod begin;
mod bulk_insert;
mod call;
mod calls;
mod cancel;
#[cfg(feature = "tls")]
mod channel_binding;
mod classify;
mod client_error;
mod column;
mod connection;
mod connector;
mod copy;
mod copy_place;
mod copy_row;
mod credentials;
mod decode;
mod describe;
mod dial;
mod effect;
mod encode;
mod encode_array;
mod execute;
mod frames;
mod join;
mod joined;
mod kind;
mod lane;
mod link;
mod made_text;
mod message_limit;
mod native_error;
mod notices;
mod opening;
mod options;
mod param;
mod prepare;
mod query;
mod range;
mod requests;
mod reset;
mod row;
mod session;
mod socket;
mod specimen;
mod sql;
mod statement_limit;
mod statements;
mod stream;
mod surplus;
mod tap;
mod task;
mod tcp;
mod texts;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "tls_disabled.rs"]
mod tls;
mod transaction;
mod unknown_types;
#[cfg(feature = "tls")]
mod verify;
mod watchdog;

pub use connection::Connection;
pub use connector::Connector;
pub use copy::CopyOut;
pub use credentials::{Credentials, ProvideCredentials, ProvidingCredentials};
pub use dial::{Dial, Dialing, Stream};
pub use lane::shares;
pub use native_error::NativeError;
pub use notices::{Notice, Notification};
pub use options::Options;
pub use row::Row;
pub use sql::changes_session;
pub use tcp::TcpOptions;
pub use tokio_postgres;
use underpin_core::driver::Capabilities;

/// What PostgreSQL can do.
pub const CAPABILITIES: Capabilities = Capabilities {
    pipelining: true,
    transactions: true,
    roles_change: true,
};
