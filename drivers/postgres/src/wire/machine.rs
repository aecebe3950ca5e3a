use std::collections::VecDeque;
use std::task::Waker;

use bytes::{Buf, BytesMut};
use underpin_core::{Error, Role};

use super::body::{command, text_until_zero};
use super::frame::{self, HEADER, LONGEST};
use super::opening::{Opening, Phase};
use super::put;
use super::request::{End, Listen, Progress, Request, steps};
use super::server_error::ServerError;
use super::violation::Violation;
use crate::notices::{Notice, Notification, is_unreplicated};

/// The conversation with a server that has let this side in, as a state machine without I/O:
/// requests go in and bytes to write come out, bytes that were read go in and answers come out.
pub(crate) struct Machine<L> {
    /// What was asked and is not answered yet.
    requests: VecDeque<Request<L>>,
    /// The number of the first of those.
    first: u64,
    /// What is to be written.
    out: BytesMut,
    /// How many bytes were ever taken from there.
    taken: u64,
    /// What is to be written behind a COPY whose rows are still to come.
    behind: BytesMut,
    /// The number of the request of that COPY.
    copying: Option<u64>,
    /// The last request has no Sync yet: the next one decides.
    open: bool,
    /// The statement of the last request and how many before it go with its Sync.
    group: Option<(u64, u32)>,
    /// So many requests are not joined any more.
    pause: u32,
    limit: usize,
    pub(crate) opening: Opening,
    /// The transaction's status as of the latest ReadyForQuery.
    pub(crate) status: u8,
    /// Whether a statement of the session changed it for those to come.
    pub(crate) changed: bool,
    /// Whether prepared statements were dropped that this side relies on.
    pub(crate) deallocated: bool,
    /// Commits that did not wait for their replicas to the end.
    pub(crate) unreplicated: u64,
    /// What the server said when nothing was asked: why it ends the session.
    last_words: Option<Box<ServerError>>,
    parameters: Vec<(Box<str>, Box<str>)>,
    notices: VecDeque<Notice>,
    /// The connection is over, or is to be.
    closing: bool,
    said_goodbye: bool,
}

/// What the shell does once it is done with the machine.
#[derive(Debug, Default)]
pub(crate) struct News {
    pub(crate) wakers: Vec<Waker>,
    /// So many of those who are woken have all of their answer.
    pub(crate) answered: usize,
    pub(crate) notifications: Vec<Notification>,
    /// A BEGIN was answered.
    pub(crate) begun: bool,
    /// A setting was reported.
    pub(crate) reported: bool,
    /// A notice came.
    pub(crate) noticed: bool,
}

/// The status of a session that is within no transaction.
pub(crate) const IDLE: u8 = b'I';
/// The status of a session that is within a transaction.
const OPEN: u8 = b'T';
/// The status of a session whose transaction can only be rolled back.
pub(crate) const FAILED: u8 = b'E';

/// So many statements go with one Sync at the most.
const MOST: u32 = 16;
/// After one has failed, so many are sent each by itself: what fails once may fail often.
const PAUSE: u32 = 1000;
const NOTICES: usize = 64;
/// So many reported settings are kept; a server reports some fifteen.
const PARAMETERS: usize = 256;

impl News {
    /// Tells the listener of a request how that ended.
    fn end<L: Listen>(&mut self, request: &Request<L>, end: End) {
        if let Some(waker) = request.end(end) {
            self.answered += 1;
            self.wakers.push(waker);
        }
    }
}

impl<L: Listen> Machine<L> {
    /// Of a session that has just begun, with what the server has said so far. No message of it
    /// may be longer than the limit.
    pub(crate) fn new(
        parameters: Vec<(Box<str>, Box<str>)>,
        notices: Vec<Notice>,
        limit: usize,
    ) -> Self {
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
        }
    }

    /// Bytes that no message of the server exceeds.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// How many requests are not answered yet.
    pub(crate) fn under_way(&self) -> usize {
        self.requests.len()
    }

    /// Whether somebody has dropped a request whose answer is still to come.
    pub(crate) fn awaits_nobodys(&self) -> bool {
        let is_gone = |request: &Request<L>| request.listener.as_ref().is_some_and(L::is_gone);
        self.requests.iter().any(is_gone)
    }

    /// Who listens to what comes next.
    pub(crate) fn listener(&self) -> Option<&L> {
        self.requests.front()?.listener.as_ref()
    }

    /// How far a request has come, where so many bytes were written. `None` once it is answered.
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

    /// What the server says of its role; nothing before PostgreSQL 14.
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

    /// Why the server ended the session, where it said so when nothing was asked.
    pub(crate) fn take_last_words(&mut self) -> Option<Box<ServerError>> {
        self.last_words.take()
    }
}

