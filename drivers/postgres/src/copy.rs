use std::pin::{Pin, pin};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use underpin_core::{Class, Deadline, Effect, Error, Result};

use crate::call::{Call, Failure};
use crate::connection::Connection;
use crate::copy_in::{CopyIn, no_copy};
use crate::session::{Session, transaction_ended};
use crate::stream::drain;
use crate::wire::answer::{Answer, Broken};

/// The output of a COPY, in pieces as they arrive.
pub type CopyOut = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

impl Connection {
    /// Runs a `COPY … FROM STDIN` with the data of the stream, and returns the number of rows. An
    /// error from the stream ends the COPY, and no row is inserted.
    ///
    /// # Errors
    /// As for [`Connection::execute`](underpin_core::driver::Connection::execute). An
    /// error from the stream is [`Class::Data`] with that error as its source.
    ///
    /// # Cancel safety
    /// If the future is dropped, no row is inserted, unless the last answer was on its way.
    pub async fn copy_in<S, E>(&self, sql: &str, data: S, deadline: Deadline) -> Result<u64>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: std::error::Error + Send + Sync + 'static,
    {
        require_session(self.session())?;
        self.copy_rows(sql, data, deadline).await
    }

    /// The same, with or without prepared statements.
    pub(crate) async fn copy_rows<S, E>(
        &self,
        sql: &str,
        data: S,
        deadline: Deadline,
    ) -> Result<u64>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: std::error::Error + Send + Sync + 'static,
    {
        let mut call = Call::open(self.session(), deadline)?;
        if let Err(failure) = call.begin().await {
            return Err(call.fail(failure).await);
        }
        let mut copy = match call.start_copy(sql).await {
            Ok(copy) => copy,
            Err(failure) => return Err(call.fail(failure).await),
        };
        let mut data = pin!(data);
        loop {
            match call.in_time(data.next()).await {
                Some(Some(Ok(rows))) => {
                    match call
                        .wait(async { Ok::<_, Failure>(copy.send(rows).await) })
                        .await
                    {
                        Ok(true) => {}
                        Ok(false) => return call.finish_copy(copy, Bytes::new()).await,
                        Err(failure) => {
                            drop(copy);
                            return Err(call.fail(failure).await);
                        }
                    }
                }
                Some(None) => return call.finish_copy(copy, Bytes::new()).await,
                Some(Some(Err(error))) => {
                    let failed = Error::new(
                        Class::Data,
                        format!("The rows to copy could not be read: {error}."),
                    );
                    return Err(call.abort_copy(copy, failed.with_source(error)).await);
                }
                None => {
                    let late = Error::new(
                        Class::Timeout {
                            stage: underpin_core::Stage::Statement,
                        },
                        "The deadline passed before all rows to copy had arrived; no row was inserted.",
                    );
                    return Err(call.abort_copy(copy, late).await);
                }
            }
        }
    }

    /// Runs a `COPY … TO STDOUT`, and returns its output as a stream, in bounded memory. The stream
    /// keeps the connection busy until it ends or is dropped.
    ///
    /// # Errors
    /// As for [`Connection::stream`](underpin_core::driver::Connection::stream).
    ///
    /// # Cancel safety
    /// If the future is dropped, the state is `Busy` until the server has answered.
    pub async fn copy_out(&self, sql: &str, deadline: Deadline) -> Result<CopyOut> {
        copy_out(self.session(), sql, deadline).await
    }
}

/// Runs a `COPY … TO STDOUT`, and returns its output.
pub(crate) async fn copy_out(
    session: &Arc<Session>,
    sql: &str,
    deadline: Deadline,
) -> Result<CopyOut> {
    require_session(session)?;
    let mut call = Call::open(session, deadline)?;
    if let Err(failure) = call.begin().await {
        return Err(call.fail(failure).await);
    }
    let begun = match call.may_copy(sql) {
        Ok(_) => call.prepare(sql).await,
        Err(failure) => Err(failure),
    };
    let ready = match begun {
        Ok(ready) => ready,
        Err(failure) => return Err(call.fail(failure).await),
    };
    if call.has_outlived_its_transaction() {
        return Err(call.refuse(transaction_ended()));
    }
    call.submit(ready.prepared.nature);
    let begun = match call.ask(None, |out| ready.run(&[], out)).await {
        Ok(answer) => call.wait(pin!(granted(answer))).await,
        Err(failure) => Err(failure),
    };
    let answer = match begun {
        Ok(answer) => answer,
        Err(failure) => return Err(call.fail(failure).await),
    };
    call.hold();
    let chunks = Box::new(Chunks {
        answer,
        call: Some(call),
    });
    Ok(Box::pin(stream::unfold(chunks, |mut chunks| async move {
        let next = chunks.next().await?;
        Some((next, chunks))
    })))
}

/// COPY needs a prepared statement, and a pooler in transaction mode keeps none.
pub(crate) fn require_session(session: &Session) -> Result<()> {
    if session.settings.options.owns_session() {
        return Ok(());
    }
    Err(Error::new(
        Class::Unsupported,
        "COPY is not available without prepared statements.",
    )
    .with_hint(
        "Set statement_cache_size above 0 and connect to the server itself, or use bulk_insert.",
    ))
}

/// Waits until the server begins to send rows.
async fn granted(mut answer: Answer) -> Result<Answer, Failure> {
    let granted = answer.more().await? && answer.next().is_some_and(|frame| frame.tag == b'H');
    match granted {
        true => Ok(answer),
        false => Err(Failure::Ours(no_copy())),
    }
}

struct Chunks {
    answer: Answer,
    call: Option<Call>,
}

impl Chunks {
    async fn next(&mut self) -> Option<Result<Bytes>> {
        loop {
            while let Some(frame) = self.answer.next() {
                if frame.tag == b'd' {
                    let length = frame.body.len();
                    return Some(Ok(self.answer.body(length)));
                }
            }
            let call = self.call.as_ref()?;
            match call.in_time(self.answer.more()).await {
                Some(Ok(true)) => {}
                Some(Ok(false)) => return self.call.take()?.done().err().map(Err),
                Some(Err(broken)) => {
                    return Some(Err(self.call.take()?.fail(Failure::Broken(broken)).await));
                }
                None => return Some(Err(self.run_out().await?)),
            }
        }
    }

    /// The deadline has passed: stops the COPY, and returns its outcome.
    async fn run_out(&mut self) -> Option<Error> {
        let call = self.call.take()?;
        let drained = call.cut_short(pin!(drain(&mut self.answer))).await;
        Some(match drained {
            Ok(()) => call.late_but_complete(),
            Err(failure) => call.fail(failure).await,
        })
    }
}

impl Call {
    /// Sends the last rows, and waits until all are inserted.
    pub(crate) async fn finish_copy(self, copy: CopyIn, last: Bytes) -> Result<u64> {
        let work = async {
            let mut copy = copy;
            if !last.is_empty() {
                copy.send(last).await;
            }
            copy.finish().await
        };
        match self.wait::<_, Broken>(pin!(work)).await {
            Ok(count) => self.done().map(|()| count),
            Err(failure) => Err(self.fail(failure).await),
        }
    }

    /// Ends a COPY so that no row is inserted.
    pub(crate) async fn abort_copy(self, copy: CopyIn, error: Error) -> Error {
        drop(copy);
        match self.wait(self.session().quiet()).await {
            Ok(()) => self.refuse(error.with_effect(Effect::RolledBack)),
            Err(failure) => {
                let lost = self.fail(failure).await;
                // The end of the rows was never sent.
                error.with_effect(Effect::RolledBack).with_source(lost)
            }
        }
    }
}
