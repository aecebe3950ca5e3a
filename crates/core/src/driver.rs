//! The traits of a driver, in the same shape for every engine. The pool requires [`Pooled`] and
//! [`Connector`]; the `Database` requires [`Connection`] as well.
//!
//! A driver never retries, never pools and never logs in a loop: it does one thing once, and
//! reports the outcome in its errors' [`Effect`](crate::Effect).

mod abort;
mod any;
mod lingering;
mod observation;
mod rows;

use std::any::Any;

use futures_util::stream::BoxStream;

use crate::deadline::Deadline;
use crate::endpoint::{Endpoint, Role};
use crate::error::{Class, Effect, Error, Result};
use crate::position::Position;
use crate::recycling::Recycling;
use crate::row::Columns;
use crate::statement_description::StatementDescription;
use crate::transaction::TransactionOptions;
use crate::value::Value;

pub use abort::{Abort, AbortHandle};
pub use any::{AnyConnection, AnyConnector};
pub use futures_util::future::BoxFuture;
pub use lingering::Lingering;
pub use observation::{Observation, Origin};
pub use rows::{Collect, ConnectionExt, HandOver, NewSink, RowSink, RowSource, RowStream};

/// A statement with its parameters and its limits.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The statement, in the engine's own SQL.
    pub sql: &'a str,
    /// Its parameters, in order; borrowed, so that they are available for a retry.
    pub params: &'a [Value],
    /// Latest time for an answer. The driver then cancels the statement on the server and waits,
    /// for a limited time, for the outcome.
    pub deadline: Deadline,
    /// Whether it runs beside other callers' statements. All of them only read and may be sent
    /// twice, so that the driver may send several together.
    pub shared: bool,
}

/// Target of [`Connection::insert_rows`].
#[derive(Debug, Clone, Copy)]
pub struct BulkTarget<'a> {
    /// The table, possibly qualified: `shop.orders`. The driver quotes it with
    /// [`quote::qualified`](crate::quote::qualified).
    pub table: &'a str,
    /// The columns that each row has values for, in order.
    pub columns: &'a [&'a str],
}

/// A connection's knowledge of its session, without a round trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    /// Ready for the next statement, outside a transaction, settings untouched.
    /// Exits to any of the others.
    Clean,
    /// Ready, outside a transaction, but the session was changed: `SET`, `LISTEN`, temporary
    /// tables, the native client. [`Pooled::reset`] leads back to `Clean`.
    Changed,
    /// Ready, within a transaction that can continue. `reset` rolls it back.
    InTransaction,
    /// Within a transaction in which a statement has failed. `reset` rolls it back.
    Failed,
    /// A statement is in progress, or its future was dropped. `reset` waits for it, or cancels it.
    Busy,
    /// Lost permanently; only [`Pooled::close`] is useful.
    Broken,
}

/// A connection as a pool requires it.
pub trait Pooled: Send + Sync + 'static {
    /// The state, judged by the messages that were sent and received so far; no round trip.
    fn state(&self) -> SessionState;

    /// Checks without a round trip whether the other side has hung up.
    fn is_open(&self) -> bool {
        self.state() != SessionState::Broken
    }

    /// Checks that the server answers; one round trip.
    ///
    /// # Errors
    /// `Class::Timeout` past the deadline, otherwise the error that ended the connection.
    ///
    /// # Cancel safety
    /// If the future is dropped, the connection stays `Busy`.
    fn ping(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>>;

    /// Prepares a connection that its holder returned in any state for the next holder: waits for
    /// or cancels statements in progress, rolls back, and undoes changes to the session.
    ///
    /// # Errors
    /// If it did not succeed by the deadline; the connection must be closed then.
    ///
    /// # Cancel safety
    /// If the future is dropped, the connection must be closed.
    fn reset(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>>;

    /// Ensures, without waiting, that the next caller finds a `Clean` session as it was opened, and
    /// returns whether that holds from here on. If a statement may have changed the session unseen,
    /// or `always`, a driver sends the statements that undo the changes, ahead of all later
    /// messages. The default does nothing, for a connection that sees every change; it refuses
    /// `always`.
    fn settle(&self, always: bool) -> bool {
        !always
    }

    /// [`reset`](Pooled::reset), in the chosen way. By default all ways are the same.
    ///
    /// # Errors
    /// As for [`reset`](Pooled::reset).
    ///
    /// # Cancel safety
    /// As for [`reset`](Pooled::reset).
    fn recycle<'a>(
        &'a self,
        recycling: &'a Recycling,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<()>> {
        let _ = recycling;
        self.reset(deadline)
    }

    /// Accepts the current session as `Clean`: its setup is meant for all later callers. No round
    /// trip. A `reset` that undoes changes undoes these too. The default does nothing, for a
    /// connection without the state `Changed`.
    ///
    /// # Errors
    /// If the connection is lost.
    ///
    /// # Cancel safety
    /// Safe; if the future is dropped, it may or may not have taken effect.
    fn accept_changes(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    /// Closes the connection and releases the server's resources. Past the deadline it is dropped
    /// as it is.
    fn close(self: Box<Self>, deadline: Deadline) -> BoxFuture<'static, ()>;
}

/// Opens connections of one kind.
pub trait Connector: Send + Sync + 'static {
    /// The type of its connections.
    type Connection: Pooled;

    /// Opens one connection; no retries.
    ///
    /// # Errors
    /// The class says whether a retry can help. Past the deadline it is `Class::Timeout { stage:
    /// Stage::Connect }`.
    ///
    /// # Cancel safety
    /// If the future is dropped, the connection that it has opened is closed.
    fn connect(&self, deadline: Deadline) -> BoxFuture<'_, Result<Self::Connection>>;
}

