use std::time::Duration;

/// When a connection of a pool is asked for a sign of life (one round trip) before it is
/// handed out. Whatever is chosen here, its socket is looked at each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HealthCheck {
    /// Each time, unless the connection was opened for its caller.
    Always,
    /// Never.
    Never,
    /// When it was last used or checked longer ago than this. The default, with 500 ms.
    AfterIdle(Duration),
}

impl Default for HealthCheck {
    fn default() -> Self {
        HealthCheck::AfterIdle(Duration::from_millis(500))
    }
}

impl HealthCheck {
    /// Whether a connection last known to be well `ago` has to be asked.
    pub fn is_due(self, ago: Duration) -> bool {
        match self {
            HealthCheck::Always => true,
            HealthCheck::Never => false,
            HealthCheck::AfterIdle(limit) => ago > limit,
        }
    }
}
