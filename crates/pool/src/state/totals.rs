use std::time::Duration;

/// What has happened since the pool was opened.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Totals {
    pub(crate) opened: u64,
    pub(crate) closed: u64,
    pub(crate) connection_errors: u64,
    pub(crate) acquired: u64,
    pub(crate) returned: u64,
    pub(crate) timeouts: u64,
    pub(crate) retries: u64,
    pub(crate) rescued: u64,
    pub(crate) wait: Duration,
    pub(crate) used: Duration,
}