/// One open session with an endpoint. The trait is object-safe; [`ConnectionExt`] has the calls
/// that read rows as a Rust type.
///
/// All methods take `&self`. If an engine has the capability
/// [`pipelining`](Capabilities::pipelining), many autocommit statements may be in progress on one
/// connection at once (it is then a lane), each answered in the order in which it was first polled,
/// and a dropped future does not affect its neighbors. Otherwise calls wait for each other.
pub trait Connection: Pooled + Any {
    /// The endpoint of the connection.
    fn endpoint(&self) -> &Endpoint;

    /// The latest known role of the server.
    fn role(&self) -> Role;

    /// Asks the server for its state: one round trip. By default it is a ping, followed by the
    /// resulting [`role`](Connection::role).
    ///
    /// # Errors
    /// As for [`ping`](Pooled::ping).
    ///
    /// # Cancel safety
    /// As for [`ping`](Pooled::ping).
    fn observe(&self, deadline: Deadline) -> BoxFuture<'_, Result<Observation>> {
        Box::pin(async move {
            self.ping(deadline).await?;
            Ok(Observation::new(self.role()))
        })
    }

    /// The latest result of [`observe`](Connection::observe) on this session, if there is one. A
    /// replayed position stays valid for as long as the session lasts. The default keeps nothing.
    fn observed(&self) -> Option<Observation> {
        None
    }

    /// A handle that ends this connection from outside, while a caller holds it. `None` if the
    /// driver does not support that.
    fn abort_handle(&self) -> Option<AbortHandle> {
        None
    }

    /// Number of statements in progress.
    fn in_flight(&self) -> usize;

    /// Runs a statement and returns the number of rows that it changed.
    ///
    /// # Errors
    /// The effect says whether it may have taken effect.
    ///
    /// # Cancel safety
    /// If the future is dropped, the statement may still take effect; the state is `Busy` until the
    /// server has answered.
    fn execute<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<u64>>;

    /// Runs a statement, passes its rows to the sink, and returns the sink. Rows that arrive once
    /// the sink is full are discarded, and a statement that may write runs to its end in any case.
    ///
    /// # Errors
    /// As for `execute`. If the sink refuses the columns before anything was sent, the effect is
    /// `Effect::NotSent`. A row that cannot be read is `Class::Data`, and the effect is that of the
    /// statement, which has run to its end.
    ///
    /// # Cancel safety
    /// As for `execute`.
    fn fetch<'a>(
        &'a self,
        call: Call<'a>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<Box<dyn RowSink>>>;

    /// Runs a statement and returns its columns, and a stream that passes rows to the sink, one or
    /// more for each of its items, in bounded memory. The stream keeps the connection `Busy` until
    /// it ends or is dropped.
    ///
    /// # Errors
    /// As for `execute`; errors after the first row come from the stream.
    ///
    /// # Cancel safety
    /// As for `execute`.
    fn fetch_stream<'a>(
        &'a self,
        call: Call<'a>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<(Columns, Fetching)>>;

    /// Runs several statements, separated by semicolons, without parameters.
    ///
    /// # Errors
    /// As for `execute`.
    ///
    /// # Cancel safety
    /// As for `execute`.
    fn batch<'a>(&'a self, sql: &'a str, deadline: Deadline) -> BoxFuture<'a, Result<()>>;

    /// Inserts rows into a table in the fastest way of the engine, either all or none (in a
    /// transaction of its own if none is open), and returns their number.
    ///
    /// # Errors
    /// `Class::Data` names the number of the row (from 1) and the column.
    ///
    /// # Cancel safety
    /// If the future is dropped, no row is inserted, unless the last answer was on its way.
    fn insert_rows<'a>(
        &'a self,
        target: BulkTarget<'a>,
        rows: &'a mut dyn RowSource,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<u64>>;

    /// Begins a transaction. A driver may tell the server only with the first call within it; a
    /// failure to begin is then that call's error, and nothing takes effect.
    ///
    /// # Errors
    /// As for `execute`.
    ///
    /// # Cancel safety
    /// The state is no longer `Clean` before the first byte is sent, so a dropped future
    /// cannot return a connection with a transaction open.
    fn begin(&self, options: TransactionOptions, deadline: Deadline) -> BoxFuture<'_, Result<()>>;

    /// Commits the transaction. It is never canceled: past the deadline, the answer is awaited
    /// within a time limit of the driver.
    ///
    /// # Errors
    /// `Effect::RolledBack` if it did not take effect, `Effect::Unknown` if no answer arrived or
    /// the server warned that it did not wait for its replicas. A transaction in which a statement
    /// had failed is rolled back, with an error that says so.
    ///
    /// # Cancel safety
    /// If the future is dropped, it may or may not have taken effect.
    fn commit(&self) -> BoxFuture<'_, Result<()>>;

    /// Commits the transaction and returns its position in the history of the database, in one
    /// round trip. By default an engine has no positions.
    ///
    /// # Errors
    /// As for [`commit`](Connection::commit); `Effect::Applied` if it was committed and the
    /// position could not be read. `Class::Unsupported` if there are no positions, and nothing was
    /// sent.
    ///
    /// # Cancel safety
    /// As for [`commit`](Connection::commit).
    fn commit_with_position(&self) -> BoxFuture<'_, Result<Position>> {
        Box::pin(async { Err(without_positions()) })
    }

    /// Returns the current position of the primary in the history of the database: everything that
    /// was committed so far lies before it. By default an engine has no positions.
    ///
    /// # Errors
    /// `Class::Unsupported` if there are no positions, `Class::ReadOnly` on a replica, otherwise as
    /// for [`ping`](Pooled::ping).
    ///
    /// # Cancel safety
    /// As for [`ping`](Pooled::ping).
    fn position(&self, deadline: Deadline) -> BoxFuture<'_, Result<Position>> {
        let _ = deadline;
        Box::pin(async { Err(without_positions()) })
    }

    /// Rolls the transaction back.
    ///
    /// # Errors
    /// Only if the connection is lost; the server rolls back then.
    ///
    /// # Cancel safety
    /// If the future is dropped, the transaction is rolled back when the connection is reset.
    fn rollback(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>>;

    /// Prepares a statement without running it, and returns the engine's description of its
    /// parameters and columns.
    ///
    /// # Errors
    /// The engine's refusal, with [`Error::position`](crate::Error::position) if it is known;
    /// `Class::Unsupported` if the statement cannot be prepared without being run.
    ///
    /// # Cancel safety
    /// As for `execute`; nothing is changed.
    fn describe<'a>(
        &'a self,
        sql: &'a str,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<StatementDescription>>;

    /// Runs a statement that takes its rows from the client, such as `COPY … FROM STDIN`, with rows
    /// in the text form that the statement names, and returns their number. By default an engine
    /// has no such statement.
    ///
    /// # Errors
    /// As for `execute`; `Class::Unsupported` where there is no such statement, and nothing was
    /// sent.
    ///
    /// # Cancel safety
    /// Dropped half-way, no row is put in, unless the last answer was under way.
    fn copy_text<'a>(
        &'a self,
        sql: &'a str,
        rows: &'a str,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<u64>> {
        let _ = (sql, rows, deadline);
        Box::pin(async { Err(without_copy()) })
    }

    /// The process that the other side announced for this session when it began. A pooler in
    /// between announces another than the server's own. By default none is known.
    fn announced_process(&self) -> Option<i32> {
        None
    }

    /// Whether the engine itself reports that the statement only reads, so that it can go to a
    /// replica or a reader. `None` if the engine cannot tell in advance.
    ///
    /// # Errors
    /// `Class::Syntax` if the statement cannot be prepared.
    ///
    /// # Cancel safety
    /// Safe; nothing is changed.
    fn only_reads<'a>(&'a self, sql: &'a str) -> BoxFuture<'a, Result<Option<bool>>>;
}

