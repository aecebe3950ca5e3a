use std::fmt;
use std::pin::pin;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use postgres_types::{Format, FromSql, IsNull, ToSql, Type};
use tokio::sync::broadcast;
use underpin_core::{Class, Deadline, Error, Result};

use crate::call::{Call, Failure};
use crate::copy::{CopyOut, copy_out, require_session};
use crate::copy_in::CopyIn;
use crate::execute;
use crate::notices::{Notice, Notification};
use crate::pipeline::Pipeline;
use crate::prepare::Ready;
use crate::session::Session;
use crate::sql::Nature;
use crate::statement_limit::Setting;
use crate::statements::Prepared;
use crate::wire::answer::{Answer, Broken};
use crate::wire::body::{Field, Values, affected, fields};
use crate::wire::put;
use crate::wire::request::steps;

/// The driver's native client: PostgreSQL's features with values that implement [`ToSql`] and
/// [`FromSql`]. Its calls have no deadline, and are answered in order.
///
/// | `tokio_postgres::Client` | here |
/// |---|---|
/// | `query`, `query_one`, `query_opt` | [`query`](Client::query), [`query_one`](Client::query_one), [`query_opt`](Client::query_opt) |
/// | `execute` | [`execute`](Client::execute) |
/// | `prepare` | [`prepare`](Client::prepare); texts are prepared and kept by themselves |
/// | `simple_query`, `batch_execute` | [`simple_query`](Client::simple_query), [`batch_execute`](Client::batch_execute) |
/// | `copy_in`, `copy_out` | [`copy_in`](Client::copy_in), [`copy_out`](Client::copy_out) |
/// | `Transaction::bind`, `query_portal` | [`portal`](Client::portal), [`fetch`](crate::Portal::fetch) |
/// | `query_raw` | [`portal`](Client::portal), or the streams of the connection |
/// | several futures polled together | [`pipeline`](Client::pipeline), or the same |
/// | `cancel_token` | [`cancel_token`](Client::cancel_token) |
/// | `Connection::poll_message` | [`notices`](Client::notices), [`notifications`](Client::notifications) |
/// | `Connection::parameter` | [`parameter`](Client::parameter) |
/// | `transaction` | `begin`, `commit` and `rollback` of the [connection](crate::Connection) |
/// | `is_closed` | `state` of the connection |
pub struct Client {
    session: Arc<Session>,
}

/// The statement for a call of the [`Client`]: a text, or a prepared statement.
#[derive(Clone, Copy)]
pub enum Query<'a> {
    /// A text. It is prepared the first time, and cached.
    Text(&'a str),
    /// A prepared statement.
    Statement(&'a Statement),
}

impl<'a> From<&'a str> for Query<'a> {
    fn from(text: &'a str) -> Self {
        Query::Text(text)
    }
}

impl<'a> From<&'a String> for Query<'a> {
    fn from(text: &'a String) -> Self {
        Query::Text(text)
    }
}

impl<'a> From<&'a Statement> for Query<'a> {
    fn from(statement: &'a Statement) -> Self {
        Query::Statement(statement)
    }
}

/// A parameter of a call of the [`Client`].
pub type Parameter<'a> = &'a (dyn ToSql + Sync);

/// A prepared statement. The server forgets it when its last clone is dropped.
#[derive(Clone)]
pub struct Statement(pub(crate) Arc<Prepared>);

impl Statement {
    /// The types of the parameters.
    pub fn parameters(&self) -> &[Type] {
        &self.0.types
    }

    /// The names and types of the columns of its result.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = (&str, &Type)> {
        let fields = self.0.fields.iter().map(|field| &*field.name);
        fields.zip(&self.0.field_types)
    }
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statement")
            .field("parameters", &self.parameters())
            .finish_non_exhaustive()
    }
}

/// A row of the [`Client`].
#[derive(Clone)]
pub struct ClientRow {
    pub(crate) body: Bytes,
    pub(crate) prepared: Arc<Prepared>,
}

/// Names a column of a row: by its index, from 0, or by its name.
pub trait ColumnIndex: Copy + fmt::Debug + sealed::Sealed {
    #[doc(hidden)]
    fn find<'n>(self, names: impl Iterator<Item = &'n str>) -> Option<usize>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for usize {}
    impl Sealed for &str {}
}

