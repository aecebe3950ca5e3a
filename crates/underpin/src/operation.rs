//! What can be done with a connection, as values: whoever holds one runs an operation
//! on it, whichever engine it belongs to.

use std::future::Future;
use std::marker::PhantomData;

use underpin_core::driver::{BulkTarget, Call, Connection, RowStream};
use underpin_core::{
    Class, Columns, Effect, Error, FromRow, FromValue, IntoParams, Result, Row,
    StatementDescription,
};

/// Something that one call does on one connection.
pub(crate) trait Operation: Send {
    type Output: Send;

    /// Whether a fresh attempt can start from the same value.
    const REPEATABLE: bool = true;

    /// Whether it is one statement whose whole answer is all that the caller wants, so that
    /// it may run beside others' on one connection.
    const SHARES: bool = false;

    fn run<C: Connection>(
        &mut self,
        connection: &C,
        call: Call<'_>,
    ) -> impl Future<Output = Result<Self::Output>> + Send;
}

/// Runs a statement for the number of rows that it changes.
pub(crate) struct Execute;

impl Operation for Execute {
    type Output = u64;
    const SHARES: bool = true;

    fn run<C: Connection>(
        &mut self,
        connection: &C,
        call: Call<'_>,
    ) -> impl Future<Output = Result<u64>> + Send {
        connection.execute(call)
    }
}

/// Runs a statement and keeps at most `limit` of its rows.
pub(crate) struct Query<T> {
    limit: usize,
    row: PhantomData<fn() -> T>,
}

impl<T> Query<T> {
    pub(crate) fn all() -> Self {
        Query {
            limit: usize::MAX,
            row: PhantomData,
        }
    }

    /// Two rows are enough to know that there is more than one.
    pub(crate) fn one() -> Self {
        Query {
            limit: 2,
            row: PhantomData,
        }
    }
}

impl<T: FromRow + Send + 'static> Operation for Query<T> {
    type Output = Vec<T>;
    const SHARES: bool = true;

    fn run<C: Connection>(
        &mut self,
        connection: &C,
        call: Call<'_>,
    ) -> impl Future<Output = Result<Vec<T>>> + Send {
        connection.query(call, self.limit)
    }
}

/// Runs a statement and hands its rows on as they arrive.
pub(crate) struct Stream<T>(PhantomData<fn() -> T>);

impl<T> Stream<T> {
    pub(crate) fn new() -> Self {
        Stream(PhantomData)
    }
}

impl<T: FromRow + Send + 'static> Operation for Stream<T> {
    type Output = (Columns, RowStream<T>);

    fn run<C: Connection>(
        &mut self,
        connection: &C,
        call: Call<'_>,
    ) -> impl Future<Output = Result<Self::Output>> + Send {
        connection.stream(call)
    }
}

/// Runs several statements at once.
pub(crate) struct Batch;

impl Operation for Batch {
    type Output = ();

    fn run<C: Connection>(
        &mut self,
        connection: &C,
        call: Call<'_>,
    ) -> impl Future<Output = Result<()>> + Send {
        connection.batch(call.sql, call.deadline)
    }
}

/// Puts rows into a table.
pub(crate) struct BulkInsert<'a, I> {
    pub(crate) target: BulkTarget<'a>,
    pub(crate) rows: Option<I>,
}

impl<I> Operation for BulkInsert<'_, I>
where
    I: Iterator + Send,
    I::Item: IntoParams + Send,
{
    type Output = u64;
    // The rows can be taken only once.
    const REPEATABLE: bool = false;

    async fn run<C: Connection>(&mut self, connection: &C, call: Call<'_>) -> Result<u64> {
        let rows = self.rows.take().expect("a bulk insert runs once");
        connection
            .bulk_insert(self.target, rows, call.deadline)
            .await
    }
}

/// Has a statement prepared, and not run.
pub(crate) struct Describe;

impl Operation for Describe {
    type Output = StatementDescription;

    fn run<C: Connection>(
        &mut self,
        connection: &C,
        call: Call<'_>,
    ) -> impl Future<Output = Result<StatementDescription>> + Send {
        connection.describe(call.sql, call.deadline)
    }
}

/// Asks for a sign of life.
pub(crate) struct Ping;

impl Operation for Ping {
    type Output = ();

    fn run<C: Connection>(
        &mut self,
        connection: &C,
        call: Call<'_>,
    ) -> impl Future<Output = Result<()>> + Send {
        connection.ping(call.deadline)
    }
}

/// The first column of a row that has only one.
pub(crate) struct Scalar<T>(pub(crate) T);

impl<T: for<'r> FromValue<'r>> FromRow for Scalar<T> {
    type Layout = ();

    fn layout(columns: &Columns) -> Result<()> {
        // The same check and the same sentence as for a tuple of one.
        <(T,)>::layout(columns)
    }

    #[inline]
    fn from_row<R: Row>(row: &R, (): &()) -> Result<Self> {
        row.read(0).map(Scalar)
    }
}

/// The only row, or the error that says that there was none or more than one.
pub(crate) fn exactly_one<T>(rows: Vec<T>, sql: &str) -> Result<T> {
    at_most_one(rows, sql)?.ok_or_else(|| {
        Error::new(
            Class::NotFound,
            format!(
                "The statement gave no row, and one was asked for: {}",
                shorten(sql)
            ),
        )
        .with_effect(Effect::Applied)
        .with_hint("Use query_optional where there may be none.")
    })
}

/// The only row or none, or the error that says that there were more.
pub(crate) fn at_most_one<T>(mut rows: Vec<T>, sql: &str) -> Result<Option<T>> {
    if rows.len() > 1 {
        return Err(Error::new(
            Class::Data,
            format!(
                "The statement gave more than one row, and one was asked for: {}",
                shorten(sql)
            ),
        )
        .with_effect(Effect::Applied)
        .with_hint("Use query_as for many rows, or add LIMIT 1."));
    }
    Ok(rows.pop())
}

/// A statement in one line, cut where it grows too long for a message.
pub(crate) fn shorten(sql: &str) -> String {
    const LONGEST: usize = 200;
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line,
    }
}
