//! The fast path: leasing an idle connection and returning it without the pool's lock.

pub(crate) mod cache;
pub(crate) mod connection;
pub(crate) mod epoch;
pub(crate) mod mailbox;
pub(crate) mod outcome;
pub(crate) mod record;
pub(crate) mod sync;
pub(crate) mod table;
