use bytes::{Buf, BytesMut};

use super::{Machine, NOTICES, News, OPEN, PARAMETERS, PAUSE};
use crate::notices::{Notice, Notification, is_unreplicated};
use crate::wire::body::{command, text_until_zero};
use crate::wire::frame::{self, HEADER};
use crate::wire::request::{End, Listen, Progress, Request, steps};
use crate::wire::server_error::ServerError;
use crate::wire::violation::Violation;

/// The incoming bytes.
impl<L: Listen> Machine<L> {
    /// Takes all whole messages from the read bytes.
    ///
    /// # Errors
    /// If the server violates the protocol. Nothing after that can be trusted.
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

    /// Delivers the first bytes to their listener, and drops the given number behind them.
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

    /// The first request is answered, and shares the Sync of another one.
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
        if front.settles {
            self.unsettled = true;
            return Err(Violation::unsettled());
        }
        front.gives_rows = false;
        front.error = Some(error.clone());
        if let Some(number) = front.begins {
            self.opening.answered(number, Some(error));
            news.begun = true;
        } else if self.copying == Some(number) {
            // The server skips everything until a Sync.
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

    /// The meaning of a completed command's tag for the session. `SET` is not included: it also
    /// stands for `SET LOCAL`, and only the statement's text distinguishes them.
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

    /// Tells all waiting callers that the connection has ended after this many written bytes.
    pub(crate) fn lost(&mut self, written: u64, news: &mut News) {
        self.closing = true;
        let held = self.copying.take();
        while let Some(request) = self.requests.front() {
            let is_held = held.is_some_and(|copy| self.first > copy);
            let progress = match is_held || self.unsettled {
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
pub(crate) fn parameter(body: &[u8]) -> Result<(Box<str>, Box<str>), Violation> {
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
