use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::{Stream, StreamExt};
use underpin_cluster::Operation;
use underpin_core::driver::HandOver;
use underpin_core::{Columns, Deadline, FromRow, Params, Result};

use crate::session::Session;

/// The rows of a statement as they arrive. It holds the connection; dropped before its
/// end, what is left of the statement is cancelled.
pub struct RowStream<T> {
    // Before the session, so that it is dropped before the connection is given back.
    rows: Option<underpin_core::driver::RowStream<T>>,
    columns: Columns,
    session: Option<Arc<Session>>,
}

impl<T> RowStream<T> {
    /// Runs a statement on the session, which the stream holds.
    pub(crate) async fn begin(
        session: Arc<Session>,
        sql: &str,
        params: Params,
        deadline: Deadline,
    ) -> Result<Self>
    where
        T: FromRow + Send + 'static,
    {
        let rows = HandOver::new();
        let answer = session
            .run(Operation::Stream(&rows), sql, params, deadline)
            .await?;
        let (columns, source) = answer.stream();
        Ok(RowStream {
            rows: Some(rows.stream(source)),
            columns,
            session: Some(session),
        })
    }

    /// The columns of the rows.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The next row; `None` after the last.
    ///
    /// # Errors
    /// What the server or the connection failed with, and `Class::Data` for a row that
    /// does not fit.
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
            self.session = None;
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