/// What goes in as requests.
impl<L: Listen> Machine<L> {
    fn out(&mut self) -> &mut BytesMut {
        match self.copying {
            None => &mut self.out,
            Some(_) => &mut self.behind,
        }
    }

    /// Where the next byte goes, of all that is ever written. Behind a COPY it counts from
    /// there, until that is over.
    fn position(&self) -> u64 {
        match self.copying {
            None => self.taken + self.out.len() as u64,
            Some(_) => self.behind.len() as u64,
        }
    }

    /// Writes the Sync of the last request, where that is still to be decided.
    fn sync_open(&mut self) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        put::sync(self.out());
        if let Some(last) = self.requests.back_mut() {
            last.synced = true;
        }
    }

    fn add(&mut self, request: Request<L>) -> u64 {
        self.requests.push_back(request);
        self.pause = self.pause.saturating_sub(1);
        self.first + self.requests.len() as u64 - 1
    }

    fn request(&self, listener: Option<L>, start: u64, left: u8) -> Request<L> {
        Request {
            listener,
            left,
            simple: left == steps::SIMPLE,
            synced: true,
            is_copy: false,
            takes_rows: false,
            gives_rows: false,
            error: None,
            completed: false,
            begins: None,
            start,
            reach: self.position(),
        }
    }

    /// Asks for a simple query.
    ///
    /// # Errors
    /// Where the text cannot be sent. Nothing is sent then.
    pub(crate) fn simple(&mut self, listener: Option<L>, sql: &str) -> Result<u64, Error> {
        self.sync_open();
        let start = self.position();
        put::query(self.out(), sql)?;
        let request = self.request(listener, start, steps::SIMPLE);
        Ok(self.add(request))
    }

    /// Asks the server to say when it has answered everything before this.
    pub(crate) fn sync(&mut self, listener: Option<L>) -> u64 {
        self.sync_open();
        let start = self.position();
        put::sync(self.out());
        let request = self.request(listener, start, 0);
        self.add(request)
    }

    /// Has the server forget a prepared statement or a portal, as a Close names it, where the
    /// session goes on.
    pub(crate) fn forget(&mut self, what: u8, name: &str) {
        if self.closing {
            return;
        }
        self.sync_open();
        let start = self.position();
        put::close(self.out(), what, name);
        put::sync(self.out());
        let request = self.request(None, start, steps::CLOSE);
        self.add(request);
    }

    /// Asks for what `write` writes in the extended protocol, without a Sync; it gives the
    /// steps of the answer. Requests with the same number of a statement may go with one Sync:
    /// they only read, and where one fails, those behind it are [skipped](End::Skipped).
    ///
    /// # Errors
    /// Those of `write`. Nothing is sent then.
    pub(crate) fn extended(
        &mut self,
        listener: L,
        joins: Option<u64>,
        write: impl FnOnce(&mut BytesMut) -> Result<u8, Error>,
    ) -> Result<u64, Error> {
        let group = self.group.filter(|(statement, left_out)| {
            self.open && joins == Some(*statement) && left_out + 1 < MOST
        });
        if group.is_none() {
            self.sync_open();
        }
        let (start, length) = (self.position(), self.out().len());
        match write(self.out()) {
            Ok(left) => {
                let request = self.request(Some(listener), start, left);
                Ok(self.add_open(request, joins, group))
            }
            Err(error) => {
                self.out().truncate(length);
                Err(error)
            }
        }
    }

    fn add_open(
        &mut self,
        request: Request<L>,
        joins: Option<u64>,
        group: Option<(u64, u32)>,
    ) -> u64 {
        self.open = true;
        self.group = match joins {
            Some(statement) if self.pause == 0 => {
                Some((statement, group.map_or(0, |(_, left_out)| left_out + 1)))
            }
            _ => None,
        };
        self.add(Request {
            synced: false,
            ..request
        })
    }

    /// The same within the transaction that is owed, whose BEGIN goes right before it: where
    /// that is refused, the rest is skipped.
    ///
    /// # Errors
    /// Those of `write`. Nothing is sent then, and BEGIN is still owed.
    pub(crate) fn extended_in_new_transaction(
        &mut self,
        listener: L,
        write: impl FnOnce(&mut BytesMut) -> Result<u8, Error>,
    ) -> Result<u64, Error> {
        self.sync_open();
        let (start, length) = (self.position(), self.out().len());
        let known = self.opening.known.len();
        let mut opening = std::mem::take(&mut self.opening);
        let begins = opening.write_joined(self.out());
        self.opening = opening;
        let begin = begins.map(|left| self.request(None, start, left));
        let start = self.position();
        let written = begin.and_then(|begin| Ok((begin, write(self.out())?)));
        match written {
            Ok((begin, left)) => {
                let number = self.opening.sent();
                self.add(Request {
                    synced: false,
                    begins: Some(number),
                    ..begin
                });
                let request = self.request(Some(listener), start, left);
                Ok(self.add_open(request, None, None))
            }
            Err(error) => {
                self.out().truncate(length);
                self.opening.known.truncate(known);
                Err(error)
            }
        }
    }

    /// Asks for several statements with one Sync: where one fails, those behind it are
    /// [skipped](End::Skipped). Each is what a listener waits for, and the messages with the
    /// steps of the answer. Gives the number of the first.
    pub(crate) fn pipeline<'a>(&mut self, asked: impl Iterator<Item = (L, &'a [u8], u8)>) -> u64 {
        self.sync_open();
        let first = self.first + self.requests.len() as u64;
        for (listener, messages, left) in asked {
            let start = self.position();
            self.out().extend_from_slice(messages);
            let request = self.request(Some(listener), start, left);
            self.add_open(request, None, None);
        }
        first
    }

    /// Sends BEGIN where it is owed, ahead of all that is asked from now on. Says whether it did.
    pub(crate) fn begin(&mut self) -> bool {
        if self.opening.phase() != Phase::Owed {
            return false;
        }
        self.sync_open();
        let start = self.position();
        let opening = std::mem::take(&mut self.opening);
        let written = opening.write_alone(self.out());
        self.opening = opening;
        if written.is_err() {
            return false;
        }
        let number = self.opening.sent();
        let request = self.request(None, start, steps::SIMPLE);
        self.add(Request {
            begins: Some(number),
            ..request
        });
        true
    }

    /// Notes that the native client is handed out. What is sent with it must find the
    /// transaction open.
    pub(crate) fn hand_out(&mut self) {
        self.opening.native = true;
        self.changed = true;
        self.begin();
    }

    /// Asks for a COPY that `write` writes, whose rows are written with
    /// [`copy_data`](Machine::copy_data). What is asked meanwhile is written behind its end.
    ///
    /// # Errors
    /// Those of `write`. Nothing is sent then.
    pub(crate) fn copy_in(
        &mut self,
        listener: L,
        write: impl FnOnce(&mut BytesMut) -> Result<u8, Error>,
    ) -> Result<u64, Error> {
        self.sync_open();
        let (start, length) = (self.position(), self.out().len());
        match write(self.out()) {
            Ok(left) => {
                // It is granted or refused before any Sync, which a server that grants it skips.
                put::flush(self.out());
                let request = self.request(Some(listener), start, left);
                let number = self.add(Request {
                    synced: false,
                    is_copy: true,
                    takes_rows: true,
                    reach: u64::MAX,
                    ..request
                });
                if self.copying.is_none() {
                    self.copying = Some(number);
                }
                Ok(number)
            }
            Err(error) => {
                self.out().truncate(length);
                Err(error)
            }
        }
    }

    /// Writes rows of a COPY. Says whether it still takes any.
    pub(crate) fn copy_data(&mut self, number: u64, rows: &[u8]) -> bool {
        let takes = self.copying == Some(number);
        if takes {
            put::copy_data(&mut self.out, rows);
        }
        takes
    }

    /// Ends a COPY: with its rows, or without any.
    pub(crate) fn end_copy(&mut self, number: u64, well: bool) {
        if self.copying == Some(number) {
            match well {
                true => put::copy_done(&mut self.out),
                false => put::copy_fail(&mut self.out),
            }
            self.sync_copy(well);
        }
    }

    /// Writes the Sync of a COPY, and what was asked behind it.
    fn sync_copy(&mut self, well: bool) {
        let Some(number) = self.copying.take().filter(|number| *number >= self.first) else {
            return;
        };
        let end = self.position();
        put::sync(&mut self.out);
        let behind = self.position();
        let at = usize::try_from(number - self.first).unwrap_or(usize::MAX);
        for (place, request) in self.requests.iter_mut().enumerate().skip(at) {
            if place == at {
                request.synced = true;
                request.takes_rows = false;
                if well {
                    request.reach = end;
                }
                continue;
            }
            request.start += behind;
            request.reach = request.reach.saturating_add(behind);
        }
        let held = std::mem::take(&mut self.behind);
        self.out.extend_from_slice(&held);
        // Another COPY may be among them.
        let next = self.requests.iter().enumerate().skip(at + 1);
        let next = next.map(|(place, request)| (place, request.takes_rows));
        if let Some((place, _)) = next.into_iter().find(|(_, takes_rows)| *takes_rows) {
            self.split_behind(self.first + place as u64);
        }
    }

    /// Holds back what was asked behind a COPY again.
    fn split_behind(&mut self, copy: u64) {
        let at = usize::try_from(copy - self.first).unwrap_or(usize::MAX);
        let start = self.requests.get(at + 1).map(|next| next.start);
        if let Some(start) = start {
            let from = usize::try_from(start.saturating_sub(self.taken)).unwrap_or(self.out.len());
            self.behind = self.out.split_off(from.min(self.out.len()));
            for request in self.requests.iter_mut().skip(at + 1) {
                request.start -= start;
                request.reach = match request.reach {
                    u64::MAX => u64::MAX,
                    reach => reach - start,
                };
            }
        }
        self.copying = Some(copy);
        let listener = self
            .requests
            .get(at)
            .and_then(|copy| copy.listener.as_ref());
        if listener.is_none_or(L::is_gone) {
            self.end_copy(copy, false);
        }
    }

    /// Notes that no more is asked: once all is answered, the server is told so.
    pub(crate) fn close(&mut self) {
        self.closing = true;
    }

    /// Whether all was said, the goodbye included.
    pub(crate) fn is_over(&self) -> bool {
        self.said_goodbye && self.out.is_empty()
    }

    /// Whether nothing is under way. What is kept for more than a few requests is let go of then.
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

    /// How much waits to be written.
    pub(crate) fn backlog(&self) -> usize {
        self.out.len() + self.behind.len()
    }

    /// Takes what is to be written, in exchange for an empty buffer.
    pub(crate) fn take_out(&mut self, empty: &mut BytesMut) {
        self.sync_open();
        self.taken += self.out.len() as u64;
        std::mem::swap(&mut self.out, empty);
    }
}

