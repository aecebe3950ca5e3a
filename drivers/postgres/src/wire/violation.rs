use std::fmt;

/// A message of the server that the protocol does not allow at that place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// This message arrived when another one was expected.
    Unexpected { tag: u8, expected: &'static str },
    /// The length of this message is impossible, or beyond the limit.
    Length { tag: u8, length: u32 },
    /// The body of this message does not follow the protocol.
    Malformed { tag: u8 },
    /// The session could not be cleaned.
    Unsettled,
}

impl Violation {
    #[cold]
    pub(crate) fn unexpected(tag: u8, expected: &'static str) -> Self {
        Violation(Kind::Unexpected { tag, expected })
    }

    #[cold]
    pub(crate) fn length(tag: u8, length: u32) -> Self {
        Violation(Kind::Length { tag, length })
    }

    #[cold]
    pub(crate) fn malformed(tag: u8) -> Self {
        Violation(Kind::Malformed { tag })
    }

    /// Not a violation of the protocol, but an equally good reason to stop: changes that an earlier
    /// holder may have made to the session could not be undone.
    #[cold]
    pub(crate) fn unsettled() -> Self {
        Violation(Kind::Unsettled)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Unexpected { tag, expected } => {
                write!(
                    f,
                    "the server sent {}, but {expected} was expected",
                    name(tag)
                )
            }
            Kind::Length { tag, length } => {
                write!(f, "the server announced {} of {length} bytes", name(tag))
            }
            Kind::Unsettled => {
                f.write_str("changes of an earlier holder to the session could not be undone")
            }
            Kind::Malformed { tag } => {
                write!(f, "the server sent a malformed {}", name(tag))
            }
        }
    }
}

impl std::error::Error for Violation {}

/// The name of a message of the server.
fn name(tag: u8) -> String {
    let name = match tag {
        b'R' => "Authentication",
        b'K' => "BackendKeyData",
        b'2' => "BindComplete",
        b'3' => "CloseComplete",
        b'C' => "CommandComplete",
        b'd' => "CopyData",
        b'c' => "CopyDone",
        b'G' => "CopyInResponse",
        b'H' => "CopyOutResponse",
        b'W' => "CopyBothResponse",
        b'D' => "DataRow",
        b'I' => "EmptyQueryResponse",
        b'E' => "ErrorResponse",
        b'V' => "FunctionCallResponse",
        b'v' => "NegotiateProtocolVersion",
        b'n' => "NoData",
        b'N' => "NoticeResponse",
        b'A' => "NotificationResponse",
        b't' => "ParameterDescription",
        b'S' => "ParameterStatus",
        b'1' => "ParseComplete",
        b's' => "PortalSuspended",
        b'Z' => "ReadyForQuery",
        b'T' => "RowDescription",
        tag => return format!("a message with the tag {tag:#04x}"),
    };
    name.to_owned()
}
