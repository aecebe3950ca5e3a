use std::pin::Pin;
use std::task::{Context, Poll};

use underpin_core::driver::{
    BoxFuture, BulkTarget, Call, Connection, Fetching, NewSink, RowSink, RowSource,
};
use underpin_core::{Columns, Result, StatementDescription};

/// The work of one call on one connection.
pub enum Operation<'a> {
    /// Runs a statement and returns the number of rows that it changed.
    Execute,
    /// Runs a statement and collects all rows that the sink wants.
    Fetch(&'a dyn NewSink),
    /// Runs a statement whose rows go to the sink as they arrive. Only for a caller that holds the
    /// connection until the rows are read: [`Cluster::run`](crate::Cluster::run) does not.
    Stream(&'a dyn NewSink),
    /// Runs several statements.
    Batch,
    /// Inserts rows into a table.
    Insert(BulkTarget<'a>, &'a mut dyn RowSource),
    /// Prepares a statement without running it.
    Describe,
    /// Checks that the server answers.
    Ping,
}

/// The result of an [`Operation`], one variant for each kind of result.
pub enum Answer {
    /// Of `Execute` and `Insert`.
    Count(u64),
    /// Of `Fetch`: the sink, with the rows.
    Rows(Box<dyn RowSink>),
    /// Of `Stream`.
    Stream(Columns, Fetching),
    /// Of `Batch` and `Ping`.
    Done,
    /// Of `Describe`.
    Description(StatementDescription),
}

impl Operation<'_> {
    /// Whether it is one statement whose complete answer is all that the caller needs, so that it
    /// may share a connection with other callers' statements.
    pub(crate) fn is_one_statement(&self) -> bool {
        matches!(self, Operation::Execute | Operation::Fetch(_))
    }

    /// Whether it can be restarted; the rows of an insert can be read only once.
    pub(crate) fn is_repeatable(&self) -> bool {
        !matches!(self, Operation::Insert(..))
    }

    /// Runs it on this connection.
    pub fn run<'a>(&'a mut self, connection: &'a dyn Connection, call: Call<'a>) -> Running<'a> {
        match self {
            Operation::Execute => Running::Count(connection.execute(call)),
            Operation::Fetch(new) => Running::Rows(connection.fetch(call, new.sink())),
            Operation::Stream(new) => Running::Stream(connection.fetch_stream(call, new.sink())),
            Operation::Batch => Running::Done(connection.batch(call.sql, call.deadline)),
            Operation::Insert(target, rows) => {
                Running::Count(connection.insert_rows(*target, *rows, call.deadline))
            }
            Operation::Describe => {
                Running::Description(connection.describe(call.sql, call.deadline))
            }
            Operation::Ping => Running::Done(connection.ping(call.deadline)),
        }
    }
}

/// An operation in progress: the driver's own future, whose outcome becomes an [`Answer`].
///
/// # Cancel safety
/// As for the connection's own call.
pub enum Running<'a> {
    /// Of `Execute` and `Insert`.
    Count(BoxFuture<'a, Result<u64>>),
    /// Of `Fetch`.
    Rows(BoxFuture<'a, Result<Box<dyn RowSink>>>),
    /// Of `Stream`.
    Stream(BoxFuture<'a, Result<(Columns, Fetching)>>),
    /// Of `Batch` and `Ping`.
    Done(BoxFuture<'a, Result<()>>),
    /// Of `Describe`.
    Description(BoxFuture<'a, Result<StatementDescription>>),
}

impl Future for Running<'_> {
    type Output = Result<Answer>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<Answer>> {
        match &mut *self {
            Running::Count(future) => future.as_mut().poll(context).map_ok(Answer::Count),
            Running::Rows(future) => future.as_mut().poll(context).map_ok(Answer::Rows),
            Running::Stream(future) => {
                let answer = |(columns, rows)| Answer::Stream(columns, rows);
                future.as_mut().poll(context).map_ok(answer)
            }
            Running::Done(future) => future.as_mut().poll(context).map_ok(|()| Answer::Done),
            Running::Description(future) => {
                future.as_mut().poll(context).map_ok(Answer::Description)
            }
        }
    }
}

impl Answer {
    /// The number of rows.
    ///
    /// # Panics
    /// If the answer belongs to another operation; so do the other accessors.
    pub fn count(self) -> u64 {
        match self {
            Answer::Count(count) => count,
            _ => unreachable!("the answer belongs to the operation"),
        }
    }

    /// The sink with the rows.
    pub fn rows(self) -> Box<dyn RowSink> {
        match self {
            Answer::Rows(sink) => sink,
            _ => unreachable!("the answer belongs to the operation"),
        }
    }

    /// The columns, and the future that fills the sink.
    pub fn stream(self) -> (Columns, Fetching) {
        match self {
            Answer::Stream(columns, rows) => (columns, rows),
            _ => unreachable!("the answer belongs to the operation"),
        }
    }

    /// The description.
    pub fn description(self) -> StatementDescription {
        match self {
            Answer::Description(description) => description,
            _ => unreachable!("the answer belongs to the operation"),
        }
    }
}