/// The error of an engine that has no positions.
pub fn without_positions() -> Error {
    Error::new(
        Class::Unsupported,
        "The engine has no positions in its history; nothing was sent.",
    )
    .with_effect(Effect::NotSent)
    .with_hint("Read recent writes from the primary, with a call without `read()`.")
}

/// The error of an engine that takes no rows from the client.
fn without_copy() -> Error {
    Error::new(
        Class::Unsupported,
        "The engine has no statement that takes its rows from the client; nothing was sent.",
    )
    .with_effect(Effect::NotSent)
    .with_hint("Write INSERT.")
}

impl dyn Connection {
    /// The connection as the type of one driver, if it has that type.
    pub fn downcast_ref<C: Connection>(&self) -> Option<&C> {
        let any: &dyn Any = self;
        any.downcast_ref()
    }
}

/// The progress of a statement whose rows go to a sink: after each item the sink has more rows;
/// after the last item there are no more.
pub type Fetching = BoxStream<'static, Result<()>>;

/// The capabilities of an engine, so that a call which it does not support is refused before it is
/// sent, and so that no code asks which engine it is. The capabilities of its SQL are in its
/// [dialect](crate::Engine::dialect): savepoints, DDL in transactions, returned rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether one connection can serve many callers' statements at once.
    pub pipelining: bool,
    /// Whether it has transactions.
    pub transactions: bool,
    /// Whether sessions can listen to notifications of others.
    pub notifications: bool,
    /// Whether a refusal of a write as read-only means that the roles of servers may have
    /// changed, so that connections are stale.
    pub roles_change: bool,
    /// Whether servers report their [position](crate::Position) in the history of the database.
    pub positions: bool,
}
