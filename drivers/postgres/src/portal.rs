use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use underpin_core::{Class, Effect, Error, Result};

use crate::client::{Client, ClientRow, Parameter, Query, bind};
use crate::statements::Prepared;
use crate::wire::answer::{Answer, Broken};
use crate::wire::machine::IDLE;
use crate::wire::put;
use crate::wire::request::steps;

/// A statement that the server runs in parts: each [`fetch`](Portal::fetch) requests a number of
/// rows, and the server computes only those. Other statements of the transaction may run in
/// between. If the portal is dropped, the remaining rows are never computed.
pub struct Portal<'c> {
    client: &'c Client,
    name: String,
    prepared: Arc<Prepared>,
    is_complete: bool,
}

impl Client {
    /// Binds a statement to its parameters, so that its rows can be fetched in parts. This requires
    /// a transaction, with which the portal ends.
    ///
    /// # Errors
    /// As for [`query`](Client::query); [`Class::Unsupported`] outside a transaction.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn portal<'a>(
        &self,
        query: impl Into<Query<'a>>,
        params: &[Parameter<'_>],
    ) -> Result<Portal<'_>> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let call = self.open().await?;
        if self.session().wire.look().status == IDLE {
            return Err(call.refuse(no_transaction()));
        }
        let ready = match self.ready(&call, query.into()).await {
            Ok(ready) => ready,
            Err(failure) => return Err(call.fail(failure).await),
        };
        let prepared = ready.prepared;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let portal = Portal {
            client: self,
            name: format!("p{number}"),
            prepared,
            is_complete: false,
        };
        let bound = call.ask(None, |out| {
            bind(out, &portal.name, &portal.prepared, params)?;
            Ok(steps::BIND)
        });
        let ended = match bound.await {
            Ok(answer) => call.wait(pin!(answer.finish())).await,
            Err(failure) => Err(failure),
        };
        match ended {
            Ok(()) => call.done().map(|()| portal),
            Err(failure) => Err(call.fail(failure).await),
        }
    }
}

impl Portal<'_> {
    /// Returns the next rows, at most `limit`. If it returns fewer, there are no more.
    ///
    /// # Errors
    /// The server's refusal of the statement; [`Class::Data`] for a limit of 0.
    ///
    /// # Cancel safety
    /// If the future is dropped, the requested rows are lost.
    pub async fn fetch(&mut self, limit: u32) -> Result<Vec<ClientRow>> {
        if self.is_complete {
            return Ok(Vec::new());
        }
        let mut call = self.client.open().await?;
        // The protocol counts in 31 bits, and 0 means all.
        if limit == 0 || limit > i32::MAX as u32 {
            return Err(call.refuse(bad_limit(limit)));
        }
        match call.check(self.prepared.nature) {
            Ok(nature) => call.submit_known(nature, self.prepared.verdict.as_ref()),
            Err(error) => return Err(call.refuse(error)),
        }
        let asked = call.ask(None, |out| {
            put::execute(out, &self.name, limit);
            Ok(steps::EXECUTE)
        });
        let ended = match asked.await {
            Ok(answer) => call.wait(pin!(part(answer, &self.prepared))).await,
            Err(failure) => Err(failure),
        };
        match ended {
            Ok((rows, is_complete)) => {
                self.is_complete = is_complete;
                call.done().map(|()| rows)
            }
            Err(failure) => Err(call.fail(failure).await),
        }
    }

    /// Whether all rows were fetched.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }
}

/// The rows of an answer, and whether they are the last.
async fn part(
    mut answer: Answer,
    prepared: &Arc<Prepared>,
) -> Result<(Vec<ClientRow>, bool), Broken> {
    let (mut rows, mut is_complete) = (Vec::new(), true);
    while answer.more().await? {
        while let Some(frame) = answer.next() {
            match frame.tag {
                b'D' => {
                    let length = frame.body.len();
                    rows.push(ClientRow::of(&answer, length, prepared));
                }
                // PortalSuspended.
                b's' => is_complete = false,
                _ => {}
            }
        }
    }
    Ok((rows, is_complete))
}

impl Drop for Portal<'_> {
    fn drop(&mut self) {
        let wire = &self.client.session().wire;
        if !wire.is_broken() {
            // A portal that ended with its transaction is closed without an error.
            wire.tell(|machine| machine.forget(b'P', &self.name));
        }
    }
}

impl fmt::Debug for Portal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Portal")
            .field("is_complete", &self.is_complete)
            .finish_non_exhaustive()
    }
}

#[cold]
fn no_transaction() -> Error {
    Error::new(
        Class::Unsupported,
        "The rows of a statement can be fetched in parts only within a transaction.",
    )
    .with_effect(Effect::NotSent)
    .with_hint("Call begin of the connection first.")
}

#[cold]
fn bad_limit(limit: u32) -> Error {
    Error::new(
        Class::Data,
        format!(
            "{limit} is not a valid number of rows: it must be from 1 to {}.",
            i32::MAX
        ),
    )
    .with_effect(Effect::NotSent)
}
