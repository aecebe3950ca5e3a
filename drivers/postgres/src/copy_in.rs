use bytes::Bytes;
use underpin_core::{Class, Error};

use crate::call::{Call, Failure};
use crate::prepare::{Ready, run_unnamed};
use crate::session::answered;
use crate::sql::Nature;
use crate::wire::answer::{Answer, Broken};
use crate::wire::body::affected;

/// A COPY that takes rows. Dropped before its end, none of them is in.
pub(crate) struct CopyIn {
    answer: Answer,
    ended: bool,
}

impl Call {
    /// Begins a COPY; what it takes is the rows.
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

    /// Refuses what is no COPY from or to this side.
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

    /// Sends rows, once those before are on their way. Says whether the server takes more: where
    /// it has refused one, [`finish`](CopyIn::finish) tells which.
    pub(crate) async fn send(&mut self, rows: Bytes) -> bool {
        let number = self.answer.number();
        let wire = self.answer.wire();
        wire.room().await;
        wire.tell(|machine| machine.copy_data(number, &rows))
    }

    /// Ends the rows, and gives their number once they are in for good.
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
        "The statement is not a COPY that takes rows from this side, or gives it rows.",
    )
    .with_hint("Give COPY … FROM STDIN to copy_in, and COPY … TO STDOUT to copy_out.")
}
