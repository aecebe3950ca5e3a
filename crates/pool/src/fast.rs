//! The fast path: leasing an idle connection and giving it back without the pool's lock.

pub(crate) mod cache;
pub(crate) mod connection;
pub(crate) mod epoch;
pub(crate) mod record;
pub(crate) mod slot_table;
pub(crate) mod sync;
