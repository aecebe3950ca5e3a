use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use futures_util::stream::{self, StreamExt as _};
use tokio::sync::mpsc;
use underpin_core::driver::{
    self, BoxFuture, BulkTarget, Call, Fetching, Pooled, RowSink, RowSource, SessionState,
};
use underpin_core::{
    Class, Columns, Deadline, Effect, Endpoint, Error, Params, Result, Role, StatementDescription,
    TransactionOptions, Value, quote,
};
use underpin_sql::{COMMON, Piece, split};

use crate::options::Options;
use crate::session::{Session, Statement, Told};
use crate::worker::Worker;

/// One open session with a data source, on a thread of its own.
pub struct Connection {
    worker: Worker,
    endpoint: Endpoint,
    options: Arc<Options>,
}

/// Rows that a stream is ahead of its reader.
const AHEAD: usize = 256;

/// What a stream's reading tells.
enum Part {
    Columns(Columns),
    Row,
}

impl Connection {
    pub(crate) fn new(worker: Worker, endpoint: Endpoint, options: Arc<Options>) -> Self {
        Connection {
            worker,
            endpoint,
            options,
        }
    }

    /// Runs `work` on the thread of this connection with odbc-api's own connection, for all that it can
    /// do. It may block. What it changes in the session stays.
    ///
    /// # Errors
    /// [`Class::Connect`] where the connection is lost, [`Class::Timeout`] past the deadline.
    ///
    /// # Cancel safety
    /// Dropped half-way, `work` goes on, and the state is `Busy` until it returns.
    pub async fn with_client<R: Send + 'static>(
        &self,
        deadline: Deadline,
        work: impl FnOnce(&odbc_api::Connection<'static>) -> R + Send + 'static,
    ) -> Result<R> {
        let run = self.worker.run(deadline, |session| Ok(work(&session.conn)));
        run.await
    }

    /// The earlier of the call's deadline and the statement timeout.
    fn deadline(&self, call: Deadline) -> Deadline {
        match self.options.statement_timeout {
            None => call,
            Some(limit) => call.earlier(Deadline::after(Instant::now(), limit)),
        }
    }

    fn statement(sql: &str, values: &[Value], deadline: Deadline) -> Statement {
        let seconds = deadline.instant().map(|at| {
            let left = at.saturating_duration_since(Instant::now());
            usize::try_from(left.as_millis().div_ceil(1000))
                .unwrap_or(usize::MAX)
                .max(1)
        });
        Statement {
            sql: sql.to_owned(),
            values: values.to_vec(),
            seconds,
        }
    }
}

fn unsupported(what: &str) -> Error {
    Error::new(Class::Unsupported, what).with_effect(Effect::NotSent)
}

impl driver::Connection for Connection {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn role(&self) -> Role {
        Role::Primary
    }

    fn in_flight(&self) -> usize {
        self.worker.in_flight()
    }

    fn execute<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<u64>> {
        let deadline = self.deadline(call.deadline);
        let statement = Connection::statement(call.sql, call.params, deadline);
        Box::pin(async move {
            let run = self
                .worker
                .run(deadline, move |session| session.execute(&statement));
            run.await
        })
    }

    fn fetch<'a>(
        &'a self,
        call: Call<'a>,
        mut sink: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<Box<dyn RowSink>>> {
        let deadline = self.deadline(call.deadline);
        let statement = Connection::statement(call.sql, call.params, deadline);
        Box::pin(async move {
            let run = self.worker.run(deadline, move |session| {
                session.read(&statement, &mut *sink, |_| true)?;
                Ok(sink)
            });
            run.await
        })
    }

    fn fetch_stream<'a>(
        &'a self,
        call: Call<'a>,
        mut sink: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<(Columns, Fetching)>> {
        let deadline = self.deadline(call.deadline);
        let statement = Connection::statement(call.sql, call.params, deadline);
        Box::pin(async move {
            let (parts, mut receiver) = mpsc::channel(AHEAD);
            let answer = self.worker.send(move |session| {
                session.read(&statement, &mut *sink, |told| {
                    let part = match told {
                        Told::Columns(columns) => Part::Columns(columns.clone()),
                        Told::Row => Part::Row,
                    };
                    parts.blocking_send(part).is_ok()
                })
            })?;
            let Some(Part::Columns(columns)) = receiver.recv().await else {
                self.worker.answer(deadline, answer).await?;
                let what = "The statement ended before its columns were known.";
                return Err(Error::new(Class::Server, what));
            };
            let rows = stream::unfold(Some((receiver, answer)), |state| async move {
                let (mut receiver, answer) = state?;
                match receiver.recv().await {
                    Some(_) => Some((Ok(()), Some((receiver, answer)))),
                    None => match answer.await {
                        Ok(Ok(())) => None,
                        Ok(Err(error)) => Some((Err(error), None)),
                        Err(_) => {
                            let what = "The thread of the ODBC connection has ended.";
                            Some((Err(Error::new(Class::Connect, what)), None))
                        }
                    },
                }
            });
            Ok((columns, rows.boxed()))
        })
    }

