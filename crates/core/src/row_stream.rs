use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::{Stream, StreamExt};

use crate::error::Result;
use crate::row::Columns;

/// The rows of a statement as they arrive. It holds the connection. If it is dropped before its
/// end, the rest of the statement is canceled.
pub struct RowStream<T> {
    // Declared before the connection, so that it is dropped before the connection is returned.
    rows: Option<crate::driver::RowStream<T>>,
    columns: Columns,
    connection: Option<Arc<dyn Any + Send + Sync>>,
}

impl<T> RowStream<T> {
    /// The rows of a driver. The connection is held until they end.
    pub fn new(
        columns: Columns,
        rows: crate::driver::RowStream<T>,
        connection: Arc<dyn Any + Send + Sync>,
    ) -> Self {
        RowStream {
            rows: Some(rows),
            columns,
            connection: Some(connection),
        }
    }

    /// The columns of the rows.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The next row; `None` after the last.
    ///
    /// # Errors
    /// The error of the server or the connection, and `Class::Data` for a row that does not fit.
    ///
    /// # Cancel safety
    /// No row is lost by dropping the future.
    pub async fn next(&mut self) -> Option<Result<T>> {
        StreamExt::next(self).await
    }
}

impl<T> Stream for RowStream<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        let Some(rows) = &mut self.rows else {
            return Poll::Ready(None);
        };
        let next = Pin::new(rows).poll_next(context);
        if let Poll::Ready(None) = next {
            // The connection is free for others while the caller still holds the stream.
            self.rows = None;
            self.connection = None;
        }
        next
    }
}

impl<T> std::fmt::Debug for RowStream<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowStream")
            .field("columns", &self.columns)
            .field("ended", &self.rows.is_none())
            .finish_non_exhaustive()
    }
}
