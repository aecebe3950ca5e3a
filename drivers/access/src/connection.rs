use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::StreamExt as _;
use underpin_core::driver::{
    self, BoxFuture, BulkTarget, Call, Connection as _, Fetching, Pooled, RowSink, RowSource,
    SessionState,
};
use underpin_core::{
    Class, Columns, Deadline, Effect, Endpoint, Error, Recycling, Result, Role,
    StatementDescription, TransactionOptions,
};

use crate::file::{AccessFile, Identity};
use crate::statement::{any_writes, names, read_only, writes};

/// One open session with an Access file: SQLite over a reader of the file, on a thread of its own.
pub struct Connection {
    inner: underpin_sqlite::Connection,
    file: Arc<AccessFile>,
    path: PathBuf,
    /// The file when it was opened.
    identity: Option<Identity>,
}

impl Connection {
    pub(crate) fn new(
        inner: underpin_sqlite::Connection,
        file: Arc<AccessFile>,
        path: PathBuf,
        identity: Option<Identity>,
    ) -> Self {
        Connection {
            inner,
            file,
            path,
            identity,
        }
    }

    /// The connection of SQLite that the tables are in, for all that it can do.
    pub fn sqlite(&self) -> &underpin_sqlite::Connection {
        &self.inner
    }

    /// The names of the tables that can be read, in the order of the file.
    pub fn tables(&self) -> Vec<&str> {
        let tables = self.file.tables.iter();
        tables.map(|table| table.name.as_str()).collect()
    }

    /// The error of a statement as it is for Access: what went wrong with the file, or with a table
    /// that is named and is not there.
    fn explain(&self, error: Error, sql: &str) -> Error {
        explain(&self.file, error, sql)
    }

    fn check(&self, sql: &str) -> Result<()> {
        self.file.take_fault();
        match writes(sql) {
            true => Err(read_only("The statement")),
            false => Ok(()),
        }
    }

    /// Whether the file is as it was when it was opened: what is known of its tables holds no longer.
    fn check_file(&self) -> Result<()> {
        if Identity::of(&self.path) == self.identity {
            return Ok(());
        }
        let what = format!(
            "The Access file {} was changed, deleted or replaced while it was open.",
            self.path.display()
        );
        Err(Error::new(Class::Missing, what)
            .with_effect(Effect::RolledBack)
            .with_hint("Connect again to read the file as it is now."))
    }
}

fn explain(file: &AccessFile, error: Error, sql: &str) -> Error {
    if let Some(fault) = file.take_fault() {
        return fault.with_effect(error.effect()).with_source(error);
    }
    let is_about_names = matches!(error.class(), Class::Syntax | Class::Missing);
    let absent = is_about_names.then(|| file.why_absent(|name| names(sql, name)));
    match absent.flatten() {
        Some(absent) => absent.with_effect(error.effect()).with_source(error),
        None => error,
    }
}

impl driver::Connection for Connection {
    fn endpoint(&self) -> &Endpoint {
        self.inner.endpoint()
    }

    fn role(&self) -> Role {
        Role::Primary
    }

    fn in_flight(&self) -> usize {
        self.inner.in_flight()
    }

    fn execute<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            self.check(call.sql)?;
            let done = self.inner.execute(call).await;
            done.map_err(|error| self.explain(error, call.sql))
        })
    }

    fn fetch<'a>(
        &'a self,
        call: Call<'a>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<Box<dyn RowSink>>> {
        Box::pin(async move {
            self.check(call.sql)?;
            let done = self.inner.fetch(call, sink).await;
            done.map_err(|error| self.explain(error, call.sql))
        })
    }

    fn fetch_stream<'a>(
        &'a self,
        call: Call<'a>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<(Columns, Fetching)>> {
        Box::pin(async move {
            self.check(call.sql)?;
            let begun = self.inner.fetch_stream(call, sink).await;
            let (columns, rows) = begun.map_err(|error| self.explain(error, call.sql))?;
            let file = Arc::clone(&self.file);
            let sql = call.sql.to_owned();
            let rows = rows.map(move |done| done.map_err(|error| explain(&file, error, &sql)));
            Ok((columns, rows.boxed()))
        })
    }

    fn batch<'a>(&'a self, sql: &'a str, deadline: Deadline) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.file.take_fault();
            if any_writes(sql) {
                return Err(read_only("The batch"));
            }
            let done = self.inner.batch(sql, deadline).await;
            done.map_err(|error| self.explain(error, sql))
        })
    }

    fn insert_rows<'a>(
        &'a self,
        _: BulkTarget<'a>,
        _: &'a mut dyn RowSource,
        _: Deadline,
    ) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async { Err(read_only("The bulk insert")) })
    }

    /// Begins a transaction that reads: a file is not locked, so that it sees what others write.
    fn begin(&self, options: TransactionOptions, deadline: Deadline) -> BoxFuture<'_, Result<()>> {
        let options = TransactionOptions {
            read_only: true,
            ..options
        };
        self.inner.begin(options, deadline)
    }

    fn commit(&self) -> BoxFuture<'_, Result<()>> {
        self.inner.commit()
    }

    fn rollback(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>> {
        self.inner.rollback(deadline)
    }

    fn describe<'a>(
        &'a self,
        sql: &'a str,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<StatementDescription>> {
        Box::pin(async move {
            self.check(sql)?;
            let described = self.inner.describe(sql, deadline).await;
            described.map_err(|error| self.explain(error, sql))
        })
    }

    fn only_reads<'a>(&'a self, sql: &'a str) -> BoxFuture<'a, Result<Option<bool>>> {
        Box::pin(async move {
            if writes(sql) {
                return Ok(Some(false));
            }
            let reads = self.inner.only_reads(sql).await;
            reads.map_err(|error| self.explain(error, sql))
        })
    }
}

impl Pooled for Connection {
    fn state(&self) -> SessionState {
        self.inner.state()
    }

    fn is_open(&self) -> bool {
        self.inner.is_open()
    }

    fn ping(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.check_file()?;
            self.inner.ping(deadline).await
        })
    }

    fn reset(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>> {
        self.inner.reset(deadline)
    }

    fn recycle<'a>(
        &'a self,
        recycling: &'a Recycling,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<()>> {
        self.inner.recycle(recycling, deadline)
    }

    fn accept_changes(&self) -> BoxFuture<'_, Result<()>> {
        self.inner.accept_changes()
    }

    fn close(self: Box<Self>, deadline: Deadline) -> BoxFuture<'static, ()> {
        Box::new(self.inner).close(deadline)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("endpoint", self.inner.endpoint())
            .field("state", &self.inner.state())
            .finish_non_exhaustive()
    }
}
