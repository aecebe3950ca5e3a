use std::fmt;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream;
use tokio::sync::broadcast;
use tokio::time::timeout;
use underpin_core::driver::{
    Abort, AbortHandle, BoxFuture, BulkTarget, Call as Asked, Connection as Connects, Fetching,
    Observation, Pooled, RowSink, RowSource, SessionState,
};
use underpin_core::{
    Class, Columns, Deadline, Endpoint, Error, Position, Recycling, Result, Role, Stage,
    StatementDescription, TransactionOptions,
};

use crate::call::{Call, Failure};
use crate::client::Client;
use crate::notices::{Notice, Notification};
use crate::observe::Seen;
use crate::session::Session;
use crate::wire::body::Values;
use crate::wire::shared::Wire;

/// An open connection to a PostgreSQL server.
pub struct Connection {
    session: Arc<Session>,
    client: Client,
    pub(crate) seen: Mutex<Seen>,
}

/// Time limit for closing if no deadline is given.
const CLOSE_BOUND: Duration = Duration::from_secs(5);

/// Ends a session from outside.
struct Aborting(Weak<Wire>);

impl Abort for Aborting {
    fn abort(&self) {
        if let Some(wire) = self.0.upgrade() {
            wire.kill();
        }
    }

    fn is_over(&self) -> bool {
        self.0.upgrade().is_none_or(|wire| wire.has_ended())
    }
}

impl Connection {
    pub(crate) fn new(session: Arc<Session>) -> Self {
        Connection {
            client: Client::new(Arc::clone(&session)),
            session,
            seen: Mutex::default(),
        }
    }

    pub(crate) fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// The driver's native client, with everything that it offers. The driver cannot follow what
    /// the client does to the session, so the session counts as changed from here on: it is cleaned
    /// when the connection returns to its pool.
    ///
    /// Its statements are part of the transaction that is open on the connection. If BEGIN was not
    /// sent yet, it is sent ahead of them; later transactions begin immediately.
    pub fn client(&self) -> &Client {
        self.session.wire.tell(|machine| machine.hand_out());
        &self.client
    }

    /// The latest notices and warnings of the server, the oldest first, 64 at most.
    pub fn notices(&self) -> Vec<Notice> {
        self.session.wire.notices()
    }

    /// The notifications of the channels that the session listens to, from now on. A receiver that
    /// falls 256 notifications behind misses the oldest, and learns of it.
    pub fn notifications(&self) -> broadcast::Receiver<Notification> {
        self.session.wire.notifications()
    }

    /// Number of prepared statements in the cache.
    pub fn cached_statements(&self) -> usize {
        self.session.statements().len()
    }

    /// Asks a server that does not report its role whether it is a replica.
    pub(crate) async fn ask_role(&self) -> Result<()> {
        let mut call = Call::open(&self.session, Deadline::NONE)?;
        call.submit_harmless();
        let asked = async {
            let mut answer = self
                .session
                .simple("SELECT pg_catalog.pg_is_in_recovery()")?;
            let mut replica = false;
            while answer.more().await? {
                while let Some(frame) = answer.next() {
                    let value = Values::new(frame.body).and_then(|values| values.get(0));
                    replica |= frame.tag == b'D' && value.flatten() == Some(b"t");
                }
            }
            Ok::<_, Failure>(replica)
        };
        let role = match call.wait(asked).await {
            Ok(true) => Role::Replica,
            Ok(false) => Role::Primary,
            Err(failure) => return Err(call.fail(failure).await),
        };
        self.session.wire.set_role(role);
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
        !self.session.wire.is_broken() && !self.session.has_hung_up()
    }

    fn accept_changes(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            let mut machine = self.session.wire.machine();
            machine.opening.take_back();
            let changed = std::mem::take(&mut machine.changed);
            drop(machine);
            self.session.trust.accept(changed);
            Ok(())
        })
    }

    fn ping(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.run_ping(deadline))
    }

    fn reset(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.run_reset(deadline))
    }

    fn settle(&self, always: bool) -> bool {
        self.session.settle(always)
    }

    fn recycle<'a>(
        &'a self,
        recycling: &'a Recycling,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.run_recycle(recycling, deadline))
    }

    fn close(self: Box<Self>, deadline: Deadline) -> BoxFuture<'static, ()> {
        Box::pin(self.run_close(deadline))
    }
}

