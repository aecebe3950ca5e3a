use std::borrow::Cow;

use bytes::{BufMut, BytesMut};
use underpin_core::{Error, Isolation, TransactionOptions};

use super::put;
use super::request::steps;
use super::server_error::ServerError;

/// The beginning of a session's transaction, which costs no round trip of its own: BEGIN is written
/// directly before the first statement, with one Sync for both.
#[derive(Debug, Default)]
pub(crate) struct Opening {
    phase: Phase,
    options: TransactionOptions,
    /// A different number for each transaction, odd while within one.
    number: u64,
    /// Whether a caller may have the native client, which knows nothing of outstanding BEGINs.
    pub(super) native: bool,
    /// The reason why BEGIN was refused. The first caller that asks gets it.
    refusal: Option<Box<ServerError>>,
    /// The texts of BEGIN that the server has prepared.
    pub(super) known: Vec<Box<str>>,
}

/// The session's knowledge of a transaction that should begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Phase {
    /// There is nothing to do. Exits to `Owed`.
    #[default]
    Settled,
    /// BEGIN must be sent before anything else. Exits to `Sent`, and to `Settled` if the
    /// transaction ends before anything was sent in it.
    Owed,
    /// BEGIN is in progress. Exits to `Settled` and `Failed`.
    Sent,
    /// BEGIN was refused. Until the transaction is ended, nothing is sent in it: it would take
    /// effect immediately. Exits to `Settled`.
    Failed,
}

/// The prefix of the name of a prepared BEGIN, before its text.
const NAME: &str = "underpin ";

impl Opening {
    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    /// The transaction that is open, or should begin, among those that were begun by a call.
    pub(crate) fn transaction(&self) -> Option<u64> {
        (self.number % 2 == 1).then_some(self.number)
    }

    /// Records that a transaction should begin.
    pub(crate) fn owe(&mut self, options: TransactionOptions) {
        self.number = (self.number | 1) + 2;
        self.options = options;
        self.phase = Phase::Owed;
    }

    /// Forgets the transaction, and returns how far its beginning had come.
    pub(crate) fn clear(&mut self) -> Phase {
        self.number += self.number % 2;
        self.refusal = None;
        std::mem::take(&mut self.phase)
    }

    /// Records that BEGIN is on its way, and returns the number of its transaction.
    pub(super) fn sent(&mut self) -> u64 {
        self.phase = Phase::Sent;
        self.number
    }

    /// Records the outcome of a transaction's BEGIN.
    pub(super) fn answered(&mut self, number: u64, refusal: Option<Box<ServerError>>) {
        if refusal.is_some() {
            self.known.clear();
        }
        // Another call may have ended it meanwhile, and begun the next.
        if self.phase == Phase::Sent && self.number == number {
            self.phase = match refusal {
                None => Phase::Settled,
                Some(_) => Phase::Failed,
            };
            self.refusal = refusal;
        }
    }

    /// Whether the native client may send statements that the driver does not see, so that BEGIN
    /// cannot wait for the first one.
    pub(crate) fn is_handed_out(&self) -> bool {
        self.native
    }

    /// Records that no caller can have the native client any more.
    pub(crate) fn take_back(&mut self) {
        self.native = false;
    }

    /// The reason why BEGIN was refused, unless another caller got it.
    pub(crate) fn take_refusal(&mut self) -> Option<Box<ServerError>> {
        self.refusal.take()
    }

    /// Writes BEGIN without a Sync, and returns the steps of its answer.
    pub(super) fn write_joined(&mut self, out: &mut BytesMut) -> Result<u8, Error> {
        let text = begin_statement(self.options);
        let name = format!("{NAME}{text}");
        let mut answer = steps::BIND | steps::EXECUTE;
        if !self.known.iter().any(|known| **known == *text) {
            // The server may have prepared it in spite of an earlier refusal.
            put::close(out, b'S', &name);
            put::parse(out, &name, &text, [].into_iter())?;
            self.known.push(text.into());
            answer |= steps::CLOSE | steps::PARSE;
        }
        put::message(out, b'B', |out| {
            put::text(out, "")?;
            put::text(out, &name)?;
            out.put_slice(&[0; 6]);
            Ok(())
        })?;
        put::execute(out, "", 0);
        Ok(answer)
    }

    /// Writes BEGIN as a request of its own.
    pub(super) fn write_alone(&self, out: &mut BytesMut) -> Result<(), Error> {
        put::query(out, &begin_statement(self.options))
    }
}

fn begin_statement(options: TransactionOptions) -> Cow<'static, str> {
    if options == TransactionOptions::default() {
        return Cow::Borrowed("BEGIN");
    }
    let mut statement = String::from("BEGIN");
    statement.push_str(match options.isolation {
        None => "",
        Some(Isolation::ReadCommitted) => " ISOLATION LEVEL READ COMMITTED",
        Some(Isolation::RepeatableRead) => " ISOLATION LEVEL REPEATABLE READ",
        Some(Isolation::Serializable) => " ISOLATION LEVEL SERIALIZABLE",
    });
    if options.read_only {
        statement.push_str(" READ ONLY");
    }
    if options.deferrable {
        statement.push_str(" DEFERRABLE");
    }
    Cow::Owned(statement)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_spelled_out() {
        assert_eq!(begin_statement(TransactionOptions::default()), "BEGIN");
        let options = TransactionOptions {
            isolation: Some(Isolation::Serializable),
            read_only: true,
            deferrable: true,
        };
        assert_eq!(
            begin_statement(options),
            "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE"
        );
    }
}
