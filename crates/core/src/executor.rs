use std::future::Future;

use crate::engine::Engine;
use crate::error::Result;
use crate::from_row::FromRow;
use crate::from_value::FromValue;
use crate::params::IntoParams;
use crate::row::ValueRow;
use crate::row_stream::RowStream;

/// A database, a transaction or a connection: a bound for functions that run SQL on any of them. The
/// types also have the same methods without this trait in scope. It cannot be implemented by other
/// types.
pub trait Executor: crate::sealed::Executor + Send + Sync {
    /// The engine of the connection.
    fn engine(&self) -> Engine;

    /// Runs a statement and returns the number of rows that it changed.
    ///
    /// # Errors
    /// [`Error::effect`](crate::Error::effect) says whether it may have taken effect.
    ///
    /// # Cancel safety
    /// If the future is dropped, the statement may still take effect; the connection is cleaned
    /// before another caller uses it.
    fn execute<P: IntoParams>(
        &self,
        sql: &str,
        params: P,
    ) -> impl Future<Output = Result<u64>> + Send;

    /// Runs a statement and returns its rows as they are.
    ///
    /// # Errors
    /// As for [`execute`](Executor::execute).
    ///
    /// # Cancel safety
    /// As for [`execute`](Executor::execute).
    fn query<P: IntoParams>(
        &self,
        sql: &str,
        params: P,
    ) -> impl Future<Output = Result<Vec<ValueRow>>> + Send;

    /// Runs a statement and reads each row as a `T`.
    ///
    /// # Errors
    /// As for [`execute`](Executor::execute); a row that does not fit is `Class::Data`.
    ///
    /// # Cancel safety
    /// As for [`execute`](Executor::execute).
    fn query_as<T: FromRow + Send + 'static>(
        &self,
        sql: &str,
        params: impl IntoParams,
    ) -> impl Future<Output = Result<Vec<T>>> + Send;

    /// Runs a statement that returns exactly one row.
    ///
    /// # Errors
    /// As for [`query_as`](Executor::query_as); `Class::NotFound` for no row and
    /// `Class::Data` for more than one.
    ///
    /// # Cancel safety
    /// As for [`execute`](Executor::execute).
    fn query_one<T: FromRow + Send + 'static>(
        &self,
        sql: &str,
        params: impl IntoParams,
    ) -> impl Future<Output = Result<T>> + Send;

    /// Runs a statement that returns one row or none.
    ///
    /// # Errors
    /// As for [`query_as`](Executor::query_as); `Class::Data` for more than one row.
    ///
    /// # Cancel safety
    /// As for [`execute`](Executor::execute).
    fn query_optional<T: FromRow + Send + 'static>(
        &self,
        sql: &str,
        params: impl IntoParams,
    ) -> impl Future<Output = Result<Option<T>>> + Send;

    /// Runs a statement that returns one row of one column.
    ///
    /// # Errors
    /// As for [`query_one`](Executor::query_one).
    ///
    /// # Cancel safety
    /// As for [`execute`](Executor::execute).
    fn query_scalar<T: for<'r> FromValue<'r> + Send + 'static>(
        &self,
        sql: &str,
        params: impl IntoParams,
    ) -> impl Future<Output = Result<T>> + Send;

    /// Runs a statement and returns its rows as they arrive, in bounded memory. The stream holds a
    /// connection until it ends or is dropped.
    ///
    /// # Errors
    /// As for [`query_as`](Executor::query_as); an error after the first row comes from the stream.
    ///
    /// # Cancel safety
    /// As for [`execute`](Executor::execute).
    fn query_stream<T: FromRow + Send + 'static>(
        &self,
        sql: &str,
        params: impl IntoParams,
    ) -> impl Future<Output = Result<RowStream<T>>> + Send;

    /// Runs several statements, separated by semicolons, without parameters. On PostgreSQL they are
    /// one transaction unless they begin and end transactions themselves.
    ///
    /// # Errors
    /// As for [`execute`](Executor::execute).
    ///
    /// # Cancel safety
    /// As for [`execute`](Executor::execute).
    fn batch(&self, sql: &str) -> impl Future<Output = Result<()>> + Send;

    /// Inserts rows into a table in the fastest way of the engine, all of them or none, and returns
    /// their number. The table may be qualified, as in `shop.orders`.
    ///
    /// # Errors
    /// `Class::Data` names the row (counted from 1) and the column that does not fit.
    ///
    /// # Cancel safety
    /// If the future is dropped, no row is inserted, unless the last answer was on its way.
    fn bulk_insert<'a, I>(
        &'a self,
        table: &'a str,
        columns: &'a [&'a str],
        rows: I,
    ) -> impl Future<Output = Result<u64>> + Send
    where
        I: IntoIterator,
        I::IntoIter: Send,
        I::Item: IntoParams + Send;
}