impl ColumnIndex for usize {
    fn find<'n>(self, names: impl Iterator<Item = &'n str>) -> Option<usize> {
        (self < names.count()).then_some(self)
    }
}

impl ColumnIndex for &str {
    fn find<'n>(self, mut names: impl Iterator<Item = &'n str>) -> Option<usize> {
        names.position(|name| name == self)
    }
}

impl ClientRow {
    /// The row that an answer has just returned, with this length.
    pub(crate) fn of(answer: &Answer, length: usize, prepared: &Arc<Prepared>) -> Self {
        ClientRow {
            body: answer.body(length),
            prepared: Arc::clone(prepared),
        }
    }

    /// Number of columns.
    pub fn len(&self) -> usize {
        self.prepared.fields.len()
    }

    /// Whether the row has no columns.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a column.
    ///
    /// # Errors
    /// [`Class::Data`] if there is no such column, or its value cannot be read as a `T`.
    pub fn get<'a, T: FromSql<'a>>(&'a self, column: impl ColumnIndex) -> Result<T> {
        let names = self.prepared.fields.iter().map(|field| &*field.name);
        let index = column
            .find(names)
            .ok_or_else(|| Error::new(Class::Data, format!("The row has no column {column:?}.")))?;
        let type_ = &self.prepared.field_types[index];
        if !T::accepts(type_) {
            return Err(Error::new(
                Class::Data,
                format!(
                    "Column {column:?} is of type {type_}, which cannot be read as the requested Rust type."
                ),
            ));
        }
        let value = Values::new(&self.body).and_then(|values| values.get(index));
        let value = value.ok_or_else(|| {
            Error::new(
                Class::Protocol,
                "The row does not follow PostgreSQL's protocol.",
            )
        })?;
        T::from_sql_nullable(type_, value).map_err(|error| {
            Error::new(
                Class::Data,
                format!("Column {column:?} of type {type_} cannot be read: {error}."),
            )
            .with_source(Unreadable(error))
        })
    }
}

impl fmt::Debug for ClientRow {
    /// Never shows the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientRow")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Unreadable(Box<dyn std::error::Error + Sync + Send>);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Unreadable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

/// An item of the result of a text with several statements, in order.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SimpleMessage {
    /// A row.
    Row(SimpleRow),
    /// A statement is complete, with this number of rows.
    Complete(u64),
}

/// A row whose values are texts.
#[derive(Clone)]
pub struct SimpleRow {
    body: Bytes,
    columns: Arc<[Field]>,
}

impl SimpleRow {
    /// Number of columns.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether the row has no columns.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The text of a column; `None` for NULL, and if there is no such column.
    pub fn get(&self, column: impl ColumnIndex) -> Option<&str> {
        let index = column.find(self.columns.iter().map(|field| &*field.name))?;
        str::from_utf8(Values::new(&self.body)?.get(index)??).ok()
    }
}

impl fmt::Debug for SimpleRow {
    /// Never shows the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimpleRow")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// Asks the server to cancel the statement that runs on a connection. It can be sent to another
/// task.
#[derive(Clone)]
pub struct CancelToken(Arc<Session>);

impl CancelToken {
    /// Sends the request, over a connection of its own that is encrypted like the session, and
    /// returns once the server has passed it on. The outcome is that of the statement.
    ///
    /// # Errors
    /// [`Class::Connect`] if the server cannot be reached.
    ///
    /// # Cancel safety
    /// If the future is dropped, the request may or may not have been sent.
    pub async fn cancel(&self) -> Result<()> {
        self.0.cancel().await.map_err(|error| {
            let endpoint = &self.0.endpoint;
            Error::new(
                Class::Connect,
                format!("The request to cancel did not reach {endpoint}: {error}."),
            )
            .with_source(error)
        })
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CancelToken")
            .field(&self.0.endpoint)
            .finish()
    }
}

/// A COPY that takes rows. If it is dropped before [`finish`](CopyInWriter::finish), no row is
/// inserted.
pub struct CopyInWriter {
    call: Call,
    copy: CopyIn,
}

impl CopyInWriter {
    /// Sends a piece of the rows, which may end anywhere, once the earlier pieces are on their way.
    /// Returns whether the server takes more: if it has refused a row,
    /// [`finish`](CopyInWriter::finish) tells which one.
    pub async fn send(&mut self, rows: Bytes) -> bool {
        self.copy.send(rows).await
    }

