use std::borrow::Cow;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::time::{sleep, timeout, timeout_at};
use underpin_core::driver::Call as Asked;
use underpin_core::{Class, Deadline, Effect, Error, Result, Stage};

use crate::classify::{self, BEHIND_A_POOLER};
use crate::message_limit;
use crate::outcome::{Context, Outcome, decide};
use crate::prepare::Ready;
use crate::reset::SETTLE;
use crate::search_path::may_choose;
use crate::session::{Session, answered, not_begun, transaction_ended};
use crate::sql::Nature;
use crate::statement_limit::{self, Limit, QUERY_CANCELED, Setting};
use crate::statements::verdict_of;
use crate::verdicts::Verdict;
use crate::wire::answer::{Answer, Broken};
use crate::wire::machine::IDLE;
use crate::wire::opening::Phase;
use crate::wire::request::Progress;
use crate::wire::server_error::ServerError;

/// One call in progress on a session. If it is dropped halfway, the session stays busy until the
/// server has answered it.
pub(crate) struct Call {
    session: Arc<Session>,
    deadline: Deadline,
    begun: Instant,
    /// Number of bytes written on the connection when the call began.
    before: u64,
    context: Context,
    /// The known phase of its transaction when the call began.
    phase: Phase,
    /// The transaction in which the call began.
    transaction: Option<u64>,
    unreplicated: u64,
    holds: bool,
    /// Whether the deadline has passed, and the server was asked to cancel.
    canceled: AtomicBool,
    /// Whether a part of it was sent while a transaction was about to begin.
    meets_begin: AtomicBool,
    /// Whether other callers' statements are on the connection too.
    shared: bool,
    /// Whether the session must be cleaned directly behind the statement.
    settles: bool,
}

/// The reason why a call failed.
pub(crate) enum Failure {
    /// A request has no answer.
    Broken(Broken),
    /// A parameter cannot be sent as the type that the server expects; nothing was sent.
    Misfit(Error),
    /// An error that is ready to be returned.
    Ours(Error),
    /// The deadline passed.
    Late(Late),
}

/// The outcome of a statement whose deadline passed.
pub(crate) enum Late {
    /// The server canceled it at the client's request.
    Canceled(Box<ServerError>),
    /// The server did not answer even then, and the connection was abandoned.
    GivenUp(Progress),
    /// Other callers' statements are in progress too, so nothing was canceled.
    LeftBehind,
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Self {
        Failure::Broken(broken)
    }
}

/// Time within which the server must answer after a request to cancel.
const GRACE: Duration = Duration::from_secs(1);
/// Time after one of the server's own limits at which the client assumes that no news of it will
/// arrive.
const NEWS: Duration = Duration::from_secs(2);
/// Time without an answer after which the request to cancel is repeated.
const AGAIN: Duration = Duration::from_millis(200);

impl Call {
    /// Begins a call. Nothing is sent.
    pub(crate) fn open(session: &Arc<Session>, deadline: Deadline) -> Result<Call> {
        let call = Call::open_to_end(session, deadline)?;
        if call.phase == Phase::Failed {
            return Err(call.refuse(not_begun()));
        }
        Ok(call)
    }

    /// Begins a call of one statement. If the server has a limit for it, the client limits it too:
    /// on a network that has fallen silent, the server's answer would never arrive.
    pub(crate) fn open_statement(session: &Arc<Session>, asked: &Asked<'_>) -> Result<Call> {
        message_limit::check(asked.sql, asked.params)?;
        let mut call = Call::open(session, asked.deadline)?;
        call.shared = asked.shared;
        // Other callers' statements may be in front of a shared one, which is sent again on another
        // connection if it gets no answer.
        if call.deadline.instant().is_none() && !asked.shared {
            let limit = match call.transaction {
                Some(_) => session.limit.within(call.transaction),
                None => session.limit.of_session(),
            };
            if let Limit::Is(limit) = limit
                && !limit.is_zero()
            {
                call.deadline = Deadline::after(call.begun, limit + NEWS);
            }
        }
        Ok(call)
    }

