use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::broadcast;
use tokio::time::timeout;
use tokio_postgres::{Client, SimpleQueryMessage};
use underpin_core::driver::{
    BulkTarget, Call as Asked, Connection as Connects, Pooled, RowStream, SessionState,
};
use underpin_core::{
    Class, Columns, Deadline, Endpoint, Engine, Error, FromRow, IntoParams, Result, Role, Stage,
    StatementDescription, TransactionOptions,
};

use crate::call::{Call, Failure};
use crate::lane;
use crate::link::Link;
use crate::notices::{Notice, Notification};
use crate::session::Session;

/// An open connection to a PostgreSQL server.
pub struct Connection {
    session: Arc<Session>,
}

/// How long closing takes at the most, where no deadline is given.
const CLOSE_BOUND: Duration = Duration::from_secs(5);

impl Connection {
    pub(crate) fn new(session: Arc<Session>) -> Self {
        Connection { session }
    }

    pub(crate) fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// The driver's own client, for all that it can do. What it does to the session
    /// cannot be followed, so the session counts as changed from here on: it is cleaned
    /// when the connection goes back to its pool.
    ///
    /// Its statements are in the transaction that is open on the connection. Where BEGIN was
    /// not sent yet, this sends it ahead of them; later transactions begin at once.
    pub fn client(&self) -> &Client {
        self.session.link.changed.store(true, Ordering::Release);
        self.session.link.set_lane(false);
        self.session.opening.hand_out(&self.session.client);
        &self.session.client
    }

    /// The latest notices and warnings of the server, the oldest first, 64 at the most.
    pub fn notices(&self) -> Vec<Notice> {
        self.session.link.notices()
    }

    /// What comes in for the channels that the session listens to, from now on. A
    /// receiver that falls 256 notifications behind misses the oldest, and is told.
    pub fn notifications(&self) -> broadcast::Receiver<Notification> {
        self.session.link.notifications()
    }

    /// How many prepared statements are kept.
    pub fn cached_statements(&self) -> usize {
        self.session.statements().len()
    }

    /// Asks a server that does not report it whether it is a replica.
    pub(crate) async fn ask_role(&self) -> Result<()> {
        let mut call = Call::open(&self.session, Deadline::NONE)?;
        call.submit_harmless();
        let question = "SELECT pg_catalog.pg_is_in_recovery()";
        let answer = match call.wait(self.session.client.simple_query(question)).await {
            Ok(answer) => answer,
            Err(failure) => return Err(call.fail(failure).await),
        };
        let replica = answer.iter().any(|message| match message {
            SimpleQueryMessage::Row(row) => row.try_get(0).ok().flatten() == Some("t"),
            _ => false,
        });
        self.session.link.set_role(if replica {
            Role::Replica
        } else {
            Role::Primary
        });
        call.done()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("endpoint", &self.session.endpoint)
            .field("state", &self.session.state())
            .finish_non_exhaustive()
    }
}

impl Pooled for Connection {
    fn state(&self) -> SessionState {
        self.session.state()
    }

    fn is_open(&self) -> bool {
        !self.session.link.is_broken()
            && !self.session.client.is_closed()
            && !self.session.has_hung_up()
    }

    async fn accept_changes(&self) -> Result<()> {
        self.session.opening.take_back();
        self.session.link.changed.store(false, Ordering::Release);
        Ok(())
    }

    async fn ping(&self, deadline: Deadline) -> Result<()> {
        let mut call = Call::open(&self.session, deadline)?;
        if let Err(failure) = call.begin().await {
            return Err(call.fail(failure).await);
        }
        call.submit_harmless();
        match call.in_time(self.session.client.batch_execute("")).await {
            Some(Ok(())) => call.done(),
            Some(Err(error)) => Err(call.fail(Failure::Native(error)).await),
            None => Err(Error::new(
                Class::Timeout {
                    stage: Stage::Validate,
                },
                format!(
                    "The server at {} did not answer a ping in time.",
                    self.session.endpoint
                ),
            )),
        }
    }

    async fn reset(&self, deadline: Deadline) -> Result<()> {
        self.run_reset(deadline).await
    }

    async fn close(self, deadline: Deadline) {
        let now = Instant::now();
        let bound = deadline.earlier(Deadline::after(now, CLOSE_BOUND));
        let left = || bound.remaining(Instant::now()).unwrap_or(CLOSE_BOUND);
        if self.session.state() == SessionState::Busy {
            // The server would finish the statement for nobody.
            let _ = timeout(left(), self.session.cancel()).await;
        }
        let (link, task) = (Arc::clone(&self.session.link), self.session.task());
        drop(self);
        if timeout(left(), link.until(Link::has_ended)).await.is_err() {
            task.abort();
        }
    }
}

impl Connects for Connection {
    const ENGINE: Engine = Engine::POSTGRES;
    const PIPELINES: bool = true;

    fn shares(sql: &str) -> bool {
        lane::shares(sql)
    }

    fn endpoint(&self) -> &Endpoint {
        &self.session.endpoint
    }

    fn role(&self) -> Role {
        self.session.link.role()
    }

    fn in_flight(&self) -> usize {
        let dropped = usize::from(self.session.awaits_answers());
        self.session.calls.count() + dropped
    }

    async fn execute(&self, call: Asked<'_>) -> Result<u64> {
        self.run_execute(call).await
    }

    async fn query<T>(&self, call: Asked<'_>, limit: usize) -> Result<Vec<T>>
    where
        T: FromRow + Send + 'static,
    {
        self.run_query(call, limit).await
    }

    async fn stream<T>(&self, call: Asked<'_>) -> Result<(Columns, RowStream<T>)>
    where
        T: FromRow + Send + 'static,
    {
        self.run_stream(call).await
    }

    async fn batch(&self, sql: &str, deadline: Deadline) -> Result<()> {
        self.run_batch(sql, deadline).await
    }

    async fn bulk_insert<I>(
        &self,
        target: BulkTarget<'_>,
        rows: I,
        deadline: Deadline,
    ) -> Result<u64>
    where
        I: Iterator + Send,
        I::Item: IntoParams + Send,
    {
        self.run_bulk_insert(target, rows, deadline).await
    }

    async fn begin(&self, options: TransactionOptions, deadline: Deadline) -> Result<()> {
        self.run_begin(options, deadline).await
    }

    async fn commit(&self) -> Result<()> {
        self.run_commit().await
    }

    async fn rollback(&self, deadline: Deadline) -> Result<()> {
        self.run_rollback(deadline).await
    }

    async fn describe(&self, sql: &str, deadline: Deadline) -> Result<StatementDescription> {
        self.run_describe(sql, deadline).await
    }

    async fn only_reads(&self, _: &str) -> Result<Option<bool>> {
        // PostgreSQL does not say beforehand what a function in a SELECT will do.
        Ok(None)
    }
}
