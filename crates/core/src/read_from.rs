use std::fmt;

/// The members that serve reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ReadFrom {
    /// All that answer, in turn.
    #[default]
    All,
    /// The replicas that answer, in turn.
    Replicas,
    /// The member with the fewest calls in progress.
    LeastBusy,
    /// The member whose answers to probes arrive first; members that are about equally near take
    /// turns.
    Nearest,
}

impl ReadFrom {
    /// Every choice.
    pub const ALL: [ReadFrom; 4] = [
        ReadFrom::All,
        ReadFrom::Replicas,
        ReadFrom::LeastBusy,
        ReadFrom::Nearest,
    ];

    /// Its name in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            ReadFrom::All => "all",
            ReadFrom::Replicas => "replicas",
            ReadFrom::LeastBusy => "least_busy",
            ReadFrom::Nearest => "nearest",
        }
    }
}

impl fmt::Display for ReadFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