    /// Ends the rows, and returns their number once they are inserted.
    ///
    /// # Errors
    /// The server's refusal.
    ///
    /// # Cancel safety
    /// If the future is dropped, the rows may or may not be inserted.
    pub async fn finish(self) -> Result<u64> {
        self.call.finish_copy(self.copy, Bytes::new()).await
    }
}

impl fmt::Debug for CopyInWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CopyInWriter").finish_non_exhaustive()
    }
}

impl Client {
    pub(crate) fn new(session: Arc<Session>) -> Self {
        Client { session }
    }

    /// Runs a statement, and returns all its rows.
    ///
    /// # Errors
    /// The server's refusal; [`Class::Data`] for parameters that do not fit.
    ///
    /// # Cancel safety
    /// If the future is dropped, the statement may still take effect.
    pub async fn query<'a>(
        &self,
        query: impl Into<Query<'a>>,
        params: &[Parameter<'_>],
    ) -> Result<Vec<ClientRow>> {
        self.run(query.into(), params, async |answer, prepared| {
            rows(answer, &prepared).await
        })
        .await
    }

    /// Runs a statement that returns exactly one row.
    ///
    /// # Errors
    /// As for [`query`](Client::query); [`Class::NotFound`] for no row, and [`Class::Data`] for
    /// more than one.
    ///
    /// # Cancel safety
    /// As for [`query`](Client::query).
    pub async fn query_one<'a>(
        &self,
        query: impl Into<Query<'a>>,
        params: &[Parameter<'_>],
    ) -> Result<ClientRow> {
        let row = self.query_opt(query, params).await?;
        row.ok_or_else(|| {
            Error::new(
                Class::NotFound,
                "The statement returned no rows, but one row was expected.",
            )
        })
    }

    /// Runs a statement that returns one row or none.
    ///
    /// # Errors
    /// As for [`query`](Client::query); [`Class::Data`] for more than one row.
    ///
    /// # Cancel safety
    /// As for [`query`](Client::query).
    pub async fn query_opt<'a>(
        &self,
        query: impl Into<Query<'a>>,
        params: &[Parameter<'_>],
    ) -> Result<Option<ClientRow>> {
        let mut rows = self.query(query, params).await?;
        match rows.len() {
            0 | 1 => Ok(rows.pop()),
            count => Err(Error::new(
                Class::Data,
                format!("The statement returned {count} rows, but one row was expected."),
            )),
        }
    }

    /// Runs a statement, and returns the number of rows that it changed.
    ///
    /// # Errors
    /// As for [`query`](Client::query).
    ///
    /// # Cancel safety
    /// As for [`query`](Client::query).
    pub async fn execute<'a>(
        &self,
        query: impl Into<Query<'a>>,
        params: &[Parameter<'_>],
    ) -> Result<u64> {
        self.run(query.into(), params, async |answer, _| {
            execute::count(answer).await
        })
        .await
    }

