//! How rows pass between a driver, which does not know the caller's Rust types, and a caller, which
//! does not know the driver: by one dynamic call per row.

use std::any::Any;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::vec;

use futures_util::Stream;

use super::{BulkTarget, Call, Connection, Fetching};
use crate::deadline::Deadline;
use crate::error::{Class, Error, Result};
use crate::from_row::FromRow;
use crate::params::{IntoParams, Params};
use crate::row::{Columns, Row};

/// Receives the rows of one result. The driver owns it while the statement runs, possibly on a
/// thread of its own.
pub trait RowSink: Any + Send {
    /// Begins a result with these columns. It is called before the first row; a second call begins
    /// the result again, for example because a statement had to be prepared again.
    ///
    /// # Errors
    /// `Class::Data` if the columns do not fit.
    fn begin(&mut self, columns: &Columns) -> Result<()>;

    /// Takes the next row.
    ///
    /// # Errors
    /// `Class::Data` if a value does not fit.
    fn row(&mut self, row: &dyn Row) -> Result<()>;

    /// Whether it needs no more rows.
    fn is_full(&self) -> bool {
        false
    }
}

/// Provides the rows of a bulk insert, one after another.
pub trait RowSource: Send {
    /// Appends the values of the next row; `false` if there is none.
    fn next(&mut self, values: &mut Params) -> bool;
}

impl<I> RowSource for I
where
    I: Iterator + Send,
    I::Item: IntoParams,
{
    #[inline]
    fn next(&mut self, values: &mut Params) -> bool {
        match Iterator::next(self) {
            Some(row) => {
                row.push_to(values);
                true
            }
            None => false,
        }
    }
}

/// Creates a sink for each attempt of a statement.
pub trait NewSink: Sync {
    /// An empty sink.
    fn sink(&self) -> Box<dyn RowSink>;
}

/// Reads rows as `T` and keeps them, up to a limit.
pub struct Collect<T> {
    limit: usize,
    row: PhantomData<fn() -> T>,
}

struct Collected<T: FromRow> {
    limit: usize,
    layout: Option<T::Layout>,
    rows: Vec<T>,
}

impl<T: FromRow + Send + 'static> Collect<T> {
    /// Keeps at most `limit` rows.
    pub fn at_most(limit: usize) -> Self {
        Collect {
            limit,
            row: PhantomData,
        }
    }

    /// Keeps all rows.
    pub fn all() -> Self {
        Collect::at_most(usize::MAX)
    }

    /// The rows of a sink that this value created.
    ///
    /// # Panics
    /// For any other sink.
    pub fn rows(&self, sink: Box<dyn RowSink>) -> Vec<T> {
        let any: Box<dyn Any> = sink;
        let collected = any.downcast::<Collected<T>>();
        collected
            .expect("a driver returns the sink it was given")
            .rows
    }
}

impl<T: FromRow + Send + 'static> NewSink for Collect<T> {
    fn sink(&self) -> Box<dyn RowSink> {
        Box::new(Collected::<T> {
            limit: self.limit,
            layout: None,
            rows: Vec::new(),
        })
    }
}

impl<T: FromRow + Send + 'static> RowSink for Collected<T> {
    fn begin(&mut self, columns: &Columns) -> Result<()> {
        self.layout = Some(T::layout(columns)?);
        self.rows.clear();
        Ok(())
    }

    fn row(&mut self, row: &dyn Row) -> Result<()> {
        let layout = self.layout.as_ref().ok_or_else(not_begun)?;
        if self.rows.len() < self.limit {
            let read = T::from_row(row, layout);
            let number = self.rows.len() as u64 + 1;
            self.rows.push(read.map_err(|error| of_row(error, number))?);
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= self.limit
    }
}

#[cold]
fn not_begun() -> Error {
    Error::new(
        Class::Protocol,
        "The driver returned a row before the columns.",
    )
}

/// The error with the number of the row of the result that cannot be read.
#[cold]
fn of_row(error: Error, number: u64) -> Error {
    error
        .with_context(format_args!("Row {number} of the result cannot be read."))
        .with_row(number)
}

/// Rows on their way from a driver to a [`RowStream`].
type Queue<T> = Arc<Mutex<Vec<T>>>;

fn take<T>(queue: &Queue<T>) -> Vec<T> {
    std::mem::take(&mut queue.lock().unwrap_or_else(PoisonError::into_inner))
}

struct HandedOver<T: FromRow> {
    layout: Option<T::Layout>,
    queue: Queue<T>,
    /// The number of rows so far.
    count: u64,
}

