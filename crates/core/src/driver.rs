//! What a driver has to do, in the same shape for every engine. The pool asks for
//! [`Pooled`] and [`Connector`]; the `Database` asks for [`Connection`] as well.
//!
//! A driver never retries, never pools and never logs in a loop: it does one thing
//! once, and says in its errors' [`Effect`](crate::Effect) what came of it.

mod abort;
mod any;
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
pub use observation::{Observation, Origin};
pub use rows::{Collect, ConnectionExt, HandOver, NewSink, RowSink, RowSource, RowStream};

/// A statement with its parameters and what bounds it.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The statement, in the engine's own SQL.
    pub sql: &'a str,
    /// Its parameters, in order; borrowed, so that a retry has them still.
    pub params: &'a [Value],
    /// When an answer is wanted at the latest. The driver cancels the statement on the
    /// server at that moment and waits, for a bounded time, to learn what came of it.
    pub deadline: Deadline,
    /// Whether it goes out beside other callers' statements. All of them only read and may be
    /// sent twice, so that the driver may ask for several at once.
    pub shared: bool,
}

/// Where [`Connection::insert_rows`] puts its rows.
#[derive(Debug, Clone, Copy)]
pub struct BulkTarget<'a> {
    /// The table, perhaps qualified: `shop.orders`. Quoted by the driver with
    /// [`quote::qualified`](crate::quote::qualified).
    pub table: &'a str,
    /// The columns that each row has values for, in order.
    pub columns: &'a [&'a str],
}

/// What a connection knows of its session without asking the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    /// Ready for the next statement, outside a transaction, settings untouched.
    /// Exits to any of the others.
    Clean,
    /// Ready, outside a transaction, but the session was changed: `SET`, `LISTEN`,
    /// temporary tables, the native client. [`Pooled::reset`] leads back to `Clean`.
    Changed,
    /// Ready, within a transaction that can go on. `reset` rolls it back.
    InTransaction,
    /// Within a transaction that a statement has failed in. `reset` rolls it back.
    Failed,
    /// A statement is under way, or its future was dropped. `reset` waits for it, or cancels it.
    Busy,
    /// Lost. There is no way back; only [`Pooled::close`] is left.
    Broken,
}

