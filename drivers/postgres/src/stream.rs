use std::pin::pin;
use std::sync::Arc;

use futures_util::stream;
use underpin_core::driver::{Call as Asked, Fetching, RowSink};
use underpin_core::{Columns, Error, Result};

use crate::call::{Call, Failure};
use crate::column::Described;
use crate::connection::Connection;
use crate::execute::ask_unnamed;
use crate::message_limit;
use crate::query::put;
use crate::statements::Prepared;
use crate::wire::answer::{Answer, Broken};
use crate::wire::body::fields;

/// A result that is read row by row.
struct Rows {
    answer: Answer,
    /// `None` once the result has ended.
    call: Option<Call>,
    source: Source,
    sink: Box<dyn RowSink>,
    /// The error of a row that could not be read, after the rows that are delivered first.
    unreadable: Option<Error>,
}

/// The source of the columns' description.
enum Source {
    Prepared(Arc<Prepared>),
    Own(Arc<Described>),
}

impl Source {
    fn described(&self) -> &Described {
        match self {
            Source::Prepared(prepared) => &prepared.result,
            Source::Own(described) => described,
        }
    }
}

impl Connection {
    pub(crate) async fn run_stream(
        &self,
        asked: Asked<'_>,
        sink: Box<dyn RowSink>,
    ) -> Result<(Columns, Fetching)> {
        message_limit::check(asked.sql, asked.params)?;
        let call = Call::open(self.session(), asked.deadline)?;
        if let Err(failure) = call.begin().await {
            return Err(call.fail(failure).await);
        }
        let rows = if self.session().settings.options.owns_session() {
            named(call, &asked, sink).await?
        } else {
            unnamed(call, &asked, sink).await?
        };
        let columns = rows.source.described().columns.clone();
        let stream = stream::unfold(Box::new(rows), |mut rows| async move {
            let next = rows.next().await?;
            Some((next, rows))
        });
        Ok((columns, Box::pin(stream)))
    }
}

async fn named(mut call: Call, asked: &Asked<'_>, mut sink: Box<dyn RowSink>) -> Result<Rows> {
    let session = Arc::clone(call.session());
    loop {
        let ready = match call.prepare(asked.sql).await {
            Ok(ready) => ready,
            Err(failure) => return Err(call.fail(failure).await),
        };
        if let Err(error) = sink.begin(&ready.prepared.result.columns) {
            if ready.is_fresh() {
                return Err(call.refuse(error));
            }
            let key = call.key(asked.sql);
            session.statements().evict(&key, &ready.prepared);
            continue;
        }
        if let Err(failure) = ready.check(asked.params) {
            return Err(call.fail(failure).await);
        }
        match call.check(ready.prepared.nature) {
            Ok(nature) => call.submit_ready(nature, &ready, asked),
            Err(error) => return Err(call.refuse(error)),
        }
        let begun = match call.ask(None, |out| ready.run(asked.params, out)).await {
            Ok(answer) => {
                let begin = async {
                    let mut answer = answer;
                    answer.more().await?;
                    Ok::<_, Broken>(answer)
                };
                call.wait(pin!(begin)).await
            }
            Err(failure) => Err(failure),
        };
        let failure = match begun {
            Ok(answer) => {
                call.hold();
                return Ok(Rows {
                    answer,
                    call: Some(call),
                    source: Source::Prepared(Arc::clone(&ready.prepared)),
                    sink,
                    unreadable: None,
                });
            }
            Err(failure) => failure,
        };
        if !call.can_try_anew(asked.sql, &ready, &failure).await {
            return Err(call.fail(failure).await);
        }
    }
}

async fn unnamed(mut call: Call, asked: &Asked<'_>, mut sink: Box<dyn RowSink>) -> Result<Rows> {
    let session = Arc::clone(call.session());
    let begun = loop {
        let expected = match call.expected(asked.sql).await {
            Ok(expected) => expected,
            Err(failure) => return Err(call.fail(failure).await),
        };
        let texts = &expected.described.formats;
        let answer = match ask_unnamed(&mut call, asked.sql, asked.params, texts) {
            Ok(answer) => answer,
            Err(failure) => return Err(call.fail(failure).await),
        };
        let begin = async {
            let mut answer = answer;
            let mut described = None;
            // The columns come before the rows, or nothing if there are none.
            if answer.more().await?
                && let Some(frame) = answer.next()
                && frame.tag == b'T'
            {
                let fields = fields(frame.body).map_err(|why| session.spoiled(why))?;
                let known = &expected.described;
                described = Some(session.unnamed.as_came(asked.sql, known, &fields));
            }
            Ok::<_, Failure>((answer, described))
        };
        match call.wait(pin!(begin)).await {
            Err(failure) if call.expected_others(asked.sql, &expected, &failure) => {}
            begun => break begun,
        }
    };
    let (answer, described) = match begun {
        Ok(begun) => begun,
        Err(failure) => return Err(call.fail(failure).await),
    };
    call.hold();
    let begun = match &described {
        Some(described) => sink.begin(&described.columns),
        None => Ok(()),
    };
    let mut rows = Rows {
        answer,
        call: Some(call),
        source: Source::Own(described.unwrap_or_default()),
        sink,
        unreadable: None,
    };
    match begun {
        Ok(()) => Ok(rows),
        Err(error) => Err(rows.give_up(error).await),
    }
}

impl Rows {
    /// Passes all rows that have arrived to the sink, and waits for one if there are none.
    async fn next(&mut self) -> Option<Result<()>> {
        if let Some(error) = self.unreadable.take() {
            return Some(Err(self.give_up(error).await));
        }
        loop {
            let call = self.call.as_ref()?;
            match call.in_time(self.answer.more()).await {
                None => return Some(Err(self.run_out().await)),
                Some(Err(broken)) => {
                    return Some(Err(self.call.take()?.fail(Failure::Broken(broken)).await));
                }
                Some(Ok(false)) => return self.call.take()?.done().err().map(Err),
                Some(Ok(true)) => {}
            }
            let mut some = false;
            while let Some(frame) = self.answer.next() {
                if frame.tag != b'D' {
                    continue;
                }
                if let Err(error) = put(frame.body, self.source.described(), &mut *self.sink) {
                    if some {
                        self.unreadable = Some(error);
                        break;
                    }
                    return Some(Err(self.give_up(error).await));
                }
                some = true;
            }
            if some {
                return Some(Ok(()));
            }
        }
    }

    /// The deadline has passed: stops the statement, and returns its outcome.
    async fn run_out(&mut self) -> Error {
        let Some(call) = self.call.take() else {
            return ended();
        };
        let drained = call.cut_short(pin!(drain(&mut self.answer))).await;
        match drained {
            Ok(()) => call.late_but_complete(),
            Err(failure) => call.fail(failure).await,
        }
    }

    /// A row could not be read: lets the statement complete, and returns the error with its effect.
    async fn give_up(&mut self, error: Error) -> Error {
        let Some(call) = self.call.take() else {
            return ended();
        };
        match call.wait(drain(&mut self.answer)).await {
            Ok(()) => call.unreadable(error),
            Err(failure) => call.fail(failure).await,
        }
    }
}

/// Waits for the end of an answer whose content is no longer needed.
pub(crate) async fn drain(answer: &mut Answer) -> Result<(), Broken> {
    while answer.more().await? {
        answer.skip();
    }
    Ok(())
}

#[cold]
fn ended() -> Error {
    Error::new(
        underpin_core::Class::Closed,
        "The rows have already been read to their end.",
    )
}