    /// Prepares a statement.
    ///
    /// # Errors
    /// The server's refusal.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn prepare(&self, sql: &str) -> Result<Statement> {
        let call = self.open().await?;
        match call.wait(pin!(self.session.prepare(sql))).await {
            Ok(prepared) => call.done().map(|()| Statement(Arc::new(prepared))),
            Err(failure) => Err(call.fail(failure).await),
        }
    }

    /// Runs a text of one or more statements, and returns all their rows and counts.
    ///
    /// # Errors
    /// As for [`query`](Client::query). If a statement fails, later ones are not run.
    ///
    /// # Cancel safety
    /// As for [`query`](Client::query).
    pub async fn simple_query(&self, sql: &str) -> Result<Vec<SimpleMessage>> {
        let mut call = self.open().await?;
        submit(&mut call, sql)?;
        let asked = match self.session.simple(sql) {
            Ok(answer) => call.wait(pin!(self.messages(answer))).await,
            Err(failure) => Err(failure),
        };
        match asked {
            Ok(messages) => call.done().map(|()| messages),
            Err(failure) => Err(call.fail(failure).await),
        }
    }

    /// Runs a text of one or more statements.
    ///
    /// # Errors
    /// As for [`simple_query`](Client::simple_query).
    ///
    /// # Cancel safety
    /// As for [`query`](Client::query).
    pub async fn batch_execute(&self, sql: &str) -> Result<()> {
        let mut call = self.open().await?;
        submit(&mut call, sql)?;
        match call.wait(pin!(self.session.run_simple(sql))).await {
            Ok(()) => call.done(),
            Err(failure) => Err(call.fail(failure).await),
        }
    }

    /// Begins a `COPY … FROM STDIN`.
    ///
    /// # Errors
    /// The server's refusal; [`Class::Unsupported`] for another statement.
    ///
    /// # Cancel safety
    /// If the future is dropped, no row is inserted.
    pub async fn copy_in(&self, sql: &str) -> Result<CopyInWriter> {
        require_session(&self.session)?;
        let mut call = self.open().await?;
        match call.start_copy(sql).await {
            Ok(copy) => Ok(CopyInWriter { call, copy }),
            Err(failure) => Err(call.fail(failure).await),
        }
    }

    /// Runs a `COPY … TO STDOUT`, and returns its output as a stream, in bounded memory.
    ///
    /// # Errors
    /// As for [`copy_in`](Client::copy_in); errors after the first piece come from the stream.
    ///
    /// # Cancel safety
    /// If the future is dropped, the connection is busy until the server has answered.
    pub async fn copy_out(&self, sql: &str) -> Result<CopyOut> {
        copy_out(&self.session, sql, Deadline::NONE).await
    }

    /// Builds a pipeline: several statements that are sent together.
    pub fn pipeline(&self) -> Pipeline<'_> {
        Pipeline::new(self)
    }

    /// Returns a token that cancels the statement running on this connection.
    pub fn cancel_token(&self) -> CancelToken {
        CancelToken(Arc::clone(&self.session))
    }

    /// The latest notices and warnings of the server, the oldest first, 64 at most.
    pub fn notices(&self) -> Vec<Notice> {
        self.session.wire.notices()
    }

    /// The notifications of the channels that the session listens to, from now on. A receiver that
    /// falls 256 notifications behind misses the oldest, and learns of it. The receiver ends with
    /// the connection.
    pub fn notifications(&self) -> broadcast::Receiver<Notification> {
        self.session.wire.notifications()
    }

    /// A setting that the server has reported: `server_version`, `TimeZone`.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let machine = self.session.wire.machine();
        machine.parameter(name).map(str::to_owned)
    }

    /// Process id of the server process for the session.
    pub fn pid(&self) -> i32 {
        self.session.wire.process
    }

    /// The negotiated version of the protocol: 3.0 or 3.2.
    pub fn protocol(&self) -> (u16, u16) {
        (3, self.session.wire.minor())
    }

    pub(crate) fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// Begins a call, in the transaction that is open or about to begin.
    pub(crate) async fn open(&self) -> Result<Call> {
        let call = Call::open(&self.session, Deadline::NONE)?;
        match call.begin().await {
            Ok(()) => Ok(call),
            Err(failure) => Err(call.fail(failure).await),
        }
    }

    async fn run<T>(
        &self,
        query: Query<'_>,
        params: &[Parameter<'_>],
        read: impl AsyncFn(Answer, Arc<Prepared>) -> Result<T, Broken>,
    ) -> Result<T> {
        let mut call = self.open().await?;
        loop {
            let ready = match self.ready(&call, query).await {
                Ok(ready) => ready,
                Err(failure) => return Err(call.fail(failure).await),
            };
            let prepared = Arc::clone(&ready.prepared);
            let messages = match bound(&prepared, params) {
                Ok(messages) => messages,
                Err(error) => return Err(call.refuse(error)),
            };
            match call.check(prepared.nature) {
                Ok(nature) => call.submit_known(nature, prepared.verdict.as_ref()),
                Err(error) => return Err(call.refuse(error)),
            }
            let asked = call
                .ask(None, |out| {
                    out.extend_from_slice(&messages);
                    Ok(steps::BIND | steps::EXECUTE)
                })
                .await;
            let ended = match asked {
                Ok(answer) => call.wait(pin!(read(answer, prepared))).await,
                Err(failure) => Err(failure),
            };
            let failure = match ended {
                Ok(value) => return call.done().map(|()| value),
                Err(failure) => failure,
            };
            let again = match query {
                Query::Text(sql) => Box::pin(call.can_try_anew(sql, &ready, &failure)).await,
                Query::Statement(_) => false,
            };
            if !again {
                return Err(call.fail(failure).await);
            }
        }
    }

    pub(crate) async fn ready(&self, call: &Call, query: Query<'_>) -> Result<Ready, Failure> {
        match query {
            Query::Statement(Statement(prepared)) => Ok(Ready::known(Arc::clone(prepared))),
            Query::Text(sql) => {
                if !self.session.settings.options.owns_session() {
                    return Err(Failure::Ours(unnamed()));
                }
                call.prepare(sql).await
            }
        }
    }

    async fn messages(&self, mut answer: Answer) -> Result<Vec<SimpleMessage>, Failure> {
        let mut messages = Vec::new();
        let mut columns: Arc<[Field]> = Arc::default();
        while answer.more().await? {
            while let Some(frame) = answer.next() {
                match frame.tag {
                    b'T' => {
                        let read = fields(frame.body).map_err(|why| self.session.spoiled(why))?;
                        columns = read.into();
                    }
                    b'D' => {
                        let length = frame.body.len();
                        messages.push(SimpleMessage::Row(SimpleRow {
                            body: answer.body(length),
                            columns: Arc::clone(&columns),
                        }));
                    }
                    b'C' => messages.push(SimpleMessage::Complete(affected(frame.body))),
                    _ => {}
                }
            }
        }
        Ok(messages)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.session.endpoint)
            .finish_non_exhaustive()
    }
}

