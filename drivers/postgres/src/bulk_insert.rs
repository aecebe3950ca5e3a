use underpin_core::driver::{BulkTarget, Pooled, RowSource, SessionState};
use underpin_core::{Class, Deadline, Error, Params, Result, TransactionOptions, quote};

use crate::call::{Call, Failure};
use crate::connection::Connection;
use crate::copy_place::located;
use crate::copy_row::{Format, RowWriter};

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
        let mut copy = match call.start_copy(&sql).await {
            Ok(copy) => copy,
            Err(failure) => return Err(call.fail(failure).await),
        };
        loop {
            row.clear();
            if !rows.next(&mut row) {
                break;
            }
            if let Err(error) = writer.add(&row) {
                return Err(call.abort_copy(copy, error).await);
            }
            if let Some(chunk) = writer.full() {
                match call
                    .wait(async { Ok::<_, Failure>(copy.send(chunk).await) })
                    .await
                {
                    Ok(true) => {}
                    // The server has refused a row; the end of the COPY tells which one.
                    Ok(false) => break,
                    Err(failure) => {
                        drop(copy);
                        return Err(call.fail(failure).await);
                    }
                }
            }
        }
        let last = writer.finish();
        call.finish_copy(copy, last).await
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
        // Prepared again each time: since it is never run, no error would show that the table has
        // changed.
        let prepared = call.wait(self.session().prepare(&describe)).await?;
        Ok(Format::choose(&prepared.field_types, first))
    }
}

/// The target of the rows, as SQL.
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
