use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use underpin_core::driver::{self, BoxFuture, BulkTarget, Call, Fetching, RowSink, RowSource};
use underpin_core::{
    Columns, Deadline, Endpoint, Result, Role, StatementDescription, TransactionOptions,
};

use crate::options::Options;
use crate::worker::Worker;
use crate::{bulk_insert, describe, execute, only_reads, query, stream, transaction};

/// One open session with a SQLite database, on a thread of its own.
///
/// Calls wait for each other. A call whose future is dropped, or whose deadline passes, is
/// interrupted, except for a COMMIT.
pub struct Connection {
    pub(crate) worker: Worker,
    endpoint: Endpoint,
    options: Arc<Options>,
}

impl Connection {
    pub(crate) fn new(worker: Worker, endpoint: Endpoint, options: Arc<Options>) -> Self {
        Connection {
            worker,
            endpoint,
            options,
        }
    }

    /// The earlier of the call's deadline and the statement timeout.
    pub(crate) fn deadline(&self, call: Deadline) -> Deadline {
        match self.options.statement_timeout {
            None => call,
            Some(limit) => call.earlier(Deadline::after(Instant::now(), limit)),
        }
    }
}

impl driver::Connection for Connection {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn role(&self) -> Role {
        let writes = self.options.writes() || self.endpoint.address.is_memory();
        if writes { Role::Primary } else { Role::Replica }
    }

    fn in_flight(&self) -> usize {
        self.worker.shared().in_flight()
    }

    fn execute<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<u64>> {
        Box::pin(execute::execute(self, call))
    }

    fn fetch<'a>(
        &'a self,
        call: Call<'a>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<Box<dyn RowSink>>> {
        Box::pin(query::fetch(self, call, sink))
    }

    fn fetch_stream<'a>(
        &'a self,
        call: Call<'a>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<(Columns, Fetching)>> {
        Box::pin(stream::stream(self, call, sink))
    }

    fn batch<'a>(&'a self, sql: &'a str, deadline: Deadline) -> BoxFuture<'a, Result<()>> {
        Box::pin(execute::batch(self, sql, deadline))
    }

    fn insert_rows<'a>(
        &'a self,
        target: BulkTarget<'a>,
        rows: &'a mut dyn RowSource,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<u64>> {
        Box::pin(bulk_insert::insert_rows(self, target, rows, deadline))
    }

    fn begin(&self, options: TransactionOptions, deadline: Deadline) -> BoxFuture<'_, Result<()>> {
        Box::pin(transaction::begin(self, options, deadline))
    }

    fn commit(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(transaction::commit(self))
    }

    fn rollback(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>> {
        Box::pin(transaction::rollback(self, deadline))
    }

    fn describe<'a>(
        &'a self,
        sql: &'a str,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<StatementDescription>> {
        Box::pin(describe::describe(self, sql, deadline))
    }

    fn only_reads<'a>(&'a self, sql: &'a str) -> BoxFuture<'a, Result<Option<bool>>> {
        Box::pin(async { only_reads::only_reads(self, sql).await.map(Some) })
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("endpoint", &self.endpoint)
            .field("access", &self.options.access)
            .field("state", &self.worker.shared().state())
            .finish_non_exhaustive()
    }
}
