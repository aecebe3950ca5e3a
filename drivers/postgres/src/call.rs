use std::error::Error as _;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout, timeout_at};
use underpin_core::driver::Call as Asked;
use underpin_core::{Class, Deadline, Effect, Error, Result, Stage};

use crate::classify::{self, BEHIND_A_POOLER};
use crate::client_error::Kind;
use crate::effect::{Context, Outcome, Snapshot, decide};
use crate::link::{IDLE, Link};
use crate::message_limit;
use crate::native_error::NativeError;
use crate::opening::{Phase, ended, not_begun};
use crate::session::Session;
use crate::sql::Nature;
use crate::statement_limit::{self, Limit, QUERY_CANCELED, Setting};

/// One call under way on a session. Dropped before [`done`](Call::done) or
/// [`fail`](Call::fail), it leaves the session busy until the server has answered.
pub(crate) struct Call {
    session: Arc<Session>,
    deadline: Deadline,
    begun: Instant,
    before: Snapshot,
    context: Context,
    /// The transaction that it was begun in.
    transaction: Option<u64>,
    unreplicated: u64,
    copies_in: bool,
    holds: bool,
    finished: bool,
    /// The deadline has passed, and the server was asked to cancel.
    canceled: AtomicBool,
}

/// Why a call came to no good end.
pub(crate) enum Failure {
    /// What the client says.
    Native(tokio_postgres::Error),
    /// Ready to be handed out.
    Ours(Error),
    /// The deadline passed.
    Late(Late),
}

/// What came of a statement whose deadline passed.
pub(crate) enum Late {
    /// The server cancelled it at our request.
    Canceled(tokio_postgres::Error),
    /// It did not answer even then, and the connection was given up.
    GivenUp,
    /// Others' statements are under way too, so nothing was cancelled.
    LeftBehind,
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Failure::Native(error)
    }
}

/// How long the server has to answer after it was asked to cancel.
const GRACE: Duration = Duration::from_secs(1);
/// After how long without an answer it is asked again.
const AGAIN: Duration = Duration::from_millis(200);

impl Call {
    /// Begins a call. Nothing is sent.
    pub(crate) fn open(session: &Arc<Session>, deadline: Deadline) -> Result<Call> {
        session.link.set_lane(false);
        if session.opening.phase() == Phase::Failed {
            return Err(not_begun());
        }
        Call::open_to_end(session, deadline)
    }

    /// Begins a call for one prepared statement.
    pub(crate) fn open_for(session: &Arc<Session>, asked: &Asked<'_>) -> Result<Call> {
        message_limit::check(asked.sql, asked.params)?;
        if !asked.shared {
            return Call::open(session, asked.deadline);
        }
        session.link.set_lane(true);
        Call::open_to_end(session, asked.deadline)
    }

    /// Begins a call that ends a transaction, also one that did not begin.
    pub(crate) fn open_to_end(session: &Arc<Session>, deadline: Deadline) -> Result<Call> {
        if session.link.is_broken() {
            return Err(session.lost());
        }
        if session.held.load(Ordering::Acquire) > 0 {
            return Err(Error::new(
                Class::Unsupported,
                "Rows, or a COPY, are still being read on this connection, and it answers in order.",
            )
            .with_hint("Read the stream to its end or drop it, or use another connection."));
        }
        let begun = Instant::now();
        if deadline.has_passed(begun) {
            return Err(Error::new(
                Class::Timeout {
                    stage: Stage::Statement,
                },
                "The deadline passed before the statement was sent.",
            ));
        }
        let Some(others) = session.calls.begin() else {
            return Err(busy_cancelling());
        };
        let mut call = Call {
            session: Arc::clone(session),
            deadline,
            begun,
            before: Snapshot::default(),
            context: Context {
                completes_first: true,
                ..Context::default()
            },
            transaction: session.opening.transaction(),
            unreplicated: session.link.unreplicated.load(Ordering::Acquire),
            copies_in: false,
            holds: false,
            finished: false,
            canceled: AtomicBool::new(false),
        };
        call.context.in_transaction = session.opening.phase() != Phase::Settled
            || (others == 0 && session.link.status() != IDLE && !session.awaits_answers());
        call.before = call.snapshot();
        Ok(call)
    }

