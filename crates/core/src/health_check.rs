use std::time::Duration;

/// When the server is asked on a connection of a pool (one round trip) before the connection is
/// leased. The socket of the connection is checked each time, whatever is chosen here.
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
    /// Whether a connection last known to work `ago` must be checked.
    pub fn is_due(self, ago: Duration) -> bool {
        match self {
            HealthCheck::Always => true,
            HealthCheck::Never => false,
            HealthCheck::AfterIdle(limit) => ago > limit,
        }
    }
}
