//! | file | what it has |
//! |---|---|
//! | here | the state, and what is written next |
//! | `ask.rs` | requests go in |
//! | `copy.rs` | the rows of a COPY go in, and what is asked meanwhile waits |
//! | `receive.rs` | messages come in |

mod ask;
mod copy;
mod receive;

use std::collections::VecDeque;
use std::task::Waker;

use bytes::BytesMut;
use underpin_core::Role;

use super::frame::{self, LONGEST};
use super::opening::Opening;
use super::put;
#[cfg(test)]
use super::request::Progress;
use super::request::{End, Listen, Request};
use super::server_error::ServerError;
use crate::notices::{Notice, Notification};

pub(crate) use receive::parameter;

/// The conversation with a server after the login, as a state machine without I/O: requests go in
/// and bytes to write come out, bytes that were read go in and answers come out.
pub(crate) struct Machine<L> {
    /// Requests that are not answered yet.
    requests: VecDeque<Request<L>>,
    /// The number of the first of those.
    first: u64,
    /// The bytes to write.
    out: BytesMut,
    /// Total number of bytes taken from there.
    taken: u64,
    /// The bytes to write behind a COPY whose rows are outstanding.
    behind: BytesMut,
    /// The number of the request of that COPY.
    copying: Option<u64>,
    /// Whether the last request has no Sync yet: the next one decides.
    open: bool,
    /// The statement of the last request, and the number of requests before it under its Sync.
    group: Option<(u64, u32)>,
    /// Number of requests that are not joined, after a failure.
    pause: u32,
    limit: usize,
    pub(crate) opening: Opening,
    /// The transaction's status as of the latest ReadyForQuery.
    pub(crate) status: u8,
    /// Whether a statement of the session changed it for those to come.
    pub(crate) changed: bool,
    /// Whether prepared statements were dropped that the client relies on.
    pub(crate) deallocated: bool,
    /// Commits that did not wait for their replicas.
    pub(crate) unreplicated: u64,
    /// The server's message when nothing was requested: the reason why it ends the session.
    last_words: Option<Box<ServerError>>,
    parameters: Vec<(Box<str>, Box<str>)>,
    notices: VecDeque<Notice>,
    /// Whether the connection has ended, or should end.
    closing: bool,
    said_goodbye: bool,
    /// Whether the session could not be cleaned, so that nothing behind that was run.
    unsettled: bool,
}

/// The shell's work after it is done with the machine.
#[derive(Debug, Default)]
pub(crate) struct News {
    pub(crate) wakers: Vec<Waker>,
    /// Number of listeners whose answers are complete.
    pub(crate) answered: usize,
    pub(crate) notifications: Vec<Notification>,
    /// A BEGIN was answered.
    pub(crate) begun: bool,
    /// A setting was reported.
    pub(crate) reported: bool,
    /// A notice came.
    pub(crate) noticed: bool,
}

/// The status of a session outside a transaction.
pub(crate) const IDLE: u8 = b'I';
/// The status of a session within a transaction.
const OPEN: u8 = b'T';
/// The status of a session whose transaction can only be rolled back.
pub(crate) const FAILED: u8 = b'E';

/// Maximum number of statements with one Sync.
const MOST: u32 = 16;
/// Number of statements that are sent one by one after a failure, since failures may recur.
const PAUSE: u32 = 1000;
const NOTICES: usize = 64;
/// Number of reported settings that are kept; a server reports about fifteen.
const PARAMETERS: usize = 256;

impl News {
    /// Delivers the end of a request to its listener.
    fn end<L: Listen>(&mut self, request: &Request<L>, end: End) {
        let Some(listener) = &request.listener else {
            return;
        };
        self.answered += usize::from(!listener.is_gone());
        self.wakers.extend(listener.end(end));
    }
}