/// What comes in.
impl<L: Listen> Machine<L> {
    /// Takes all whole messages from what was read.
    ///
    /// # Errors
    /// Where the server does not keep to the protocol. Nothing after that can be trusted.
    pub(crate) fn receive(
        &mut self,
        inbox: &mut BytesMut,
        news: &mut News,
    ) -> Result<(), Violation> {
        // The messages at the start of the inbox that belong to the first request.
        let mut run = 0;
        while let Some(head) = frame::head(&inbox[run..], self.limit)? {
            let end = run + head.length;
            if end > inbox.len() {
                break;
            }
            let body = &inbox[run + HEADER..end];
            match head.tag {
                b'D' if self.is_row() => {
                    run = end;
                    continue;
                }
                b'N' => {
                    self.noticed(body)?;
                    news.noticed = true;
                }
                b'A' => news.notifications.push(notification(body)?),
                b'S' => {
                    self.reported(body)?;
                    news.reported = true;
                }
                b'E' => self.refused(body, news)?,
                b'Z' => {
                    let status = *body.first().ok_or(Violation::malformed(b'Z'))?;
                    self.hand_over(inbox, run, head.length, news);
                    run = 0;
                    self.ready(status, news)?;
                    continue;
                }
                tag => {
                    let tells = self.step(tag, run + HEADER..end, inbox, news)?;
                    if tells {
                        run = end;
                    } else {
                        self.hand_over(inbox, run, head.length, news);
                        run = 0;
                    }
                    if self.ends_unsynced() {
                        self.hand_over(inbox, run, 0, news);
                        run = 0;
                        self.ended_unsynced(news);
                    }
                    continue;
                }
            }
            self.hand_over(inbox, run, head.length, news);
            run = 0;
        }
        self.hand_over(inbox, run, 0, news);
        Ok(())
    }

