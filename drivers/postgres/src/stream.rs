use std::pin::Pin;
use std::sync::Arc;

use futures_util::stream::{self, TryStreamExt};
use tokio_postgres::RowStream as Native;
use underpin_core::driver::{Call as Asked, Fetching, RowSink};
use underpin_core::{Columns, Error, Result};

use crate::call::{Call, Failure};
use crate::column::Described;
use crate::connection::Connection;
use crate::execute::as_text;
use crate::row::Row;
use crate::sql::Nature;
use crate::statement_limit::Setting;
use crate::statements::Prepared;

/// A result that is read row by row.
struct Rows {
    native: Pin<Box<Native>>,
    /// Gone once the result has ended.
    call: Option<Call>,
    source: Source,
    sink: Box<dyn RowSink>,
    /// A row that had to be read to learn the columns.
    first: Option<tokio_postgres::Row>,
}

/// Where the columns are described.
enum Source {
    Prepared(Arc<Prepared>),
    Own(Described),
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
            session.statements().evict(asked.sql, &ready.prepared);
            continue;
        }
        let params = match ready.params(asked.params) {
            Ok(params) => params,
            Err(failure) => return Err(call.fail(failure).await),
        };
        match call.check(ready.prepared.nature) {
            Ok(nature) => call.submit(nature),
            Err(error) => return Err(call.refuse(error)),
        }
        let failure = match call
            .wait(session.client.query_raw(&ready.prepared.statement, params))
            .await
        {
            Ok(native) => {
                call.hold();
                return Ok(Rows {
                    native: Box::pin(native),
                    call: Some(call),
                    source: Source::Prepared(Arc::clone(&ready.prepared)),
                    sink,
                    first: None,
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
    call.note_limit(Setting::of(asked.sql));
    match call.check(Nature::of(asked.sql)) {
        Ok(nature) => call.submit(nature),
        Err(error) => return Err(call.refuse(error)),
    }
    let session = Arc::clone(call.session());
    let begun = call
        .wait(async {
            let native = session
                .client
                .query_typed_raw(asked.sql, as_text(asked.params))
                .await?;
            let mut native = Box::pin(native);
            let first = native.try_next().await?;
            Ok((native, first))
        })
        .await;
    let (native, first) = match begun {
        Ok(begun) => begun,
        Err(failure) => return Err(call.fail(failure).await),
    };
    let Some(first) = first else {
        call.done()?;
        let source = Source::Own(Described::default());
        return Ok(Rows {
            native,
            call: None,
            source,
            sink,
            first: None,
        });
    };
    let described = Described::new(first.columns());
    call.hold();
    let begun = sink.begin(&described.columns);
    let mut rows = Rows {
        native,
        call: Some(call),
        source: Source::Own(described),
        sink,
        first: Some(first),
    };
    match begun {
        Ok(()) => Ok(rows),
        Err(error) => Err(rows.give_up(error).await),
    }
}

impl Rows {
    async fn next(&mut self) -> Option<Result<()>> {
        let native = match self.first.take() {
            Some(first) => Ok(Some(first)),
            None => match self.call.as_ref()?.in_time(self.native.try_next()).await {
                Some(next) => next,
                None => return Some(Err(self.run_out().await)),
            },
        };
        match native {
            Ok(Some(native)) => {
                let row = Row::new(&native, self.source.described());
                match self.sink.row(&row) {
                    Ok(()) => Some(Ok(())),
                    Err(error) => Some(Err(self.give_up(error).await)),
                }
            }
            Ok(None) => self.call.take()?.done().err().map(Err),
            Err(error) => Some(Err(self.call.take()?.fail(Failure::Native(error)).await)),
        }
    }

    /// The deadline has passed: stops the statement, and says what came of it.
    async fn run_out(&mut self) -> Error {
        let Some(call) = self.call.take() else {
            return ended();
        };
        let drained = {
            let rest = std::pin::pin!(async {
                while self.native.try_next().await?.is_some() {}
                Ok::<_, tokio_postgres::Error>(())
            });
            call.cut_short(rest).await
        };
        match drained {
            Ok(()) => call.late_but_complete(),
            Err(failure) => call.fail(failure).await,
        }
    }

    /// A row could not be read: lets the statement run to its end, and hands the error on
    /// with its effect.
    async fn give_up(&mut self, error: Error) -> Error {
        let Some(call) = self.call.take() else {
            return ended();
        };
        let drained = call
            .wait(async {
                while self.native.try_next().await?.is_some() {}
                Ok(())
            })
            .await;
        match drained {
            Ok(()) => call.unreadable(error),
            Err(failure) => call.fail(failure).await,
        }
    }
}

#[cold]
fn ended() -> Error {
    Error::new(
        underpin_core::Class::Closed,
        "The rows were read to their end before.",
    )
}