    pub(crate) fn session(&self) -> &Arc<Session> {
        &self.session
    }

    pub(crate) fn in_transaction(&self) -> bool {
        self.context.in_transaction
    }

    /// Whether the transaction that it was begun in has ended.
    pub(crate) fn has_outlived_its_transaction(&self) -> bool {
        self.transaction.is_some() && self.transaction != self.session.opening.transaction()
    }

    /// Whether a statement can be sent next, as such and still in its transaction.
    pub(crate) fn check(&self, nature: Nature) -> Result<Nature> {
        if self.has_outlived_its_transaction() {
            return Err(ended());
        }
        nature.check()
    }

    /// Says that the statement itself is sent next.
    pub(crate) fn submit(&mut self, nature: Nature) {
        if nature.changes_session {
            self.session.link.changed.store(true, Ordering::Release);
        }
        self.before = self.snapshot();
        self.context.submitted = true;
        self.context.controls_transaction = nature.controls_transaction;
        self.context.commits_itself = nature.commits_itself;
        self.context.names_statements = nature.names_statements;
    }

    /// Notes that what is sent next sets the limit of the statements to come.
    pub(crate) fn note_limit(&self, setting: Option<Setting>) {
        if let Some(setting) = setting {
            let limit = &self.session.limit;
            let context = &self.context;
            let in_transaction = context.in_transaction || context.controls_transaction;
            limit.note(setting, in_transaction, self.transaction);
        }
    }

    /// Says that a text of one or more statements is sent next, in the simple protocol.
    pub(crate) fn submit_simple(&mut self, nature: Nature) {
        self.submit(nature);
        self.context.completes_first = false;
    }

    /// Says that a COMMIT is sent next.
    pub(crate) fn submit_commit(&mut self) {
        self.submit_simple(Nature {
            controls_transaction: true,
            ..Nature::default()
        });
        self.context.is_commit = true;
    }

    /// Says that what is sent next takes hold nowhere but in a transaction that ends with
    /// the connection.
    pub(crate) fn submit_harmless(&mut self) {
        self.submit_simple(Nature::default());
        self.context.in_transaction = true;
    }

    /// Says that rows are sent next, which take hold no sooner than their end is written.
    pub(crate) fn submit_copy_in(&mut self) {
        self.copies_in = true;
        self.submit(Nature::default());
    }

    /// Keeps others off the connection until somebody has read what comes.
    pub(crate) fn hold(&mut self) {
        self.holds = true;
        self.session.held.fetch_add(1, Ordering::AcqRel);
    }

    /// Waits for `work` until the deadline; then cancels the statement and waits a little
    /// longer for what came of it. Best given a pinned reference: a future that is handed in
    /// is part of this one twice.
    pub(crate) fn wait<T>(
        &self,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> impl Future<Output = Result<T, Failure>> {
        self.wait_for(work)
    }

    /// The same for work that may fail in other ways.
    pub(crate) async fn wait_for<T, E: Into<Failure>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Failure> {
        let mut work = pin!(work);
        match self.in_time(work.as_mut()).await {
            Some(result) => result.map_err(E::into),
            None => Box::pin(self.cut_short(work)).await,
        }
    }

    /// Waits for `work` until the deadline, and no longer.
    pub(crate) async fn in_time<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        match self.deadline.instant() {
            Some(at) => timeout_at(at.into(), work).await.ok(),
            None => Some(work.await),
        }
    }

    /// Cancels what is under way, and waits for what comes of `work` then.
    pub(crate) async fn cut_short<T, E: Into<Failure>>(
        &self,
        mut work: Pin<&mut impl Future<Output = Result<T, E>>>,
    ) -> Result<T, Failure> {
        let Some(_cancelling) = self.session.cancel_alone() else {
            return Err(Failure::Late(Late::LeftBehind));
        };
        self.canceled.store(true, Ordering::Release);
        let mut result = None;
        let mut sent = false;
        let _ = timeout(GRACE, async {
            let mut cancel = pin!(self.session.cancel());
            while result.is_none() || !sent {
                tokio::select! {
                    ended = work.as_mut(), if result.is_none() => result = Some(ended),
                    _ = cancel.as_mut(), if !sent => sent = true,
                    // Behind a pooler the statement may not have reached the server by then.
                    () = sleep(AGAIN), if sent && result.is_none() => {
                        cancel.set(self.session.cancel());
                        sent = false;
                    }
                }
            }
        })
        .await;
        if result.is_none() || !sent {
            // A request to cancel that is still on its way must meet no later statement.
            self.session.kill().await;
        }
        match result {
            Some(Ok(value)) => Ok(value),
            Some(Err(error)) => Err(error.into()),
            None => Err(Failure::Late(Late::GivenUp)),
        }
    }

