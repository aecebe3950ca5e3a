use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use underpin_core::driver::{AnyConnection, Call, Connection, ConnectionExt, Pooled};
use underpin_core::{Class, Deadline, Engine, Error, FromRow, Result, TransactionOptions, Value};

/// One side of a copy: what opens connections to it.
pub trait Endpoint: Send + Sync + 'static {
    /// The engine.
    fn engine(&self) -> Engine;

    /// Opens a connection outside any pool, without a limit on statements.
    ///
    /// # Errors
    /// The error of connecting.
    ///
    /// # Cancel safety
    /// Dropped half-way, it closes what it has opened.
    fn connect(&self) -> BoxFuture<'_, Result<AnyConnection>>;

    /// Locks a file, which is created where it does not exist, against every other process that
    /// does the same. `None` where another holds the lock. Dropping the lock frees it.
    ///
    /// # Errors
    /// [`Class::Resource`] for a file that cannot be opened or locked.
    fn lock_file(&self, path: &Path) -> Result<Option<FileLock>>;
}

/// The lock of a file, freed when dropped.
pub type FileLock = Box<dyn Send + Sync>;

/// A connection, with the few calls that a copy makes.
#[derive(Debug, Clone)]
pub(crate) struct Client(Arc<AnyConnection>);

impl Client {
    /// Connects, and runs the statements that begin a session.
    pub(crate) async fn connect(to: &dyn Endpoint, session: &[&[&str]]) -> Result<Self> {
        let client = Client(Arc::new(to.connect().await?));
        let statements: Vec<&str> = session.concat();
        for statement in statements {
            client.batch(statement).await?;
        }
        Ok(client)
    }

    pub(crate) fn driver(&self) -> &dyn Connection {
        &**self.0
    }

    pub(crate) async fn batch(&self, sql: &str) -> Result<()> {
        self.driver().batch(sql, Deadline::NONE).await
    }

    pub(crate) async fn rows<T: FromRow + Send + 'static>(
        &self,
        sql: &str,
        params: &[Value],
    ) -> Result<Vec<T>> {
        self.driver().query(call(sql, params), usize::MAX).await
    }

    /// The one value of a query.
    pub(crate) async fn value(&self, sql: &str) -> Result<Value> {
        let rows: Vec<underpin_core::ValueRow> = self.rows(sql, &[]).await?;
        let mut values = rows.into_iter().flat_map(|row| row.into_values());
        Ok(values.next().unwrap_or(Value::Null))
    }

    /// The one number of a query, where there is one.
    pub(crate) async fn number(&self, sql: &str) -> Result<Option<i64>> {
        match self.value(sql).await? {
            Value::Null => Ok(None),
            Value::I64(n) => Ok(Some(n)),
            Value::I32(n) => Ok(Some(n.into())),
            Value::I16(n) => Ok(Some(n.into())),
            Value::Bool(truth) => Ok(Some(truth.into())),
            other => Err(Error::new(
                Class::Data,
                format!("A number was expected, and {} was found.", other.kind()),
            )),
        }
    }

    pub(crate) async fn begin(&self, options: TransactionOptions) -> Result<()> {
        self.driver().begin(options, Deadline::NONE).await
    }

    pub(crate) async fn commit(&self) -> Result<()> {
        self.driver().commit().await
    }

    pub(crate) async fn rollback(&self) -> Result<()> {
        self.driver().rollback(Deadline::NONE).await
    }

    /// Closes the connection, unless another still holds it.
    pub(crate) async fn close(self, deadline: Deadline) {
        if let Some(connection) = Arc::into_inner(self.0) {
            Box::new(connection).close(deadline).await;
        }
    }
}

/// A statement without a limit.
pub(crate) fn call<'a>(sql: &'a str, params: &'a [Value]) -> Call<'a> {
    Call {
        sql,
        params,
        deadline: Deadline::NONE,
        shared: false,
    }
}
