use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::SinkExt;
use tokio_postgres::CopyInSink;
use tokio_postgres::types::Type;
use underpin_core::driver::{BulkTarget, Pooled, RowSource, SessionState};
use underpin_core::{Class, Deadline, Effect, Error, Params, Result, TransactionOptions, quote};

use crate::call::{Call, Failure};
use crate::connection::Connection;
use crate::copy_place::located;
use crate::copy_row::{Format, RowWriter};
use crate::opening::ended;

impl Connection {
    pub(crate) async fn run_insert_rows(
        &self,
        target: BulkTarget<'_>,
        rows: &mut dyn RowSource,
        deadline: Deadline,
    ) -> Result<u64> {
        let place = CopyTarget::new(target)?;
        let located = |error| located(error, target.table, target.columns);
        let mut first = Params::new();
        if !rows.next(&mut first) {
            return Ok(0);
        }
        if self.session().settings.options.owns_session() {
            let call = Call::open(self.session(), deadline)?;
            return self
                .insert(call, &place, first, rows)
                .await
                .map_err(located);
        }
        // Behind a pooler, only a transaction keeps the statement and its rows on one server.
        let own = self.state() != SessionState::InTransaction;
        if own {
            self.run_begin(TransactionOptions::default(), deadline)
                .await?;
        }
        let call = Call::open(self.session(), deadline)?;
        let inserted = self
            .insert(call, &place, first, rows)
            .await
            .map_err(located);
        if own {
            match inserted {
                Ok(_) => self.run_commit().await?,
                Err(_) => drop(self.run_rollback(deadline).await),
            }
        }
        inserted
    }

    async fn insert(
        &self,
        mut call: Call,
        place: &CopyTarget<'_>,
        mut row: Params,
        rows: &mut dyn RowSource,
    ) -> Result<u64> {
        if let Err(failure) = call.begin().await {
            return Err(call.fail(failure).await);
        }
        let format = match self.format(&call, place, &row).await {
            Ok(format) => format,
            Err(failure) => return Err(call.fail(failure).await),
        };
        let sql = format!(
            "COPY {} ({}) FROM STDIN{}",
            place.table,
            place.columns,
            format.clause()
        );
        let mut writer = RowWriter::new(format, place.names);
        if let Err(error) = writer.add(&row) {
            return Err(call.refuse(error));
        }
        let sink = match self.start_copy(&mut call, &sql).await {
            Ok(sink) => sink,
            Err(failure) => return Err(call.fail(failure).await),
        };
        let mut sink = Box::pin(sink);
        loop {
            row.clear();
            if !rows.next(&mut row) {
                break;
            }
            if let Err(error) = writer.add(&row) {
                drop(sink);
                return Err(call.abort_copy(error).await);
            }
            if let Some(chunk) = writer.full() {
                if let Err(failure) = call.wait(sink.send(chunk)).await {
                    drop(sink);
                    return Err(call.fail(failure).await);
                }
                // The server has refused a row; the end of the COPY tells which.
                if self.session().link.unsettled.load(Ordering::Acquire) {
                    break;
                }
            }
        }
        let last = writer.finish();
        call.finish_copy(sink, last).await
    }

    async fn format(
        &self,
        call: &Call,
        place: &CopyTarget<'_>,
        first: &Params,
    ) -> Result<Format, Failure> {
        if !self.session().settings.options.owns_session() {
            return Ok(Format::Text);
        }
        let describe = format!("SELECT {} FROM {} LIMIT 0", place.columns, place.table);
        // Prepared anew each time: since it is never run, nothing would tell that the table
        // has changed.
        let statement = call.wait(self.session().client.prepare(&describe)).await?;
        let columns = statement.columns().iter();
        let types: Vec<Type> = columns.map(|column| column.type_().clone()).collect();
        Ok(Format::choose(&types, first))
    }

    /// Begins a COPY; what it takes is the rows.
    pub(crate) async fn start_copy(
        &self,
        call: &mut Call,
        sql: &str,
    ) -> Result<CopyInSink<Bytes>, Failure> {
        let client = &self.session().client;
        if self.session().settings.options.owns_session() {
            let ready = call.prepare(sql).await?;
            if call.has_outlived_its_transaction() {
                return Err(Failure::Ours(ended()));
            }
            call.submit_copy_in();
            call.wait(client.copy_in(&ready.prepared.statement)).await
        } else {
            call.submit_copy_in();
            call.wait(client.copy_in(sql)).await
        }
    }
}

impl Call {
    /// Sends the last rows, and waits until they are in for good.
    pub(crate) async fn finish_copy(
        self,
        mut sink: Pin<Box<CopyInSink<Bytes>>>,
        last: Bytes,
    ) -> Result<u64> {
        let work = async {
            if !last.is_empty() {
                sink.send(last).await?;
            }
            let count = sink.as_mut().finish().await?;
            // The rows are complete, and then the server commits them: that can fail too.
            // What comes when it does not is a message that the client takes for a wrong one.
            match sink.as_mut().finish().await {
                Err(error) if error.as_db_error().is_some() || error.is_closed() => Err(error),
                _ => Ok(count),
            }
        };
        let ended = self.wait(pin!(work)).await;
        drop(sink);
        match ended {
            Ok(count) => {
                self.settle().await;
                self.done().map(|()| count)
            }
            Err(failure) => Err(self.fail(failure).await),
        }
    }

    /// Ends a COPY whose sink was dropped, so that none of its rows is in.
    pub(crate) async fn abort_copy(self, error: Error) -> Error {
        match self.wait(self.session().quiet()).await {
            Ok(()) => self.refuse(error.with_effect(Effect::RolledBack)),
            Err(failure) => {
                let lost = self.fail(failure).await;
                // The rows' end was never sent.
                error.with_effect(Effect::RolledBack).with_source(lost)
            }
        }
    }
}

/// Where the rows go, as SQL.
struct CopyTarget<'a> {
    table: String,
    columns: String,
    names: &'a [&'a str],
}

impl<'a> CopyTarget<'a> {
    fn new(target: BulkTarget<'a>) -> Result<Self> {
        if target.columns.is_empty() {
            return Err(Error::new(
                Class::Config,
                "A bulk insert needs the names of the columns.",
            ));
        }
        let columns: Vec<String> = target
            .columns
            .iter()
            .map(|name| quote::identifier(name))
            .collect::<Result<_>>()?;
        Ok(CopyTarget {
            table: quote::qualified(target.table)?,
            columns: columns.join(", "),
            names: target.columns,
        })
    }
}