    fn batch<'a>(&'a self, sql: &'a str, deadline: Deadline) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let pieces = split(sql, &COMMON).map_err(|error| {
                Error::new(Class::Syntax, error.to_string()).with_effect(Effect::NotSent)
            })?;
            let mut done = 0;
            for piece in pieces {
                let Piece::Statement { range, .. } = piece else {
                    continue;
                };
                let deadline = self.deadline(deadline);
                let statement = Connection::statement(&sql[range], &[], deadline);
                let run = self
                    .worker
                    .run(deadline, move |session| session.execute(&statement));
                run.await.map_err(|error| match (done, error.effect()) {
                    (1.., Effect::RolledBack) => error.with_effect(Effect::Applied),
                    _ => error,
                })?;
                done += 1;
            }
            Ok(())
        })
    }

    fn insert_rows<'a>(
        &'a self,
        target: BulkTarget<'a>,
        rows: &'a mut dyn RowSource,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            let columns = target
                .columns
                .iter()
                .map(|column| quote::identifier(column));
            let columns: Vec<String> = columns.collect::<Result<_>>()?;
            let sql = format!(
                "INSERT INTO {} ({}) VALUES ({})",
                quote::qualified(target.table)?,
                columns.join(", "),
                vec!["?"; columns.len()].join(", ")
            );
            let mut all = Vec::new();
            let mut values = Params::default();
            while rows.next(&mut values) {
                all.push(std::mem::take(&mut values).into_iter().collect());
            }
            let deadline = self.deadline(deadline);
            let run = self
                .worker
                .run(deadline, move |session| session.insert(&sql, &all));
            run.await
        })
    }

    fn begin(&self, options: TransactionOptions, deadline: Deadline) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            if options.isolation.is_some() || options.read_only || options.deferrable {
                let what =
                    "A transaction over ODBC has no options: isolation, read-only, deferrable.";
                return Err(unsupported(what));
            }
            self.worker.run(deadline, Session::begin).await
        })
    }

    fn commit(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.worker.run(Deadline::NONE, Session::commit))
    }

    fn rollback(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.worker.run(deadline, Session::rollback))
    }

    fn describe<'a>(
        &'a self,
        _: &'a str,
        _: Deadline,
    ) -> BoxFuture<'a, Result<StatementDescription>> {
        Box::pin(async { Err(unsupported("Statements over ODBC are not described.")) })
    }

    fn only_reads<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<bool>>> {
        Box::pin(async { Ok(None) })
    }
}

impl Pooled for Connection {
    fn state(&self) -> SessionState {
        self.worker.state()
    }

    /// Asks the driver manager whether the connection is known to be lost.
    fn ping(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let is_dead = |session: &mut Session| Ok(session.conn.is_dead().unwrap_or(false));
            match self.worker.run(deadline, is_dead).await? {
                false => Ok(()),
                true => {
                    self.worker.set_broken();
                    let what = format!("The connection to {} is lost.", self.endpoint);
                    Err(Error::new(Class::Connect, what).with_effect(Effect::NotSent))
                }
            }
        })
    }

    /// Waits for what is under way, and rolls back. Settings of the session stay.
    fn reset(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let done = self.worker.run(deadline, Session::rollback).await;
            if done.is_err() {
                self.worker.set_broken();
            }
            done
        })
    }

    fn close(self: Box<Self>, deadline: Deadline) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            // The thread ends, and disconnects, once this is gone.
            let _ = self.worker.run(deadline, Session::rollback).await;
        })
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("endpoint", &self.endpoint)
            .field("state", &self.worker.state())
            .finish_non_exhaustive()
    }
}
