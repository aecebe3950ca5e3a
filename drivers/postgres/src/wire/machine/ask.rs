use bytes::BytesMut;
use underpin_core::Error;

use super::{MOST, Machine};
use crate::wire::opening::Phase;
use crate::wire::put;
use crate::wire::request::{Listen, Request, steps};

/// The incoming requests.
impl<L: Listen> Machine<L> {
    pub(super) fn out(&mut self) -> &mut BytesMut {
        match self.copying {
            None => &mut self.out,
            Some(_) => &mut self.behind,
        }
    }

    /// The position of the next byte in the stream of all written bytes. Behind a COPY it counts
    /// from there, until the COPY has ended.
    pub(super) fn position(&self) -> u64 {
        match self.copying {
            None => self.taken + self.out.len() as u64,
            Some(_) => self.behind.len() as u64,
        }
    }

    /// Writes the Sync of the last request, if that is still undecided.
    pub(super) fn sync_open(&mut self) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        put::sync(self.out());
        if let Some(last) = self.requests.back_mut() {
            last.synced = true;
        }
    }

    pub(super) fn add(&mut self, request: Request<L>) -> u64 {
        self.requests.push_back(request);
        self.pause = self.pause.saturating_sub(1);
        self.first + self.requests.len() as u64 - 1
    }

    pub(super) fn request(&self, listener: Option<L>, start: u64, left: u8) -> Request<L> {
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
            settles: false,
            start,
            reach: self.position(),
        }
    }

    /// Requests a simple query.
    ///
    /// # Errors
    /// If the text cannot be sent. Nothing is sent then.
    pub(crate) fn simple(&mut self, listener: Option<L>, sql: &str) -> Result<u64, Error> {
        self.sync_open();
        let start = self.position();
        put::query(self.out(), sql)?;
        let request = self.request(listener, start, steps::SIMPLE);
        Ok(self.add(request))
    }

    /// Requests a sign that the server has answered everything before this.
    pub(crate) fn sync(&mut self, listener: Option<L>) -> u64 {
        self.sync_open();
        let start = self.position();
        put::sync(self.out());
        let request = self.request(listener, start, 0);
        self.add(request)
    }

    /// Requests the statements that restore the session as it was opened, in a transaction: if a
    /// part of it is refused, the server runs no later request, and the connection ends.
    ///
    /// # Errors
    /// If the text cannot be sent. Nothing is sent then.
    pub(crate) fn settle(&mut self, sql: &str) -> Result<(), Error> {
        self.sync_open();
        let start = self.position();
        put::query(self.out(), sql)?;
        let request = self.request(None, start, steps::SIMPLE);
        self.add(Request {
            settles: true,
            ..request
        });
        Ok(())
    }

    /// Makes the server forget a prepared statement or a portal, as named in a Close, if the
    /// session continues.
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

    /// Requests the message that `write` writes in the extended protocol, without a Sync; `write`
    /// returns the steps of the answer. Requests with the same number of a statement may share one
    /// Sync: they only read, and if one fails, those behind it are [skipped](End::Skipped).
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

    /// The same within the transaction that is owed, whose BEGIN is written directly before it: if
    /// BEGIN is refused, the rest is skipped.
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

    /// Requests several statements with one Sync: if one fails, those behind it are
    /// [skipped](End::Skipped). Each consists of a listener, the messages, and the steps of the
    /// answer. Returns the number of the first.
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

    /// Sends BEGIN if it is owed, ahead of all later requests. Returns whether it did.
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

    /// Records that the native client is handed out. Its messages must find the transaction open.
    pub(crate) fn hand_out(&mut self) {
        self.opening.native = true;
        self.changed = true;
        self.begin();
    }
}
