use std::pin::{Pin, pin};

use futures_util::TryStreamExt;
use tokio_postgres::RowStream as Native;
use underpin_core::driver::{Call as Asked, RowSink};
use underpin_core::{Error, Result};

use crate::call::{Call, Failure};
use crate::column::Described;
use crate::connection::Connection;
use crate::execute::as_text;
use crate::row::Row;
use crate::sql::Nature;
use crate::statement_limit::Setting;

/// The first row that could not be read; the sink has those before it.
type Unreadable = Option<Error>;

impl Connection {
    pub(crate) async fn run_fetch(
        &self,
        asked: Asked<'_>,
        mut sink: Box<dyn RowSink>,
    ) -> Result<Box<dyn RowSink>> {
        let mut call = Call::open_for(self.session(), &asked)?;
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
                // A statement that was kept has the columns of the tables as they were.
                self.session()
                    .statements()
                    .evict(asked.sql, &ready.prepared);
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
            let client = &self.session().client;
            let statement = &ready.prepared.statement;
            let ended = {
                let work = async {
                    let rows = pin!(client.query_raw(statement, params).await?);
                    read(rows, described, &mut *sink).await
                };
                call.run(pin!(work)).await
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
    mut native: Pin<&mut Native>,
    described: &Described,
    sink: &mut dyn RowSink,
) -> Result<Unreadable, tokio_postgres::Error> {
    let mut unreadable = None;
    while let Some(row) = native.try_next().await? {
        // The rest is read all the same: only then is it known what the statement did.
        if unreadable.is_none() && !sink.is_full() {
            unreadable = sink.row(&Row::new(&row, described)).err();
        }
    }
    Ok(unreadable)
}

async fn fetch_unnamed(
    mut call: Call,
    asked: &Asked<'_>,
    mut sink: Box<dyn RowSink>,
) -> Result<Box<dyn RowSink>> {
    if let Err(failure) = call.begin().await {
        return Err(call.fail(failure).await);
    }
    call.note_limit(Setting::of(asked.sql));
    match call.check(Nature::of(asked.sql)) {
        Ok(nature) => call.submit(nature),
        Err(error) => return Err(call.refuse(error)),
    }
    let session = call.session().clone();
    let ended = {
        let work = async {
            let mut native = pin!(
                session
                    .client
                    .query_typed_raw(asked.sql, as_text(asked.params))
                    .await?
            );
            let Some(first) = native.try_next().await? else {
                return Ok(None);
            };
            let described = Described::new(first.columns());
            let mut begun = sink.begin(&described.columns);
            if begun.is_ok() && !sink.is_full() {
                begun = sink.row(&Row::new(&first, &described));
            }
            match begun {
                Ok(()) => read(native, &described, &mut *sink).await,
                Err(error) => {
                    while native.try_next().await?.is_some() {}
                    Ok(Some(error))
                }
            }
        };
        call.wait(pin!(work)).await
    };
    match ended {
        Ok(unreadable) => finish(call, unreadable, sink),
        Err(failure @ (Failure::Native(_) | Failure::Ours(_) | Failure::Late(_))) => {
            Err(call.fail(failure).await)
        }
    }
}