fn submit(call: &mut Call, sql: &str) -> Result<()> {
    let nature = call.check(Nature::of(sql))?;
    call.submit_text(nature, sql);
    call.note_limit(Setting::of(sql));
    Ok(())
}

/// All rows of an answer.
pub(crate) async fn rows(
    mut answer: Answer,
    prepared: &Arc<Prepared>,
) -> Result<Vec<ClientRow>, Broken> {
    let mut rows = Vec::new();
    while answer.more().await? {
        while let Some(frame) = answer.next() {
            if frame.tag == b'D' {
                let length = frame.body.len();
                rows.push(ClientRow::of(&answer, length, prepared));
            }
        }
    }
    Ok(rows)
}

/// The messages that run a statement with these parameters.
pub(crate) fn bound(prepared: &Prepared, params: &[Parameter<'_>]) -> Result<BytesMut> {
    let mut out = BytesMut::new();
    bind(&mut out, "", prepared, params)?;
    put::execute(&mut out, "", 0);
    Ok(out)
}

/// Binds a portal, empty for the unnamed one, to a statement with these parameters.
pub(crate) fn bind(
    out: &mut BytesMut,
    portal: &str,
    prepared: &Prepared,
    params: &[Parameter<'_>],
) -> Result<()> {
    if params.len() != prepared.types.len() {
        return Err(Error::new(
            Class::Data,
            format!(
                "The statement has {} parameters, but {} values were given.",
                prepared.types.len(),
                params.len()
            ),
        ));
    }
    put::message(out, b'B', |out| {
        put::text(out, portal)?;
        put::text(out, &prepared.name.text)?;
        let count = put::count(params.len())?;
        out.put_u16(count);
        let both = || params.iter().zip(&*prepared.types);
        for (param, type_) in both() {
            out.put_u16(match param.encode_format(type_) {
                Format::Text => 0,
                Format::Binary => 1,
            });
        }
        out.put_u16(count);
        for (at, (param, type_)) in both().enumerate() {
            value(out, *param, type_).map_err(|error| misfit(at + 1, type_, error))?;
        }
        put::formats(out, &[]);
        Ok(())
    })
}

type Unfit = Box<dyn std::error::Error + Sync + Send>;

fn value(out: &mut BytesMut, param: Parameter<'_>, type_: &Type) -> Result<(), Unfit> {
    let start = out.len();
    out.put_i32(-1);
    if let IsNull::No = param.to_sql_checked(type_, out)? {
        let length = i32::try_from(out.len() - start - 4)?;
        out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

#[cold]
fn misfit(number: usize, type_: &Type, error: Unfit) -> Error {
    Error::new(
        Class::Data,
        format!("Parameter {number} cannot be sent as {type_}: {error}."),
    )
    .with_source(Unreadable(error))
}

#[cold]
fn unnamed() -> Error {
    Error::new(
        Class::Unsupported,
        "The native client needs prepared statements, but statement_cache_size is 0.",
    )
    .with_hint("Use simple_query, or the methods of Database.")
}
