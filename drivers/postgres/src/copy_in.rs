use bytes::Bytes;
use underpin_core::{Class, Error};

use crate::call::{Call, Failure};
use crate::prepare::{Ready, run_unnamed};
use crate::session::answered;
use crate::sql::Nature;
use crate::wire::answer::{Answer, Broken};
use crate::wire::body::affected;

/// A COPY that takes rows. If it is dropped before its end, no row is inserted.
pub(crate) struct CopyIn {
    answer: Answer,
    ended: bool,
}

impl Call {
    /// Begins a COPY, which then takes rows.
    pub(crate) async fn start_copy(&mut self, sql: &str) -> Result<CopyIn, Failure> {
        let nature = self.may_copy(sql)?;
        let ready = match self.session().settings.options.owns_session() {
            true => Some(self.prepare(sql).await?),
            false => None,
        };
        if self.has_outlived_its_transaction() {
            return Err(Failure::Ours(crate::session::transaction_ended()));
        }
        self.submit_copy_in(nature);
        let asked = self.session().wire.ask(|machine, reply| {
            machine.copy_in(reply, |out| match &ready {
                Some(ready) => Ready::run(ready, &[], out),
                None => run_unnamed(sql, &[], &[], out),
            })
        });
        let copy = CopyIn {
            answer: answered(asked)?,
            ended: false,
        };
        self.wait(copy.granted()).await
    }

    /// Refuses every statement that is not a COPY from or to the client.
    pub(crate) fn may_copy(&self, sql: &str) -> Result<Nature, Failure> {
        let nature = Nature::of(sql);
        match nature.copies {
            true => Ok(nature),
            false => Err(Failure::Ours(no_copy())),
        }
    }
}

impl CopyIn {
    /// Waits until the server takes rows.
    pub(crate) async fn granted(mut self) -> Result<Self, Failure> {
        while self.answer.more().await? {
            while let Some(frame) = self.answer.next() {
                match frame.tag {
                    b'G' => return Ok(self),
                    b'T' => {}
                    _ => return Err(Failure::Ours(no_copy())),
                }
            }
        }
        Err(Failure::Ours(no_copy()))
    }

    /// Sends rows, once the earlier ones are on their way. Returns whether the server takes more:
    /// if it has refused a row, [`finish`](CopyIn::finish) tells which one.
    pub(crate) async fn send(&mut self, rows: Bytes) -> bool {
        let number = self.answer.number();
        let wire = self.answer.wire();
        wire.room().await;
        wire.tell(|machine| machine.copy_data(number, &rows))
    }

    /// Ends the rows, and returns their number once they are inserted.
    pub(crate) async fn finish(mut self) -> Result<u64, Broken> {
        self.end(true);
        let mut count = 0;
        while self.answer.more().await? {
            while let Some(frame) = self.answer.next() {
                if frame.tag == b'C' {
                    count = affected(frame.body);
                }
            }
        }
        Ok(count)
    }

    fn end(&mut self, well: bool) {
        if !std::mem::replace(&mut self.ended, true) {
            let number = self.answer.number();
            self.answer
                .wire()
                .tell(|machine| machine.end_copy(number, well));
        }
    }
}

impl Drop for CopyIn {
    fn drop(&mut self) {
        self.end(false);
    }
}

#[cold]
pub(crate) fn no_copy() -> Error {
    Error::new(
        Class::Unsupported,
        "The statement is not a COPY from STDIN or to STDOUT.",
    )
    .with_hint("Use copy_in for COPY … FROM STDIN, and copy_out for COPY … TO STDOUT.")
}