    /// Gives the first bytes to whom they are for, and drops so many behind them.
    #[inline]
    fn hand_over(&self, inbox: &mut BytesMut, run: usize, behind: usize, news: &mut News) {
        if run > 0 {
            match self.listener() {
                Some(listener) if !listener.is_gone() => {
                    let messages = inbox.split_to(run).freeze();
                    news.wakers.extend(listener.hear(messages));
                }
                _ => inbox.advance(run),
            }
        }
        inbox.advance(behind);
    }

    /// Whether a row may come.
    #[inline]
    fn is_row(&self) -> bool {
        self.requests.front().is_some_and(|front| {
            front.left == steps::EXECUTE
                && front.error.is_none()
                && !front.gives_rows
                && front.start < self.taken
        })
    }

    fn step(
        &mut self,
        tag: u8,
        body: std::ops::Range<usize>,
        inbox: &BytesMut,
        news: &mut News,
    ) -> Result<bool, Violation> {
        let taken = self.taken;
        let asked = self.requests.front_mut();
        let Some(front) = asked.filter(|front| front.start < taken) else {
            return Err(Violation::unexpected(tag, "nothing"));
        };
        let tells = front.step(tag)?;
        if tag == b'C' {
            let begins = front.begins;
            self.completed(&inbox[body]);
            if let Some(number) = begins {
                self.status = OPEN;
                self.opening.answered(number, None);
                news.begun = true;
            }
        }
        Ok(tells)
    }