impl Connection {
    async fn run_ping(&self, deadline: Deadline) -> Result<()> {
        let mut call = Call::open(&self.session, deadline)?;
        if let Err(failure) = call.begin().await {
            return Err(call.fail(failure).await);
        }
        call.submit_harmless();
        match call.in_time(self.session.run_simple("")).await {
            Some(Ok(())) => call.done(),
            Some(Err(failure)) => Err(call.fail(failure).await),
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

    async fn run_close(self, deadline: Deadline) {
        let now = Instant::now();
        let bound = deadline.earlier(Deadline::after(now, CLOSE_BOUND));
        let left = || bound.remaining(Instant::now()).unwrap_or(CLOSE_BOUND);
        if self.session.state() == SessionState::Busy {
            // Otherwise the server would complete a statement that nobody waits for.
            let _ = timeout(left(), self.session.cancel_last()).await;
        }
        let (wire, task) = (Arc::clone(&self.session.wire), self.session.task());
        drop(self);
        if timeout(left(), wire.until(Wire::has_ended)).await.is_err() {
            task.abort();
        }
    }
}

impl Connects for Connection {
    fn endpoint(&self) -> &Endpoint {
        &self.session.endpoint
    }

    fn role(&self) -> Role {
        self.session.wire.role()
    }

    fn observe(&self, deadline: Deadline) -> BoxFuture<'_, Result<Observation>> {
        Box::pin(self.run_observe(deadline))
    }

    fn observed(&self) -> Option<Observation> {
        self.latest_observation()
    }

    fn abort_handle(&self) -> Option<AbortHandle> {
        Some(AbortHandle::new(Aborting(Arc::downgrade(
            &self.session.wire,
        ))))
    }

    fn in_flight(&self) -> usize {
        let dropped = usize::from(self.session.awaits_answers());
        self.session.calls.count() + dropped
    }

    fn execute<'a>(&'a self, call: Asked<'a>) -> BoxFuture<'a, Result<u64>> {
        Box::pin(self.run_execute(call))
    }

    fn fetch<'a>(
        &'a self,
        call: Asked<'a>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<Box<dyn RowSink>>> {
        Box::pin(self.run_fetch(call, sink))
    }

    fn fetch_stream<'a>(
        &'a self,
        call: Asked<'a>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<(Columns, Fetching)>> {
        Box::pin(self.run_stream(call, sink))
    }

    fn batch<'a>(&'a self, sql: &'a str, deadline: Deadline) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.run_batch(sql, deadline))
    }

    fn insert_rows<'a>(
        &'a self,
        target: BulkTarget<'a>,
        rows: &'a mut dyn RowSource,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<u64>> {
        Box::pin(self.run_insert_rows(target, rows, deadline))
    }

    fn begin(&self, options: TransactionOptions, deadline: Deadline) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.run_begin(options, deadline))
    }

    fn commit(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.run_commit())
    }

    fn commit_with_position(&self) -> BoxFuture<'_, Result<Position>> {
        Box::pin(self.run_commit_with_position())
    }

    fn position(&self, deadline: Deadline) -> BoxFuture<'_, Result<Position>> {
        Box::pin(self.run_position(deadline))
    }

    fn rollback(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.run_rollback(deadline))
    }

    fn describe<'a>(
        &'a self,
        sql: &'a str,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<StatementDescription>> {
        Box::pin(self.run_describe(sql, deadline))
    }

    fn copy_text<'a>(
        &'a self,
        sql: &'a str,
        rows: &'a str,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<u64>> {
        let rows = Bytes::copy_from_slice(rows.as_bytes());
        let rows = stream::once(std::future::ready(Ok::<_, std::io::Error>(rows)));
        Box::pin(self.copy_rows(sql, rows, deadline))
    }

    fn announced_process(&self) -> Option<i32> {
        Some(self.session.wire.process)
    }

    fn only_reads<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<bool>>> {
        // PostgreSQL does not report in advance what a function in a SELECT will do.
        Box::pin(async { Ok(None) })
    }
}