    /// Ends the call well.
    pub(crate) fn done(mut self) -> Result<()> {
        self.finished = true;
        let unreplicated = self.session.link.unreplicated.load(Ordering::Acquire);
        let commits = !self.context.in_transaction || self.context.controls_transaction;
        if commits && unreplicated != self.unreplicated {
            return Err(Error::new(
                Class::Canceled,
                "The server committed the transaction, and stopped waiting for its replicas to have it.",
            )
            .with_hint("It will be lost if the primary fails before a replica has caught up.")
            .with_effect(Effect::Unknown));
        }
        Ok(())
    }

    /// Ends the call with an error that nothing was sent for, or nothing that matters.
    pub(crate) fn refuse(mut self, error: Error) -> Error {
        self.finished = true;
        error
    }

    /// Ends the call after a row could not be read from a result that is complete.
    pub(crate) fn unreadable(self, error: Error) -> Error {
        let effect = self.effect(Outcome::RowUnreadable);
        match self.done() {
            Ok(()) => error.with_effect(effect),
            Err(unknown) => unknown,
        }
    }

    /// Ends the call badly: says what came of it.
    #[cold]
    pub(crate) fn fail(self, failure: Failure) -> Pin<Box<dyn Future<Output = Error> + Send>> {
        Box::pin(self.failed(failure))
    }

    async fn failed(mut self, failure: Failure) -> Error {
        let error = match failure {
            Failure::Ours(error) => error,
            // Perhaps later than the request: a stream may first have handed out what was there.
            Failure::Native(error)
                if self.canceled.load(Ordering::Acquire) && is_canceled(&error) =>
            {
                self.settle().await;
                self.late(Late::Canceled(error))
            }
            // A pooler hangs up on a client whose statement waited for a session.
            Failure::Native(error)
                if self.canceled.load(Ordering::Acquire) && error.is_closed() =>
            {
                self.session.ended().await;
                self.late(Late::GivenUp)
            }
            Failure::Native(error) => self.native(error).await,
            Failure::Late(late) => {
                if matches!(late, Late::LeftBehind) {
                    // Its answer is still to come.
                    return self.late(late);
                }
                self.settle().await;
                self.late(late)
            }
        };
        self.finished = true;
        error
    }

    async fn native(&self, error: tokio_postgres::Error) -> Error {
        if let Some(said) = error.as_db_error() {
            let ran = self.begun.elapsed();
            let fatal = classify::is_fatal(said);
            if fatal {
                self.session.ended().await;
            } else {
                self.settle().await;
            }
            let effect = self.effect(Outcome::Refused {
                code: said.code().code(),
                fatal,
            });
            let class = match said.code().code() {
                QUERY_CANCELED => statement_limit::class(said, self.limit().await, ran),
                _ => classify::class_of_error(said),
            };
            let mut refused =
                classify::refused(said, class, self.session.settings.options.error_detail)
                    .with_effect(effect);
            if classify::is_about_a_name(said) && self.made_up_its_name() {
                refused = refused.with_hint(BEHIND_A_POOLER);
            }
            if fatal {
                let shared = Arc::new(error);
                self.session.link.blame(Arc::clone(&shared));
                return refused.with_source(NativeError::from(shared));
            }
            return refused.with_source(NativeError::from(error));
        }
        let kind = Kind::of(&error);
        if kind == Kind::Misfit {
            return match error
                .into_source()
                .map(<dyn std::error::Error + Send + Sync>::downcast::<Error>)
            {
                Some(Ok(ours)) => *ours,
                _ => Error::new(Class::Data, "A parameter cannot be sent."),
            };
        }
        if kind == Kind::Encoding {
            let cause = error
                .source()
                .map_or_else(|| error.to_string(), ToString::to_string);
            return Error::new(
                Class::Data,
                format!("The statement cannot be sent: {cause}."),
            )
            .with_source(error);
        }
        if !error.is_closed() && !self.session.link.has_ended() {
            // Something came that the client cannot make sense of; nothing after it can be trusted.
            self.session.kill().await;
            self.session.link.blame(Arc::new(error));
        } else {
            self.session.ended().await;
        }
        self.session.lost().with_effect(self.effect(Outcome::Lost))
    }