/// What a pool needs of a connection.
pub trait Pooled: Send + Sync + 'static {
    /// The state, from what has been sent and received so far; no round trip.
    fn state(&self) -> SessionState;

    /// Looks at the connection without a round trip: whether the other side has hung up.
    fn is_open(&self) -> bool {
        self.state() != SessionState::Broken
    }

    /// Asks the server for a sign of life; one round trip.
    ///
    /// # Errors
    /// `Class::Timeout` past the deadline, else what ended the connection.
    ///
    /// # Cancel safety
    /// Dropped half-way it leaves the connection `Busy`.
    fn ping(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>>;

    /// Makes a connection that its holder returned in any state fit for the next: waits
    /// for or cancels what is under way, rolls back, undoes changes to the session.
    ///
    /// # Errors
    /// Where it could not by the deadline; the connection is to be closed then.
    ///
    /// # Cancel safety
    /// Dropped half-way it leaves the connection to be closed.
    fn reset(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>>;

    /// Makes sure, without waiting, that the next caller finds a `Clean` session as it was
    /// opened, and says whether that is so from here on. Where a statement may have changed the
    /// session unseen, or `always`, a driver sends what undoes that, ahead of all that is sent
    /// later. By default there is nothing to do, for a connection that sees every change; then
    /// `always` is refused.
    fn settle(&self, always: bool) -> bool {
        !always
    }

    /// [`reset`](Pooled::reset), in the way that was chosen. By default it is the same for all.
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

    /// Takes the session as it is for `Clean`: what was set up on it is meant for all who
    /// come. No round trip. A `reset` that undoes changes undoes these too. By default
    /// there is nothing to do, for a connection that does not know `Changed`.
    ///
    /// # Errors
    /// Where the connection is lost.
    ///
    /// # Cancel safety
    /// Safe; dropped half-way it may have taken effect or not.
    fn accept_changes(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    /// Ends the connection and frees the server of it. Bounded by the deadline, after
    /// which it is dropped as it stands.
    fn close(self: Box<Self>, deadline: Deadline) -> BoxFuture<'static, ()>;
}

/// Opens connections of one kind.
pub trait Connector: Send + Sync + 'static {
    /// What it opens.
    type Connection: Pooled;

    /// Opens one connection; no retries.
    ///
    /// # Errors
    /// The class says whether trying again can help. Past the deadline it is
    /// `Class::Timeout { stage: Stage::Connect }`.
    ///
    /// # Cancel safety
    /// Dropped half-way it closes what it has opened.
    fn connect(&self, deadline: Deadline) -> BoxFuture<'_, Result<Self::Connection>>;
}

/// One open session with an endpoint. The trait is object-safe; [`ConnectionExt`] has the
/// calls that read rows as a Rust type.
///
/// All methods take `&self`. Where an engine has the capability
/// [`pipelining`](Capabilities::pipelining), many autocommit statements may be under way on
/// one connection at once (it is then a lane), each answered in the order in which it was
/// first polled, and a future that is dropped leaves its neighbors whole. Elsewhere calls
/// wait for each other.
pub trait Connection: Pooled + Any {
    /// Where this connection leads.
    fn endpoint(&self) -> &Endpoint;

    /// What the other side says of itself, as of the latest news of it.
    fn role(&self) -> Role;

    /// Asks the server what it is: one round trip. By default it is a ping, followed by what
    /// [`role`](Connection::role) knows then.
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

    /// What [`observe`](Connection::observe) found last on this session, where it was asked. What a
    /// server has replayed stays replayed for as long as the session lasts. By default nothing is
    /// kept.
    fn observed(&self) -> Option<Observation> {
        None
    }

    /// What ends this connection from outside, while somebody holds it. `None` where the driver
    /// has no such thing.
    fn abort_handle(&self) -> Option<AbortHandle> {
        None
    }

    /// How many statements are under way.
    fn in_flight(&self) -> usize;

    /// Runs a statement and gives the number of rows it changed.
    ///
    /// # Errors
    /// The effect says whether it may have taken effect.
    ///
    /// # Cancel safety
    /// Dropped half-way, the statement may still take effect; the state is `Busy` until
    /// the server has answered.
    fn execute<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<u64>>;

    /// Runs a statement, hands its rows to the sink, and returns the sink. Rows that come
    /// once the sink is full are discarded, and a statement that may write runs to its end
    /// all the same.
    ///
    /// # Errors
    /// As for `execute`. Columns that the sink refuses before anything was sent are
    /// `Effect::NotSent`. A row that cannot be read is `Class::Data`, and the effect is that
    /// of the statement, which has run to its end.
    ///
    /// # Cancel safety
    /// As for `execute`.
    fn fetch<'a>(
        &'a self,
        call: Call<'a>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<Box<dyn RowSink>>>;

    /// Runs a statement and gives its columns, and a stream that hands rows to the sink, one
    /// or more for each of its items, in bounded memory. The stream keeps the connection
    /// `Busy` until it ends or is dropped.
    ///
    /// # Errors
    /// As for `execute`; failures after the first row come from the stream.
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

    /// Puts rows into a table by the fastest way the engine has, either all or no row
    /// (a transaction of its own where none is open), and gives their number.
    ///
    /// # Errors
    /// `Class::Data` names the number of the row (from 1) and the column.
    ///
    /// # Cancel safety
    /// Dropped half-way, no row is put in, unless the last answer was under way.
    fn insert_rows<'a>(
        &'a self,
        target: BulkTarget<'a>,
        rows: &'a mut dyn RowSource,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<u64>>;

    /// Begins a transaction. A driver may leave it to the first call within it to tell the
    /// server; a failure to begin is then that call's error, and nothing of it takes effect.
    ///
    /// # Errors
    /// As for `execute`.
    ///
    /// # Cancel safety
    /// The state is no longer `Clean` before the first byte is sent, so a dropped future
    /// cannot return a connection with a transaction open.
    fn begin(&self, options: TransactionOptions, deadline: Deadline) -> BoxFuture<'_, Result<()>>;

    /// Commits the transaction. It is never canceled: past the deadline the answer is
    /// waited for, within a bound of the driver's.
    ///
    /// # Errors
    /// `Effect::RolledBack` where it did not take effect, `Effect::Unknown` where no answer
    /// came or the server warned that it did not wait for its replicas. A transaction
    /// that a statement had failed in is rolled back, and says so.
    ///
    /// # Cancel safety
    /// Dropped half-way it may have taken effect or not.
    fn commit(&self) -> BoxFuture<'_, Result<()>>;

    /// Commits the transaction and says where in the history of the database it is then, in one
    /// round trip. By default an engine has no positions.
    ///
    /// # Errors
    /// As for [`commit`](Connection::commit); `Effect::Applied` where it was committed and the
    /// position could not be read. `Class::Unsupported` where there are no positions, and nothing
    /// was sent.
    ///
    /// # Cancel safety
    /// As for [`commit`](Connection::commit).
    fn commit_with_position(&self) -> BoxFuture<'_, Result<Position>> {
        Box::pin(async { Err(without_positions()) })
    }

    /// Says where in the history of the database its primary is now: all that was committed so far
    /// lies before it. By default an engine has no positions.
    ///
    /// # Errors
    /// `Class::Unsupported` where there are no positions, `Class::ReadOnly` on a replica, else as
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
    /// Only where the connection is lost; the server rolls back then.
    ///
    /// # Cancel safety
    /// Dropped half-way, the transaction is rolled back when the connection is reset.
    fn rollback(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>>;

    /// Has the engine prepare a statement and say what its parameters and columns are. It is
    /// not run.
    ///
    /// # Errors
    /// What the engine refused it with, with [`Error::position`](crate::Error::position)
    /// where that is known; `Class::Unsupported` where it cannot be prepared without being
    /// run.
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

    /// Whether the engine itself says that the statement only reads, so that it can go
    /// to a replica or a reader. `None` where the engine cannot tell beforehand.
    ///
    /// # Errors
    /// `Class::Syntax` where the statement cannot be prepared.
    ///
    /// # Cancel safety
    /// Safe; nothing is changed.
    fn only_reads<'a>(&'a self, sql: &'a str) -> BoxFuture<'a, Result<Option<bool>>>;
}

/// The error of an engine that has no positions.
pub fn without_positions() -> Error {
    Error::new(
        Class::Unsupported,
        "The engine tells no positions in its history; nothing was sent.",
    )
    .with_effect(Effect::NotSent)
    .with_hint("Read from the primary what was just written, by a call without `read()`.")
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
    /// The connection as the type of one driver, where it is of that type.
    pub fn downcast_ref<C: Connection>(&self) -> Option<&C> {
        let any: &dyn Any = self;
        any.downcast_ref()
    }
}

/// The progress of a statement whose rows go to a sink: after each item the sink has more
/// rows; after the last there are none left.
pub type Fetching = BoxStream<'static, Result<()>>;

/// What an engine can do, so that a call which it cannot serve is refused before it is sent,
/// and so that nobody asks which engine it is. What its SQL can do is in its
/// [dialect](crate::Engine::dialect): savepoints, DDL in transactions, returned rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether one connection can serve many callers' statements at once.
    pub pipelining: bool,
    /// Whether it has transactions.
    pub transactions: bool,
    /// Whether sessions can listen to what others notify them of.
    pub notifications: bool,
    /// Whether a refusal of a write as read-only means that the roles of servers may have
    /// changed, so that connections are stale.
    pub roles_change: bool,
    /// Whether servers tell their [position](crate::Position) in the history of the database.
    pub positions: bool,
}