    fn ends_unsynced(&self) -> bool {
        let ends = |front: &Request<L>| front.left == 0 && !front.synced && !front.takes_rows;
        self.requests.front().is_some_and(ends)
    }

    /// The first request is answered, and goes with the Sync of another.
    fn ended_unsynced(&mut self, news: &mut News) {
        if let Some(front) = self.pop() {
            news.end(&front, End::Complete);
        }
    }

    fn pop(&mut self) -> Option<Request<L>> {
        let front = self.requests.pop_front()?;
        self.first += 1;
        Some(front)
    }

    fn refused(&mut self, body: &[u8], news: &mut News) -> Result<(), Violation> {
        let error = Box::new(ServerError::parse(b'E', body)?);
        let number = self.first;
        let Some(front) = self.requests.front_mut() else {
            if !error.is_fatal() {
                return Err(Violation::unexpected(b'E', "nothing"));
            }
            self.last_words = Some(error);
            return Ok(());
        };
        let is_asked = front.start < self.taken;
        if error.is_fatal() {
            self.last_words = Some(error.clone());
        } else if !is_asked {
            return Err(Violation::unexpected(b'E', "nothing"));
        }
        if front.error.is_some() || !is_asked {
            return Ok(());
        }
        front.gives_rows = false;
        front.error = Some(error.clone());
        if let Some(number) = front.begins {
            self.opening.answered(number, Some(error));
            news.begun = true;
        } else if self.copying == Some(number) {
            // The server skips everything until a Sync comes.
            self.sync_copy(false);
        }
        Ok(())
    }

