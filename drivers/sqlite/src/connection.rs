use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use underpin_core::driver::{self, BulkTarget, Call, RowStream};
use underpin_core::{
    Address, Columns, Deadline, Endpoint, Engine, FromRow, IntoParams, Result, Role,
    StatementDescription, TransactionOptions,
};

use crate::options::Options;
use crate::worker::Worker;
use crate::{bulk_insert, describe, execute, only_reads, query, stream, transaction};

/// One open session with a SQLite database, on a thread of its own.
///
/// Calls wait for each other. A call whose future is dropped, or whose deadline
/// passes, is interrupted; only a COMMIT is not.
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
    const ENGINE: Engine = Engine::SQLITE;
    const PIPELINES: bool = false;

    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn role(&self) -> Role {
        let writes = self.options.writes() || self.endpoint.address == Address::Memory;
        if writes { Role::Primary } else { Role::Replica }
    }

    fn in_flight(&self) -> usize {
        self.worker.shared().in_flight()
    }

    async fn execute(&self, call: Call<'_>) -> Result<u64> {
        execute::execute(self, call).await
    }

    async fn query<T>(&self, call: Call<'_>, limit: usize) -> Result<Vec<T>>
    where
        T: FromRow + Send + 'static,
    {
        query::query(self, call, limit).await
    }

    async fn stream<T>(&self, call: Call<'_>) -> Result<(Columns, RowStream<T>)>
    where
        T: FromRow + Send + 'static,
    {
        stream::stream(self, call).await
    }

    async fn batch(&self, sql: &str, deadline: Deadline) -> Result<()> {
        execute::batch(self, sql, deadline).await
    }

    async fn bulk_insert<I>(
        &self,
        target: BulkTarget<'_>,
        rows: I,
        deadline: Deadline,
    ) -> Result<u64>
    where
        I: Iterator + Send,
        I::Item: IntoParams + Send,
    {
        bulk_insert::bulk_insert(self, target, rows, deadline).await
    }

    async fn begin(&self, options: TransactionOptions, deadline: Deadline) -> Result<()> {
        transaction::begin(self, options, deadline).await
    }

    async fn commit(&self) -> Result<()> {
        transaction::commit(self).await
    }

    async fn rollback(&self, deadline: Deadline) -> Result<()> {
        transaction::rollback(self, deadline).await
    }

    async fn describe(&self, sql: &str, deadline: Deadline) -> Result<StatementDescription> {
        describe::describe(self, sql, deadline).await
    }

    async fn only_reads(&self, sql: &str) -> Result<Option<bool>> {
        only_reads::only_reads(self, sql).await.map(Some)
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