impl<L: Listen> Machine<L> {
    /// Creates the machine of a session that has just begun, with the server's messages so far. No
    /// message of it may be longer than the limit.
    pub(crate) fn new(
        mut parameters: Vec<(Box<str>, Box<str>)>,
        notices: Vec<Notice>,
        limit: usize,
    ) -> Self {
        // They are kept for as long as the connection is, and hardly ever change.
        parameters.shrink_to_fit();
        let skipped = notices.len().saturating_sub(NOTICES);
        Machine {
            requests: VecDeque::new(),
            first: 0,
            out: BytesMut::new(),
            taken: 0,
            behind: BytesMut::new(),
            copying: None,
            open: false,
            group: None,
            pause: 0,
            limit: limit.min(LONGEST),
            opening: Opening::default(),
            status: IDLE,
            changed: false,
            deallocated: false,
            unreplicated: 0,
            last_words: None,
            parameters,
            notices: notices.into_iter().skip(skipped).collect(),
            closing: false,
            said_goodbye: false,
            unsettled: false,
        }
    }

    /// Maximum length of a message of the server.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Number of requests that are not answered yet.
    pub(crate) fn under_way(&self) -> usize {
        self.requests.len()
    }

    /// Whether the answer of a dropped request is still outstanding.
    pub(crate) fn awaits_nobodys(&self) -> bool {
        let is_gone = |request: &Request<L>| request.listener.as_ref().is_some_and(L::is_gone);
        self.requests.iter().any(is_gone)
    }

    /// The listener for the next message.
    pub(crate) fn listener(&self) -> Option<&L> {
        self.requests.front()?.listener.as_ref()
    }

    /// How far a request has come when this many bytes were written. `None` once it is answered.
    #[cfg(test)]
    pub(crate) fn progress(&self, number: u64, written: u64) -> Option<Progress> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        let request = self.requests.get(at)?;
        let held = self.copying.is_some_and(|copy| number > copy);
        Some(if held {
            Progress::Unwritten
        } else {
            request.progress(written)
        })
    }

    /// A setting that the server has reported.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(of, _)| **of == *name);
        found.map(|(_, value)| &**value)
    }

    /// The server's report of its role; `None` before PostgreSQL 14.
    pub(crate) fn role(&self) -> Option<Role> {
        let standby = self.parameter("in_hot_standby")?;
        let read_only = self.parameter("default_transaction_read_only");
        Some(match standby == "on" || read_only == Some("on") {
            true => Role::Replica,
            false => Role::Primary,
        })
    }

    pub(crate) fn notices(&self) -> Vec<Notice> {
        self.notices.iter().cloned().collect()
    }

    /// The reason why the server ended the session, if it reported one when nothing was requested.
    pub(crate) fn take_last_words(&mut self) -> Option<Box<ServerError>> {
        self.last_words.take()
    }
}

/// The outgoing bytes.
impl<L: Listen> Machine<L> {
    /// Records that there are no more requests: after the last answer, the server gets the goodbye.
    pub(crate) fn close(&mut self) {
        self.closing = true;
    }

    /// Whether everything was written, including the goodbye.
    pub(crate) fn is_over(&self) -> bool {
        self.said_goodbye && self.out.is_empty()
    }

    /// Whether nothing is in progress. If so, memory for more than a few requests is released.
    pub(crate) fn is_idle(&mut self) -> bool {
        const KEPT: usize = 2 * 1024;
        let idle = self.requests.is_empty();
        if idle {
            frame::shrink(&mut self.out, KEPT);
            self.requests.shrink_to(16);
        }
        idle
    }

    /// Whether there is something to write.
    pub(crate) fn has_out(&mut self) -> bool {
        if self.closing && !self.said_goodbye && self.requests.is_empty() {
            self.said_goodbye = true;
            put::terminate(&mut self.out);
        }
        self.open || !self.out.is_empty()
    }

    /// Number of bytes waiting to be written.
    pub(crate) fn backlog(&self) -> usize {
        self.out.len() + self.behind.len()
    }

    /// Takes the bytes to write, in exchange for an empty buffer.
    pub(crate) fn take_out(&mut self, empty: &mut BytesMut) {
        self.sync_open();
        self.taken += self.out.len() as u64;
        std::mem::swap(&mut self.out, empty);
    }
}

#[cfg(test)]
mod tests;
