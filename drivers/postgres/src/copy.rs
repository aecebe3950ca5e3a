use std::pin::{Pin, pin};

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use tokio_postgres::CopyOutStream;
use underpin_core::{Class, Deadline, Error, Result};

use crate::call::{Call, Failure};
use crate::connection::Connection;
use crate::opening::ended;

/// What a COPY sends, in pieces as they come.
pub type CopyOut = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

impl Connection {
    /// Runs a `COPY … FROM STDIN` with what the stream gives, and gives the number of
    /// rows. An error from the stream ends the COPY, and no row is in.
    ///
    /// # Errors
    /// As for [`Connection::execute`](underpin_core::driver::Connection::execute). An
    /// error from the stream is [`Class::Data`] with that error as its source.
    ///
    /// # Cancel safety
    /// Dropped half-way, no row is put in, unless the last answer was under way.
    pub async fn copy_in<S, E>(&self, sql: &str, data: S, deadline: Deadline) -> Result<u64>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: std::error::Error + Send + Sync + 'static,
    {
        self.require_session()?;
        let mut call = Call::open(self.session(), deadline)?;
        if let Err(failure) = call.begin().await {
            return Err(call.fail(failure).await);
        }
        let mut sink = match self.start_copy(&mut call, sql).await {
            Ok(sink) => Box::pin(sink),
            Err(failure) => return Err(call.fail(failure).await),
        };
        let mut data = pin!(data);
        loop {
            let failure = match call.in_time(data.next()).await {
                Some(Some(Ok(chunk))) => match call
                    .wait(futures_util::SinkExt::send(&mut sink, chunk))
                    .await
                {
                    Ok(()) => continue,
                    Err(failure) => failure,
                },
                Some(None) => return call.finish_copy(sink, Bytes::new()).await,
                Some(Some(Err(error))) => {
                    drop(sink);
                    let failed = Error::new(
                        Class::Data,
                        format!("The rows to copy could not be read: {error}."),
                    );
                    return Err(call.abort_copy(failed.with_source(error)).await);
                }
                None => {
                    drop(sink);
                    let late = Error::new(
                        Class::Timeout {
                            stage: underpin_core::Stage::Statement,
                        },
                        "The deadline passed before all rows to copy were there; none was put in.",
                    );
                    return Err(call.abort_copy(late).await);
                }
            };
            drop(sink);
            return Err(call.fail(failure).await);
        }
    }

    /// Runs a `COPY … TO STDOUT`, and gives what it sends, in bounded memory. The stream
    /// keeps the connection busy until it ends or is dropped.
    ///
    /// # Errors
    /// As for [`Connection::stream`](underpin_core::driver::Connection::stream).
    ///
    /// # Cancel safety
    /// Dropped half-way, the state is `Busy` until the server has answered.
    pub async fn copy_out(&self, sql: &str, deadline: Deadline) -> Result<CopyOut> {
        self.require_session()?;
        let mut call = Call::open(self.session(), deadline)?;
        if let Err(failure) = call.begin().await {
            return Err(call.fail(failure).await);
        }
        let ready = match call.prepare(sql).await {
            Ok(ready) => ready,
            Err(failure) => return Err(call.fail(failure).await),
        };
        if call.has_outlived_its_transaction() {
            return Err(call.refuse(ended()));
        }
        call.submit(ready.prepared.nature);
        let begun = call
            .wait(self.session().client.copy_out(&ready.prepared.statement))
            .await;
        let native = match begun {
            Ok(native) => Box::pin(native),
            Err(failure) => return Err(call.fail(failure).await),
        };
        call.hold();
        let chunks = Box::new(Chunks {
            native,
            call: Some(call),
        });
        Ok(Box::pin(stream::unfold(chunks, |mut chunks| async move {
            let next = chunks.next().await?;
            Some((next, chunks))
        })))
    }

    /// COPY needs a prepared statement, and a pooler in transaction mode keeps none.
    fn require_session(&self) -> Result<()> {
        if self.session().settings.options.owns_session() {
            return Ok(());
        }
        Err(Error::new(Class::Unsupported, "COPY is not available without prepared statements.")
            .with_hint("Set statement_cache_size above 0 and connect to the server itself, or use bulk_insert."))
    }
}

struct Chunks {
    native: Pin<Box<CopyOutStream>>,
    call: Option<Call>,
}

impl Chunks {
    async fn next(&mut self) -> Option<Result<Bytes>> {
        match self.call.as_ref()?.in_time(self.native.try_next()).await {
            Some(Ok(Some(chunk))) => Some(Ok(chunk)),
            Some(Ok(None)) => self.end().await.err().map(Err),
            Some(Err(error)) => Some(Err(self.call.take()?.fail(Failure::Native(error)).await)),
            None => {
                let call = self.call.take()?;
                let drained = {
                    let rest = pin!(async {
                        while self.native.try_next().await?.is_some() {}
                        Ok::<_, tokio_postgres::Error>(())
                    });
                    call.cut_short(rest).await
                };
                Some(Err(match drained {
                    Ok(()) => call.late_but_complete(),
                    Err(failure) => call.fail(failure).await,
                }))
            }
        }
    }

    /// All rows are here; what is left is the statement's own end, which the client takes
    /// for wrong messages unless it is an error.
    async fn end(&mut self) -> Result<()> {
        let Some(call) = self.call.take() else {
            return Ok(());
        };
        for _ in ["its completion", "the server's readiness"] {
            match call.in_time(self.native.try_next()).await {
                Some(Err(error)) if error.as_db_error().is_some() || error.is_closed() => {
                    return Err(call.fail(Failure::Native(error)).await);
                }
                _ => {}
            }
        }
        call.settle().await;
        call.done()
    }
}