    fn ready(&mut self, status: u8, news: &mut News) -> Result<(), Violation> {
        let Some(front) = self.requests.front() else {
            return Err(Violation::unexpected(b'Z', "nothing"));
        };
        let complete = front.left == 0 && !front.gives_rows && !front.takes_rows;
        let answered = front.error.is_some() || complete;
        if front.start >= self.taken || !answered {
            return Err(front.unexpected(b'Z'));
        }
        self.status = status;
        let Some(first) = self.pop() else {
            return Ok(());
        };
        let mut synced = first.synced;
        let joined = first.begins.is_none();
        let completed = first.completed;
        let end = match &first.error {
            None => End::Complete,
            Some(error) => End::Refused {
                error: error.clone(),
                completed,
            },
        };
        news.end(&first, end);
        while !synced {
            let Some(next) = self.pop() else {
                return Err(Violation::unexpected(b'Z', "nothing"));
            };
            synced = next.synced;
            if joined {
                self.pause = PAUSE;
                self.group = None;
            }
            news.end(&next, End::Skipped);
        }
        Ok(())
    }

    /// What the tag of a completed command says about the session. `SET` is not among them:
    /// it also stands for `SET LOCAL`, and the statement's text tells the two apart.
    fn completed(&mut self, body: &[u8]) {
        match command(body) {
            b"LISTEN" | b"PREPARE" | b"DECLARE CURSOR" | b"LOAD" => self.changed = true,
            b"DISCARD ALL" | b"DEALLOCATE ALL" => {
                self.deallocated = true;
                self.opening.known.clear();
            }
            _ => {}
        }
    }

    fn noticed(&mut self, body: &[u8]) -> Result<(), Violation> {
        let said = ServerError::parse(b'N', body)?;
        let (severity, code) = (said.severity(), said.code());
        tracing::debug!(severity, code, "{}", said.message());
        self.unreplicated += u64::from(is_unreplicated(&said));
        if self.notices.len() == NOTICES {
            self.notices.pop_front();
        }
        self.notices.push_back(Notice::new(&said));
        Ok(())
    }

    fn reported(&mut self, body: &[u8]) -> Result<(), Violation> {
        let (name, value) = parameter(body)?;
        let known = self.parameters.iter().position(|(of, _)| *of == name);
        if let Some(at) = known {
            self.parameters[at].1 = value;
        } else if self.parameters.len() < PARAMETERS {
            self.parameters.push((name, value));
        }
        Ok(())
    }

    /// Tells all who wait that the connection is over, with so many bytes written.
    pub(crate) fn lost(&mut self, written: u64, news: &mut News) {
        self.closing = true;
        let held = self.copying.take();
        while let Some(request) = self.requests.front() {
            let is_held = held.is_some_and(|copy| self.first > copy);
            let progress = match is_held {
                true => Progress::Unwritten,
                false => request.progress(written),
            };
            let Some(request) = self.pop() else { break };
            let completed = request.completed;
            let end = match &request.error {
                Some(error) => End::Refused {
                    error: error.clone(),
                    completed,
                },
                None => End::Lost(progress),
            };
            news.end(&request, end);
        }
        self.out = BytesMut::new();
        self.behind = BytesMut::new();
        self.open = false;
    }
}

/// Reads the body of a ParameterStatus.
pub(super) fn parameter(body: &[u8]) -> Result<(Box<str>, Box<str>), Violation> {
    let read = || {
        let (name, rest) = text_until_zero(body)?;
        let (value, rest) = text_until_zero(rest)?;
        rest.is_empty().then_some((name, value))
    };
    let (name, value) = read().ok_or_else(|| Violation::malformed(b'S'))?;
    let text = |bytes| String::from_utf8_lossy(bytes).into();
    Ok((text(name), text(value)))
}

fn notification(body: &[u8]) -> Result<Notification, Violation> {
    let read = || {
        let (process_id, rest) = body.split_first_chunk()?;
        let (channel, rest) = text_until_zero(rest)?;
        let (payload, rest) = text_until_zero(rest)?;
        rest.is_empty().then(|| Notification {
            process_id: i32::from_be_bytes(*process_id),
            channel: String::from_utf8_lossy(channel).into_owned(),
            payload: String::from_utf8_lossy(payload).into_owned(),
        })
    };
    read().ok_or_else(|| Violation::malformed(b'A'))
}

#[cfg(test)]
mod tests;