impl<T: FromRow + Send + 'static> RowSink for HandedOver<T> {
    fn begin(&mut self, columns: &Columns) -> Result<()> {
        self.layout = Some(T::layout(columns)?);
        drop(take(&self.queue));
        self.count = 0;
        Ok(())
    }

    fn row(&mut self, row: &dyn Row) -> Result<()> {
        let layout = self.layout.as_ref().ok_or_else(not_begun)?;
        self.count += 1;
        let row = T::from_row(row, layout).map_err(|error| of_row(error, self.count))?;
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.push(row);
        Ok(())
    }
}

/// The rows of a statement as they arrive; it owns everything that it needs.
pub struct RowStream<T> {
    ready: vec::IntoIter<T>,
    queue: Queue<T>,
    /// `None` once it has failed.
    source: Option<Fetching>,
}

/// Reads rows as `T` and passes them to a [`RowStream`].
pub struct HandOver<T>(Mutex<Queue<T>>);

impl<T> HandOver<T> {
    /// Holds no row yet.
    pub fn new() -> Self {
        HandOver(Mutex::default())
    }

    /// The stream of the rows of a statement that ran with the latest sink of this value.
    pub fn stream(self, source: Fetching) -> RowStream<T> {
        RowStream {
            ready: Vec::new().into_iter(),
            queue: self.0.into_inner().unwrap_or_else(PoisonError::into_inner),
            source: Some(source),
        }
    }
}

impl<T> Default for HandOver<T> {
    fn default() -> Self {
        HandOver::new()
    }
}

impl<T: FromRow + Send + 'static> NewSink for HandOver<T> {
    fn sink(&self) -> Box<dyn RowSink> {
        // A new queue, so that the rows of an earlier attempt are dropped.
        let queue = Queue::default();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&queue);
        Box::new(HandedOver::<T> {
            layout: None,
            queue,
            count: 0,
        })
    }
}

impl<T> Unpin for RowStream<T> {}

impl<T> Stream for RowStream<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        let this = &mut *self;
        loop {
            let Some(source) = &mut this.source else {
                return Poll::Ready(None);
            };
            if let Some(row) = this.ready.next() {
                return Poll::Ready(Some(Ok(row)));
            }
            this.ready = take(&this.queue).into_iter();
            if !this.ready.as_slice().is_empty() {
                continue;
            }
            match source.as_mut().poll_next(context) {
                Poll::Ready(Some(Ok(()))) => {}
                Poll::Ready(Some(Err(error))) => {
                    this.source = None;
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Ready(None) => {
                    this.source = None;
                    return Poll::Ready(None);
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// The calls of a [`Connection`] that know the Rust types of parameters and rows.
pub trait ConnectionExt: Connection {
    /// Runs a statement and reads its rows, at most `limit` of them: further rows are discarded,
    /// and the statement runs to its end in any case.
    ///
    /// # Errors
    /// As for [`fetch`](Connection::fetch).
    ///
    /// # Cancel safety
    /// As for [`execute`](Connection::execute).
    fn query<T>(&self, call: Call<'_>, limit: usize) -> impl Future<Output = Result<Vec<T>>> + Send
    where
        T: FromRow + Send + 'static,
    {
        async move {
            let collect = Collect::<T>::at_most(limit);
            Ok(collect.rows(self.fetch(call, collect.sink()).await?))
        }
    }

    /// Runs a statement and returns its columns, and its rows as they arrive, in bounded memory.
    /// The stream keeps the connection `Busy` until it ends or is dropped.
    ///
    /// # Errors
    /// As for [`execute`](Connection::execute); errors after the first row come from the stream.
    ///
    /// # Cancel safety
    /// As for [`execute`](Connection::execute).
    fn stream<T>(
        &self,
        call: Call<'_>,
    ) -> impl Future<Output = Result<(Columns, RowStream<T>)>> + Send
    where
        T: FromRow + Send + 'static,
    {
        async move {
            let rows = HandOver::new();
            let (columns, source) = self.fetch_stream(call, rows.sink()).await?;
            Ok((columns, rows.stream(source)))
        }
    }

    /// Inserts rows into a table, like [`insert_rows`](Connection::insert_rows).
    ///
    /// # Errors
    /// As for [`insert_rows`](Connection::insert_rows).
    ///
    /// # Cancel safety
    /// As for [`insert_rows`](Connection::insert_rows).
    fn bulk_insert<I>(
        &self,
        target: BulkTarget<'_>,
        mut rows: I,
        deadline: Deadline,
    ) -> impl Future<Output = Result<u64>> + Send
    where
        I: Iterator + Send,
        I::Item: IntoParams + Send,
    {
        async move { self.insert_rows(target, &mut rows, deadline).await }
    }
}

impl<C: Connection + ?Sized> ConnectionExt for C {}
