use std::fmt;

/// This machine cannot give what a test asked for, and why.
///
/// It is returned only for what a machine may rightly lack, such as an installed server or the
/// right to mount a file system. What should have worked and did not is a panic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unavailable {
    reason: String,
}

impl Unavailable {
    /// Says that something is not available. The reason is a full sentence.
    pub fn new(reason: impl Into<String>) -> Self {
        Unavailable {
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Unavailable {}