    /// Begins a call that ends a transaction, even one that did not begin.
    pub(crate) fn open_to_end(session: &Arc<Session>, deadline: Deadline) -> Result<Call> {
        if session.wire.is_broken() {
            return Err(session.lost());
        }
        if session.held.load(Ordering::Acquire) > 0 {
            return Err(Error::new(
                Class::Unsupported,
                "Rows or a COPY are still being read on this connection, which answers statements in order.",
            )
            .with_hint("Read the stream to its end, drop it, or use another connection."));
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
        let now = session.wire.look();
        let open = others == 0 && now.status != IDLE && !now.awaits_nobodys;
        Ok(Call {
            session: Arc::clone(session),
            deadline,
            begun,
            before: session.wire.written(),
            context: Context {
                completes_first: true,
                in_transaction: now.phase != Phase::Settled || open,
                ..Context::default()
            },
            phase: now.phase,
            transaction: now.transaction,
            unreplicated: session.wire.unreplicated(),
            holds: false,
            canceled: AtomicBool::new(false),
            meets_begin: AtomicBool::new(now.phase != Phase::Settled),
            shared: false,
            settles: false,
        })
    }

    pub(crate) fn session(&self) -> &Arc<Session> {
        &self.session
    }

    pub(crate) fn in_transaction(&self) -> bool {
        self.context.in_transaction
    }

    /// Whether the transaction in which it began has ended.
    pub(crate) fn has_outlived_its_transaction(&self) -> bool {
        self.transaction.is_some() && self.transaction != self.session.wire.look().transaction
    }

    /// Whether a statement of this nature can be sent next, still in its transaction.
    pub(crate) fn check(&self, nature: Nature) -> Result<Nature> {
        if self.has_outlived_its_transaction() {
            return Err(transaction_ended());
        }
        nature.check()
    }

    /// Records that the statement itself is sent next.
    pub(crate) fn submit(&mut self, nature: Nature) {
        self.submit_known(nature, None);
    }

    /// The same if the server may have answered a query about the statement's names.
    pub(crate) fn submit_known(&mut self, nature: Nature, verdict: Option<&Arc<Verdict>>) {
        if self.session.is_doubtful(nature, verdict, self.begun) {
            // Callers that share the connection must not find traces of the statement.
            self.settles = self.shared && self.session.can_settle();
            if !self.settles {
                self.session.trust.doubt(nature.leaves);
            }
        }
        if nature.changes_session {
            self.session.wire.machine().changed = true;
        }
        if nature.controls_transaction {
            self.session.path.turn_back();
        }
        self.before = self.session.wire.written();
        self.context.submitted = true;
        self.context.controls_transaction = nature.controls_transaction;
        self.context.commits_itself = nature.commits_itself;
        self.context.names_statements = nature.names_statements;
    }

    /// Records that the next message sets the limit of later statements.
    pub(crate) fn note_limit(&self, setting: Option<Setting>) {
        if let Some(setting) = setting {
            let limit = &self.session.limit;
            let context = &self.context;
            let in_transaction = context.in_transaction || context.controls_transaction;
            limit.note(setting, in_transaction, self.transaction);
        }
    }

    /// Records that a text of one or more statements is sent next, in the simple protocol.
    pub(crate) fn submit_simple(&mut self, nature: Nature) {
        self.submit(nature);
        self.context.completes_first = false;
    }

    /// The same for a prepared statement.
    pub(crate) fn submit_ready(&mut self, nature: Nature, ready: &Ready, asked: &Asked<'_>) {
        self.submit_known(nature, ready.prepared.verdict.as_ref());
        if ready.prepared.chooses_path {
            let path = &self.session.path;
            path.note(self.transaction, asked.sql, asked.params);
        }
    }

    /// The key of a statement in the cache, once it is prepared.
    pub(crate) fn key<'a>(&self, sql: &'a str) -> Cow<'a, str> {
        self.session.path.key(self.transaction, sql)
    }

    /// The same for a text that was not prepared.
    pub(crate) fn submit_text(&mut self, nature: Nature, sql: &str) {
        if may_choose(sql) {
            self.session.path.note(self.transaction, sql, &[]);
        }
        let verdict = verdict_of(nature, sql, &self.session.settings.verdicts);
        self.submit_known(nature, verdict.as_ref());
        self.context.completes_first = false;
    }

    /// Records that a COMMIT is sent next.
    pub(crate) fn submit_commit(&mut self) {
        self.submit_simple(Nature {
            controls_transaction: true,
            ..Nature::default()
        });
        self.context.is_commit = true;
    }

    /// Records that the next message only takes effect in a transaction that ends with the
    /// connection.
    pub(crate) fn submit_harmless(&mut self) {
        self.submit_simple(Nature::default());
        self.context.in_transaction = true;
    }

    /// Records that rows are sent next, which take effect only after their end is written.
    pub(crate) fn submit_copy_in(&mut self, nature: Nature) {
        self.submit(nature);
    }

    /// Keeps other calls off the connection until the answer is read.
    pub(crate) fn hold(&mut self) {
        self.holds = true;
        self.session.held.fetch_add(1, Ordering::AcqRel);
    }

    /// Sends a prepared statement that `write` writes: in the transaction that is about to begin,
    /// if one is, or not at all. Statements with the same join number are sent with one Sync.
    pub(crate) async fn ask(
        &self,
        joins: Option<u64>,
        write: impl FnOnce(&mut BytesMut) -> Result<u8>,
    ) -> Result<Answer, Failure> {
        let session = &self.session;
        if self.settles {
            return self.ask_settled(joins, write);
        }
        let write = match session.wire.ask_settled(joins, write) {
            Ok(Err(error)) => return Err(Failure::Misfit(error)),
            Ok(asked) => return answered(asked),
            Err(write) => write,
        };
        self.ask_limit();
        self.meets_begin.store(true, Ordering::Release);
        if session.wire.look().phase != Phase::Owed || !session.is_alone() {
            self.begin().await?;
        }
        let asked = session
            .wire
            .ask(|machine, reply| match machine.opening.phase() {
                Phase::Owed => machine.extended_in_new_transaction(reply, write),
                _ => machine.extended(reply, joins, write),
            });
        match asked {
            Err(error) => Err(Failure::Misfit(error)),
            asked => answered(asked),
        }
    }

    /// Sends the message that `write` writes if no transaction is about to begin, with the cleaning
    /// of the session behind it if the session must be cleaned.
    pub(crate) fn ask_settled(
        &self,
        joins: Option<u64>,
        write: impl FnOnce(&mut BytesMut) -> Result<u8>,
    ) -> Result<Answer, Failure> {
        let settles = self.settles;
        let joins = joins.filter(|_| !settles);
        let asked = self.session.wire.ask(|machine, reply| {
            let number = machine.extended(reply, joins, write)?;
            if settles {
                machine.settle(SETTLE)?;
            }
            Ok(number)
        });
        if settles {
            self.session.settled();
        }
        match asked {
            Err(error) => Err(Failure::Misfit(error)),
            asked => answered(asked),
        }
    }

    /// Sends BEGIN if it is owed, ahead of a message that does no harm if BEGIN is refused.
    pub(crate) async fn begin_for_harmless(&self) -> Result<(), Failure> {
        if !self.send_begin() {
            // Another call may have sent it, with a statement behind it.
            self.begin().await?;
        }
        Ok(())
    }

    fn send_begin(&self) -> bool {
        self.ask_limit();
        self.session.wire.tell(|machine| machine.begin())
    }

    /// Queries the limit of statements ahead of a BEGIN, if one is about to be sent.
    fn ask_limit(&self) {
        let session = &self.session;
        if session.wire.look().phase == Phase::Owed {
            session.limit.ask(session);
        }
    }

    /// Sends BEGIN if it is owed, and waits until the transaction is open.
    pub(crate) async fn begin(&self) -> Result<(), Failure> {
        if self.session.wire.look().phase == Phase::Settled {
            return Ok(());
        }
        self.send_begin();
        let begun = Box::pin(self.wait(self.session.begun())).await;
        match begun {
            // No byte of the call itself was written.
            Err(Failure::Broken(Broken::Lost(_))) => {
                return Err(Broken::Lost(self.progress()).into());
            }
            begun => begun?,
        }
        // A different transaction may be open by now, or none.
        match self.has_outlived_its_transaction() {
            true => Err(Failure::Ours(transaction_ended())),
            false => Ok(()),
        }
    }

    /// The outcome of a message that may have been sent directly behind BEGIN: if BEGIN failed,
    /// that is the error for the caller.
    pub(crate) fn behind_begin<T>(&self, answered: Result<T, Failure>) -> Result<T, Failure> {
        let concerned = self.meets_begin.load(Ordering::Acquire);
        if !concerned || matches!(answered, Err(Failure::Late(_))) {
            return answered;
        }
        match self.session.wire.look().phase {
            Phase::Settled | Phase::Owed | Phase::Sent => answered,
            // If another call got the reason: this message was skipped, or did no harm.
            Phase::Failed => match self.session.what_came_of_begin() {
                Err(Failure::Ours(error)) => {
                    Err(Failure::Ours(error.with_effect(Effect::RolledBack)))
                }
                Err(failure) => Err(failure),
                Ok(()) => answered,
            },
        }
    }

    /// Waits for `work` until the deadline; then cancels the statement and waits a little longer
    /// for the outcome. Pass a pinned reference if possible: a future that is passed by value is
    /// part of this one twice.
    pub(crate) async fn wait<T, E: Into<Failure>>(
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

    /// Cancels the statement in progress, and then waits for the outcome of `work`.
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
                    // Behind a pooler, the statement may not have reached the server by then.
                    () = sleep(AGAIN), if sent && result.is_none() => {
                        cancel.set(self.session.cancel());
                        sent = false;
                    }
                }
            }
        })
        .await;
        if result.is_none() || !sent {
            // A request to cancel that is still on its way must not meet a later statement.
            self.session.kill().await;
        }
        // Outstanding answers end with the connection.
        let ended = match result {
            Some(result) => return result.map_err(E::into),
            None => timeout(GRACE, work).await,
        };
        let progress = match ended {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => match error.into() {
                Failure::Broken(Broken::Lost(progress)) => progress,
                failure => return Err(failure),
            },
            Err(_) => Progress::Written,
        };
        Err(Failure::Late(Late::GivenUp(progress)))
    }

    /// Ends the call after success.
    pub(crate) fn done(self) -> Result<()> {
        let unreplicated = self.session.wire.unreplicated();
        let commits = !self.context.in_transaction || self.context.controls_transaction;
        if commits && unreplicated != self.unreplicated {
            return Err(Error::new(
                Class::Canceled,
                "The server committed the transaction, but stopped waiting for its replicas to receive it.",
            )
            .with_hint("It will be lost if the primary fails before a replica has caught up.")
            .with_effect(Effect::Unknown));
        }
        Ok(())
    }

    /// Ends the call with an error before anything relevant was sent.
    pub(crate) fn refuse(self, error: Error) -> Error {
        error
    }

    /// Ends the call after a row of a complete result could not be read.
    pub(crate) fn unreadable(self, error: Error) -> Error {
        let effect = self.effect(Outcome::RowUnreadable);
        match self.done() {
            Ok(()) => error.with_effect(effect),
            Err(unknown) => unknown,
        }
    }

    /// Ends the call after a failure, and returns the error with its effect.
    #[cold]
    pub(crate) fn fail(self, failure: Failure) -> Pin<Box<dyn Future<Output = Error> + Send>> {
        Box::pin(self.failed(failure))
    }

    async fn failed(self, failure: Failure) -> Error {
        let canceled = self.canceled.load(Ordering::Acquire);
        match failure {
            Failure::Ours(error) | Failure::Misfit(error) => error,
            // Possibly later than the request: a stream may first have delivered the rows that had
            // arrived.
            Failure::Broken(Broken::Refused { error, .. })
                if canceled && error.code() == QUERY_CANCELED =>
            {
                self.late(Late::Canceled(error))
            }
            // A pooler hangs up on a client whose statement waited for a session.
            Failure::Broken(Broken::Lost(progress)) if canceled => {
                self.session.ended().await;
                self.late(Late::GivenUp(progress))
            }
            Failure::Broken(broken) => self.broken(broken).await,
            Failure::Late(late) => self.late(late),
        }
    }

    async fn broken(&self, broken: Broken) -> Error {
        match broken {
            Broken::Refused { error, completed } => self.refused(error, completed).await,
            Broken::Skipped => Error::new(
                Class::Closed,
                "The statement was not run because an earlier statement on the connection had failed.",
            )
            .with_effect(Effect::RolledBack),
            Broken::Lost(progress) => {
                self.session.ended().await;
                let effect = self.effect(Outcome::Lost(progress));
                self.session.lost().with_effect(effect)
            }
        }
    }

    async fn refused(&self, said: Box<ServerError>, completed: bool) -> Error {
        let ran = self.begun.elapsed();
        let fatal = said.is_fatal();
        if fatal {
            self.session.ended().await;
        }
        let effect = self.effect(Outcome::Refused {
            code: said.code(),
            fatal,
            completed,
        });
        let class = match said.code() {
            QUERY_CANCELED => statement_limit::class(&said, self.limit().await, ran),
            _ => classify::class_of_error(&said),
        };
        let mut refused =
            classify::refused(&said, class, self.session.settings.options.error_detail)
                .with_effect(effect);
        if classify::is_about_a_name(&said) && self.made_up_its_name() {
            refused = refused.with_hint(BEHIND_A_POOLER);
        }
        refused.with_source(*said)
    }

    /// The limit under which the statement ran. Outside of a failed transaction, the server is
    /// asked.
    async fn limit(&self) -> Limit {
        let session = &self.session;
        if let Some(limit) = session.limit.take_failed() {
            return limit;
        }
        if session.wire.look().status != IDLE || session.wire.is_broken() {
            return session.limit.within(self.transaction);
        }
        let _ = timeout(GRACE, session.limit.learn(session)).await;
        session.limit.of_session()
    }

    /// Whether the call's prepared statement has a name that the client chose, and not its author.
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
                let effect = self.effect(Outcome::Refused {
                    code: QUERY_CANCELED,
                    fatal: false,
                    completed: false,
                });
                Error::new(
                    class,
                    format!(
                        "The deadline passed after {waited:.1?}, and the statement was canceled."
                    ),
                )
                .with_effect(effect)
                .with_code(underpin_core::Code::from_sqlstate(QUERY_CANCELED))
                .with_source(*error)
            }
            Late::GivenUp(progress) => Error::new(
                class,
                format!(
                    "The server at {endpoint} did not answer within {waited:.1?}, and the \
                     connection was given up."
                ),
            )
            .with_effect(self.effect(Outcome::Lost(progress))),
            Late::LeftBehind => Error::new(
                class,
                format!(
                    "The deadline passed after {waited:.1?}; the statement may still complete."
                ),
            )
            .with_effect(self.effect(Outcome::Abandoned(self.progress()))),
        }
    }

    /// The error for a deadline that passed while the statement itself completed.
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

    /// How far the call had come before its statement was requested.
    fn progress(&self) -> Progress {
        match self.session.wire.written() == self.before {
            true => Progress::Unwritten,
            false => Progress::Partly,
        }
    }

    fn effect(&self, outcome: Outcome<'_>) -> Effect {
        decide(outcome, self.context)
    }
}

fn busy_cancelling() -> Error {
    Error::new(
        Class::Busy,
        "Another statement on this connection is being canceled, and this one was not sent.",
    )
    .with_effect(Effect::NotSent)
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.holds {
            self.session.held.fetch_sub(1, Ordering::AcqRel);
        }
        self.session.call_ended();
        self.session.calls.end();
    }
}
