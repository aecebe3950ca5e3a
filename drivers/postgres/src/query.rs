use std::pin::{Pin, pin};

use futures_util::TryStreamExt;
use tokio_postgres::RowStream as Native;
use underpin_core::driver::Call as Asked;
use underpin_core::{Error, FromRow, Result};

use crate::call::{Call, Failure};
use crate::column::Described;
use crate::connection::Connection;
use crate::execute::as_text;
use crate::row::Row;
use crate::sql::Nature;
use crate::statement_limit::Setting;

/// The rows read so far, and the first that could not be.
struct Read<T> {
    rows: Vec<T>,
    unreadable: Option<Error>,
}

impl Connection {
    pub(crate) async fn run_query<T>(&self, asked: Asked<'_>, limit: usize) -> Result<Vec<T>>
    where
        T: FromRow + Send + 'static,
    {
        let mut call = Call::open_for(self.session(), &asked)?;
        if !self.session().settings.options.owns_session() {
            return Box::pin(query_unnamed(call, &asked, limit)).await;
        }
        loop {
            let ready = match call.prepare(asked.sql).await {
                Ok(ready) => ready,
                Err(failure) => return Err(call.fail(failure).await),
            };
            let described = &ready.prepared.result;
            let layout = match T::layout(&described.columns) {
                Ok(layout) => layout,
                Err(error) => return Err(call.refuse(error)),
            };
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
            let work = async {
                let rows = pin!(client.query_raw(statement, params).await?);
                read(rows, described, &layout, limit).await
            };
            let failure = match call.run(pin!(work)).await {
                Ok(read) => return finish(call, read),
                Err(failure) => failure,
            };
            if !Box::pin(call.can_try_anew(asked.sql, &ready, &failure)).await {
                return Err(call.fail(failure).await);
            }
        }
    }
}

fn finish<T>(call: Call, read: Read<T>) -> Result<Vec<T>> {
    match read.unreadable {
        None => call.done().map(|()| read.rows),
        Some(error) => Err(call.unreadable(error)),
    }
}

async fn read<T: FromRow>(
    mut native: Pin<&mut Native>,
    described: &Described,
    layout: &T::Layout,
    limit: usize,
) -> Result<Read<T>, tokio_postgres::Error> {
    let mut read = Read {
        rows: Vec::new(),
        unreadable: None,
    };
    while let Some(row) = native.try_next().await? {
        if read.rows.len() < limit && read.unreadable.is_none() {
            match T::from_row(&Row::new(&row, described), layout) {
                Ok(row) => read.rows.push(row),
                // The rest is read all the same: only then is it known what the statement did.
                Err(error) => read.unreadable = Some(error),
            }
        }
    }
    Ok(read)
}

async fn query_unnamed<T: FromRow>(
    mut call: Call,
    asked: &Asked<'_>,
    limit: usize,
) -> Result<Vec<T>> {
    if let Err(failure) = call.begin().await {
        return Err(call.fail(failure).await);
    }
    call.note_limit(Setting::of(asked.sql));
    match call.check(Nature::of(asked.sql)) {
        Ok(nature) => call.submit(nature),
        Err(error) => return Err(call.refuse(error)),
    }
    let session = call.session().clone();
    let work = async {
        let mut native = pin!(
            session
                .client
                .query_typed_raw(asked.sql, as_text(asked.params))
                .await?
        );
        let Some(first) = native.try_next().await? else {
            return Ok(Read {
                rows: Vec::new(),
                unreadable: None,
            });
        };
        let described = Described::new(first.columns());
        let begun = T::layout(&described.columns).and_then(|layout| {
            let first = T::from_row(&Row::new(&first, &described), &layout)?;
            Ok((layout, first))
        });
        match begun {
            Ok((layout, first)) => {
                let mut rest = read(native, &described, &layout, limit.saturating_sub(1)).await?;
                if limit > 0 {
                    rest.rows.insert(0, first);
                }
                Ok(rest)
            }
            Err(error) => {
                while native.try_next().await?.is_some() {}
                Ok(Read {
                    rows: Vec::new(),
                    unreadable: Some(error),
                })
            }
        }
    };
    match call.wait(pin!(work)).await {
        Ok(read) => finish(call, read),
        Err(failure @ (Failure::Native(_) | Failure::Ours(_) | Failure::Late(_))) => {
            Err(call.fail(failure).await)
        }
    }
}
