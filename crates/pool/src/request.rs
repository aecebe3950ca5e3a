use std::panic::Location;

use crate::state::Ticket;
use crate::timestamp::Timestamp;

/// What a caller wants of the pool, and until when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    /// The place in the order of arrival, once there is one.
    pub(crate) ticket: Option<Ticket>,
    pub(crate) caller: &'static Location<'static>,
    pub(crate) since: Timestamp,
    pub(crate) expires: Timestamp,
    /// How many more attempts to connect it waits for after the first has failed.
    pub(crate) retries: u32,
    /// Whether a seat in a lane would do as well.
    pub(crate) shares: bool,
}
