use std::task::Waker;

use bytes::Bytes;

use super::server_error::ServerError;
use super::violation::Violation;

/// The steps of the answer to a request in the extended protocol, in order. A request has a bit for
/// each outstanding step.
pub(crate) mod steps {
    pub(crate) const CLOSE: u8 = 1;
    pub(crate) const PARSE: u8 = 2;
    /// The types of the parameters, which come before the columns of a statement.
    pub(crate) const PARAMETERS: u8 = 4;
    pub(crate) const COLUMNS: u8 = 8;
    pub(crate) const BIND: u8 = 16;
    /// The columns of a portal.
    pub(crate) const PORTAL: u8 = 32;
    pub(crate) const EXECUTE: u8 = 64;
    /// At least one statement of a simple query must end.
    pub(crate) const SIMPLE: u8 = 128;
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// It was answered completely.
    Complete,
    /// The server refused it.
    Refused {
        error: Box<ServerError>,
        /// Whether the server had already reported the statement, or one of several, as complete.
        completed: bool,
    },
    /// The server skipped it, since an earlier one had failed.
    Skipped,
    /// The connection ended before the answer arrived.
    Lost(Progress),
}

/// How far a request had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Progress {
    /// No byte of it was written.
    #[default]
    Unwritten,
    /// Some of it was written, but not the whole part that makes the server run it.
    Partly,
    /// The whole part that makes the server run it was written.
    Written,
}

/// The receiver of the answer to a request.
pub(crate) trait Listen {
    /// Takes whole messages of the answer, in their order.
    fn hear(&self, messages: Bytes) -> Option<Waker>;

    /// Takes the end of the answer, which nothing follows.
    fn end(&self, end: End) -> Option<Waker>;

    /// Whether there is no receiver any more.
    fn is_gone(&self) -> bool;
}

/// A request whose answer is outstanding.
pub(super) struct Request<L> {
    /// `None` if only the order of answers matters.
    pub(super) listener: Option<L>,
    /// The outstanding steps.
    pub(super) left: u8,
    /// Whether it is a simple query, which may contain several statements.
    pub(super) simple: bool,
    /// Whether a ReadyForQuery ends it.
    pub(super) synced: bool,
    /// Whether it is a COPY that takes rows.
    pub(super) is_copy: bool,
    /// Whether the end of those rows was not written yet.
    pub(super) takes_rows: bool,
    /// Whether it returns the rows of a COPY whose end has not arrived yet.
    pub(super) gives_rows: bool,
    pub(super) error: Option<Box<ServerError>>,
    pub(super) completed: bool,
    /// The transaction whose BEGIN it is.
    pub(super) begins: Option<u64>,
    /// Whether it undoes changes that an earlier holder may have made to the session.
    pub(super) settles: bool,
    /// Its start in the stream of all written bytes.
    pub(super) start: u64,
    /// The end of the part that makes the server run it.
    pub(super) reach: u64,
}

impl<L: Listen> Request<L> {
    pub(super) fn progress(&self, written: u64) -> Progress {
        if written >= self.reach {
            Progress::Written
        } else if written > self.start {
            Progress::Partly
        } else {
            Progress::Unwritten
        }
    }

    /// Takes the next message of the answer, and returns whether it is for the listener.
    #[inline]
    pub(super) fn step(&mut self, tag: u8) -> Result<bool, Violation> {
        use steps::*;
        if self.error.is_some() {
            return Err(self.unexpected(tag));
        }
        let simple = self.simple;
        let runs = simple || self.left == EXECUTE;
        let (step, tells) = match tag {
            b'D' if runs && !self.gives_rows => return Ok(true),
            b'C' | b'I' if runs && !self.gives_rows => {
                self.completed |= tag == b'C';
                self.left = 0;
                return Ok(true);
            }
            b's' if self.left == EXECUTE => {
                self.left = 0;
                return Ok(true);
            }
            b'T' if simple => return Ok(true),
            b'T' | b'n' => {
                let next = self.left & self.left.wrapping_neg();
                let step = if next == PORTAL { PORTAL } else { COLUMNS };
                (step, tag == b'T')
            }
            b'H' if runs => {
                self.gives_rows = true;
                return Ok(true);
            }
            b'd' if self.gives_rows => return Ok(true),
            b'c' if self.gives_rows => {
                self.gives_rows = false;
                return Ok(false);
            }
            b'G' if self.left == EXECUTE && self.is_copy => return Ok(true),
            b'3' => (CLOSE, false),
            b'1' => (PARSE, false),
            b't' => (PARAMETERS, true),
            b'2' => (BIND, false),
            _ => return Err(self.unexpected(tag)),
        };
        if self.left & step == 0 || self.left & (step - 1) != 0 {
            return Err(self.unexpected(tag));
        }
        self.left &= !step;
        Ok(tells)
    }

    #[cold]
    pub(super) fn unexpected(&self, tag: u8) -> Violation {
        use steps::*;
        let expected = match self.left & self.left.wrapping_neg() {
            _ if self.error.is_some() => "ReadyForQuery",
            _ if self.gives_rows => "CopyData or CopyDone",
            CLOSE => "CloseComplete",
            PARSE => "ParseComplete",
            PARAMETERS => "ParameterDescription",
            COLUMNS | PORTAL => "RowDescription or NoData",
            BIND => "BindComplete",
            EXECUTE if self.is_copy => "CopyInResponse",
            EXECUTE | SIMPLE => "DataRow or CommandComplete",
            _ => "ReadyForQuery",
        };
        Violation::unexpected(tag, expected)
    }
}
