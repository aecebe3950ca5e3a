use std::fmt;

/// Behavior when two servers write the same timeline, so that writes to either may be lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum TwoPrimaries {
    /// Neither gets writes until one of them withdraws.
    #[default]
    Refuse,
    /// The one in use is kept; if there is none yet, neither gets writes.
    Keep,
}

impl TwoPrimaries {
    /// Both choices.
    pub const ALL: [TwoPrimaries; 2] = [TwoPrimaries::Refuse, TwoPrimaries::Keep];

    /// Its name in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            TwoPrimaries::Refuse => "refuse",
            TwoPrimaries::Keep => "keep",
        }
    }
}

impl fmt::Display for TwoPrimaries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
