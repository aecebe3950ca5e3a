use std::fmt;

/// The kind of server that a connection may use; the values of libpq's `target_session_attrs` that
/// one pool can support.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionTarget {
    /// Any server that answers.
    Any,
    /// A server that takes writes by default: not a replica, and not read-only by default.
    ReadWrite,
    /// A server that is not a replica, even if it is read-only by default.
    Primary,
}

impl SessionTarget {
    /// Every target.
    pub const ALL: [SessionTarget; 3] = [
        SessionTarget::Any,
        SessionTarget::ReadWrite,
        SessionTarget::Primary,
    ];

    /// Its name in libpq.
    pub fn name(self) -> &'static str {
        match self {
            SessionTarget::Any => "any",
            SessionTarget::ReadWrite => "read-write",
            SessionTarget::Primary => "primary",
        }
    }
}

impl fmt::Display for SessionTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
