use std::time::Duration;

use underpin_core::HealthCheck;
use underpin_core::retry::RetryPolicy;

use crate::options::PoolOptions;
use crate::options::Shedding;

/// The part of the options that decisions depend on.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) retry: RetryPolicy,
    pub(crate) idle_timeout: Duration,
    pub(crate) max_lifetime: Duration,
    pub(crate) replace_before: Duration,
    pub(crate) health_check: HealthCheck,
    /// Number of nanoseconds without a sign of life after which a connection is tested before it is
    /// leased; `None`: never.
    pub(crate) check_after: Option<u64>,
    pub(crate) check_interval: Duration,
    pub(crate) max_connecting: usize,
    pub(crate) leak_threshold: Option<Duration>,
    pub(crate) max_waiting: Option<usize>,
    pub(crate) shedding: Option<Shedding>,
}

impl Policy {
    pub(crate) fn of(options: &PoolOptions) -> Self {
        Policy {
            retry: options.retry,
            idle_timeout: options.idle_timeout,
            max_lifetime: options.max_lifetime,
            replace_before: options.connection_timeout.min(options.max_lifetime / 10),
            health_check: options.health_check,
            check_after: match options.health_check {
                HealthCheck::Always => Some(0),
                HealthCheck::Never => None,
                HealthCheck::AfterIdle(limit) => {
                    let nanos = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
                    Some(nanos.saturating_add(1))
                }
            },
            check_interval: options.health_check_interval,
            max_connecting: options.max_connecting as usize,
            leak_threshold: options.leak_threshold,
            max_waiting: options.max_waiting.map(|most| most as usize),
            shedding: options.shedding,
        }
    }
}
