use crate::histogram::Histogram;

/// What has happened since the pool was opened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals {
    /// How long the attempts to connect took that succeeded.
    pub(crate) create: Histogram,
    pub(crate) opened: u64,
    pub(crate) closed: u64,
    pub(crate) connection_errors: u64,
    pub(crate) timeouts: u64,
    pub(crate) retries: u64,
    pub(crate) rescued: u64,
    /// Callers who found the queue full.
    pub(crate) turned_away: u64,
    /// Waits that were ended to shed load.
    pub(crate) shed: u64,
    /// Leases held past the threshold.
    pub(crate) leaks: u64,
}
