/// A point of the PostgreSQL protocol at which a [`Proxy`](super::Proxy) cuts a connection.
///
/// A statement is found by a text that it contains: in a simple query (so `COMMIT` works), in the
/// text of a prepared statement when it is executed, or in its parameters. Preparing alone is
/// never cut. The text is compared byte for byte, so let each test use a marker of its own, such
/// as a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CutPoint {
    /// When the statement has arrived at the proxy, and nothing of it has gone on to the server.
    BeforeStatementForwarded {
        /// The text by which the statement is found.
        contains: String,
    },
    /// When the client has sent the first bytes of a message that is longer than this. The
    /// server gets nothing of it. The message must exceed what the socket buffers hold, some
    /// megabytes, for the client to be still sending.
    WhileStatementArrives {
        /// How many bytes of the message are read before the cut.
        after_bytes: usize,
    },
    /// When the server has run the statement and answered it, and nothing of the answer has gone
    /// on to the client.
    BeforeAnswer {
        /// The text by which the statement is found.
        contains: String,
    },
    /// When the first bytes of the answer have gone on to the client. A shorter answer arrives
    /// whole.
    WhileAnswerArrives {
        /// The text by which the statement is found.
        contains: String,
        /// How many bytes of the answer the client gets.
        after_bytes: usize,
    },
    /// When the client has got the whole answer. The connection is closed in good order, so that
    /// nothing of the answer is lost.
    AfterAnswer {
        /// The text by which the statement is found.
        contains: String,
    },
}

impl CutPoint {
    /// [`CutPoint::BeforeStatementForwarded`], for a statement with this text.
    pub fn before_statement_forwarded(contains: impl Into<String>) -> Self {
        CutPoint::BeforeStatementForwarded {
            contains: contains.into(),
        }
    }

    /// [`CutPoint::WhileStatementArrives`], after this many bytes.
    pub fn while_statement_arrives(after_bytes: usize) -> Self {
        CutPoint::WhileStatementArrives { after_bytes }
    }

    /// [`CutPoint::BeforeAnswer`], for a statement with this text.
    pub fn before_answer(contains: impl Into<String>) -> Self {
        CutPoint::BeforeAnswer {
            contains: contains.into(),
        }
    }

    /// [`CutPoint::WhileAnswerArrives`], for a statement with this text, after this many bytes
    /// of its answer.
    pub fn while_answer_arrives(contains: impl Into<String>, after_bytes: usize) -> Self {
        CutPoint::WhileAnswerArrives {
            contains: contains.into(),
            after_bytes,
        }
    }

    /// [`CutPoint::AfterAnswer`], for a statement with this text.
    pub fn after_answer(contains: impl Into<String>) -> Self {
        CutPoint::AfterAnswer {
            contains: contains.into(),
        }
    }

    /// The text by which the statement is found, where there is one.
    pub(super) fn marker(&self) -> Option<&[u8]> {
        match self {
            CutPoint::WhileStatementArrives { .. } => None,
            CutPoint::BeforeStatementForwarded { contains }
            | CutPoint::BeforeAnswer { contains }
            | CutPoint::WhileAnswerArrives { contains, .. }
            | CutPoint::AfterAnswer { contains } => Some(contains.as_bytes()),
        }
    }
}