    /// The limit under which the statement ran. Outside of a failed transaction the server tells.
    async fn limit(&self) -> Limit {
        let session = &self.session;
        if let Some(limit) = session.limit.take_failed() {
            return limit;
        }
        if session.link.status() != IDLE || session.link.is_broken() {
            return session.limit.within(self.transaction);
        }
        let _ = timeout(GRACE, session.limit.learn(&session.client)).await;
        session.limit.of_session()
    }

    /// Whether the prepared statement that the call is about has a name of the client's making,
    /// and none of its author's.
    fn made_up_its_name(&self) -> bool {
        let context = &self.context;
        self.session.settings.options.owns_session()
            && context.completes_first
            && !context.names_statements
    }

    fn late(&self, late: Late) -> Error {
        let waited = self.begun.elapsed();
        let class = Class::Timeout {
            stage: Stage::Statement,
        };
        let endpoint = &self.session.endpoint;
        match late {
            Late::Canceled(error) => {
                let effect = self.effect(Outcome::Refused { code: QUERY_CANCELED, fatal: false });
                Error::new(
                    class,
                    format!("The deadline passed after {waited:.1?}, and the statement was cancelled."),
                )
                .with_effect(effect)
                .with_code(underpin_core::Code::from_sqlstate(QUERY_CANCELED))
                .with_source(NativeError::from(error))
            }
            Late::GivenUp => Error::new(
                class,
                format!(
                    "The server at {endpoint} did not answer within {waited:.1?}, and the \
                     connection was given up."
                ),
            )
            .with_effect(self.effect(Outcome::Lost)),
            Late::LeftBehind => Error::new(
                class,
                format!("The deadline passed after {waited:.1?}; the statement may still run to its end."),
            )
            .with_effect(self.effect(Outcome::Abandoned)),
        }
    }

    /// The error for a deadline that passed while the statement itself ran to its end.
    pub(crate) fn late_but_complete(self) -> Error {
        let waited = self.begun.elapsed();
        let late = Error::new(
            Class::Timeout {
                stage: Stage::Statement,
            },
            format!("The deadline passed after {waited:.1?}, before all rows were read."),
        )
        .with_effect(self.effect(Outcome::RowUnreadable));
        self.refuse(late)
    }

    /// Waits, for a bounded time, until the server is ready again after an answer that
    /// has begun to end: the client hands out an error before that.
    pub(crate) async fn settle(&self) {
        let settled = |link: &Link| !link.unsettled.load(Ordering::Acquire);
        let _ = timeout(GRACE, self.session.link.until(settled)).await;
    }

    fn snapshot(&self) -> Snapshot {
        let link = &self.session.link;
        let reached = if self.copies_in {
            &link.copy_ends
        } else {
            &link.executes
        };
        Snapshot {
            written: link.written.load(Ordering::Acquire),
            reached: reached.load(Ordering::Acquire),
            completes: link.completes.load(Ordering::Acquire),
        }
    }

    fn effect(&self, outcome: Outcome<'_>) -> Effect {
        decide(self.before, self.snapshot(), outcome, self.context)
    }
}

fn busy_cancelling() -> Error {
    Error::new(
        Class::Busy,
        "Another statement on this connection is being cancelled, and this one was not sent.",
    )
    .with_effect(Effect::NotSent)
}

fn is_canceled(error: &tokio_postgres::Error) -> bool {
    error
        .code()
        .is_some_and(|code| code.code() == QUERY_CANCELED)
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.finished && !self.session.link.is_broken() {
            self.session.abandon();
        }
        if self.holds {
            self.session.held.fetch_sub(1, Ordering::AcqRel);
        }
        self.session.calls.end();
    }
}
