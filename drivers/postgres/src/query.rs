use std::pin::pin;
use std::sync::Arc;

use underpin_core::driver::{Call as Asked, RowSink};
use underpin_core::{Error, Result};

use crate::call::{Call, Failure};
use crate::column::Described;
use crate::connection::Connection;
use crate::execute::ask_unnamed;
use crate::row::Row;
use crate::session::Session;
use crate::wire::answer::{Answer, Broken};
use crate::wire::body::fields;

/// The first row that could not be read; the sink has those before it.
type Unreadable = Option<Error>;

impl Connection {
    pub(crate) async fn run_fetch(
        &self,
        asked: Asked<'_>,
        mut sink: Box<dyn RowSink>,
    ) -> Result<Box<dyn RowSink>> {
        let mut call = Call::open_statement(self.session(), &asked)?;
        if !self.session().settings.options.owns_session() {
            return Box::pin(fetch_unnamed(call, &asked, sink)).await;
        }
        loop {
            let ready = match call.prepare(asked.sql).await {
                Ok(ready) => ready,
                Err(failure) => return Err(call.fail(failure).await),
            };
            let described = &ready.prepared.result;
            if let Err(error) = sink.begin(&described.columns) {
                if ready.is_fresh() {
                    return Err(call.refuse(error));
                }
                // A cached statement has the columns of the tables at the time of its preparation.
                self.session()
                    .statements()
                    .evict(&call.key(asked.sql), &ready.prepared);
                continue;
            }
            if let Err(failure) = ready.check(asked.params) {
                return Err(call.fail(failure).await);
            }
            match call.check(ready.prepared.nature) {
                Ok(nature) => call.submit_ready(nature, &ready, &asked),
                Err(error) => return Err(call.refuse(error)),
            }
            let joins = asked.shared.then_some(ready.prepared.name.number);
            let run = call.ask(joins, |out| ready.run(asked.params, out));
            let ended = match run.await {
                Ok(answer) => {
                    let read = pin!(read(answer, described, &mut *sink));
                    call.behind_begin(call.wait(read).await)
                }
                Err(failure) => Err(failure),
            };
            let failure = match ended {
                Ok(unreadable) => return finish(call, unreadable, sink),
                Err(failure) => failure,
            };
            if !Box::pin(call.can_try_anew(asked.sql, &ready, &failure)).await {
                return Err(call.fail(failure).await);
            }
        }
    }
}

fn finish(call: Call, unreadable: Unreadable, sink: Box<dyn RowSink>) -> Result<Box<dyn RowSink>> {
    match unreadable {
        None => call.done().map(|()| sink),
        Some(error) => Err(call.unreadable(error)),
    }
}

async fn read(
    mut answer: Answer,
    described: &Described,
    sink: &mut dyn RowSink,
) -> Result<Unreadable, Broken> {
    let mut unreadable = None;
    while answer.more().await? {
        while let Some(frame) = answer.next() {
            // The rest is read anyway: only then is the effect of the statement known.
            if frame.tag == b'D' && unreadable.is_none() && !sink.is_full() {
                unreadable = put(frame.body, described, sink).err();
            }
        }
    }
    Ok(unreadable)
}

/// Passes a row to the sink.
#[inline]
pub(crate) fn put(body: &[u8], described: &Described, sink: &mut dyn RowSink) -> Result<()> {
    sink.row(&Row::new(body, described)?)
}

async fn fetch_unnamed(
    mut call: Call,
    asked: &Asked<'_>,
    mut sink: Box<dyn RowSink>,
) -> Result<Box<dyn RowSink>> {
    if let Err(failure) = call.begin().await {
        return Err(call.fail(failure).await);
    }
    loop {
        let expected = match call.expected(asked.sql).await {
            Ok(expected) => expected,
            Err(failure) => return Err(call.fail(failure).await),
        };
        let described = &expected.described;
        let answer = match ask_unnamed(&mut call, asked.sql, asked.params, &described.formats) {
            Ok(answer) => answer,
            Err(failure) => return Err(call.fail(failure).await),
        };
        let session = call.session().clone();
        let ended = {
            let work = read_unnamed(&session, answer, asked.sql, described, &mut *sink);
            call.wait(pin!(work)).await
        };
        let failure = match ended {
            Ok(unreadable) => return finish(call, unreadable, sink),
            Err(failure) => failure,
        };
        if !call.expected_others(asked.sql, &expected, &failure) {
            return Err(call.fail(failure).await);
        }
    }
}

async fn read_unnamed(
    session: &Session,
    mut answer: Answer,
    sql: &str,
    expected: &Arc<Described>,
    sink: &mut dyn RowSink,
) -> Result<Unreadable, Failure> {
    let mut unreadable = None;
    let mut described = Arc::clone(expected);
    let mut begun = false;
    while answer.more().await? {
        while let Some(frame) = answer.next() {
            match frame.tag {
                b'T' => {
                    let fields = fields(frame.body).map_err(|why| session.spoiled(why))?;
                    described = session.unnamed.as_came(sql, expected, &fields);
                }
                b'D' if unreadable.is_none() => {
                    if !std::mem::replace(&mut begun, true) {
                        unreadable = sink.begin(&described.columns).err();
                    }
                    if unreadable.is_none() && !sink.is_full() {
                        unreadable = put(frame.body, &described, sink).err();
                    }
                }
                _ => {}
            }
        }
    }
    Ok(unreadable)
}
