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

/// One call under way on a session. Dropped half-way, it leaves the session busy until the
/// server has answered what was asked.
pub(crate) struct Call {
    session: Arc<Session>,
    deadline: Deadline,
    begun: Instant,
    /// Bytes that were written on the connection by then.
    before: u64,
    context: Context,
    /// What was known of its transaction when it was begun.
    phase: Phase,
    /// The transaction that it was begun in.
    transaction: Option<u64>,
    unreplicated: u64,
    holds: bool,
    /// The deadline has passed, and the server was asked to cancel.
    canceled: AtomicBool,
    /// Something of it was sent while a transaction was about to begin.
    meets_begin: AtomicBool,
    /// Others' statements are on the connection too.
    shared: bool,
    /// The session is to be cleaned right behind the statement.
    settles: bool,
}

/// Why a call came to no good end.
pub(crate) enum Failure {
    /// A request has no answer.
    Broken(Broken),
    /// A parameter cannot be sent as what the server expects; nothing was sent.
    Misfit(Error),
    /// Ready to be handed out.
    Ours(Error),
    /// The deadline passed.
    Late(Late),
}

/// What came of a statement whose deadline passed.
pub(crate) enum Late {
    /// The server cancelled it at our request.
    Canceled(Box<ServerError>),
    /// It did not answer even then, and the connection was given up.
    GivenUp(Progress),
    /// Others' statements are under way too, so nothing was cancelled.
    LeftBehind,
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Self {
        Failure::Broken(broken)
    }
}

/// How long the server has to answer after it was asked to cancel.
const GRACE: Duration = Duration::from_secs(1);
/// How much later than a limit of the server's own this side takes it that no news of it comes.
const NEWS: Duration = Duration::from_secs(2);
/// After how long without an answer it is asked again.
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

    /// Begins a call of one statement, which this side bounds too where the server has a limit for
    /// it: on a network that has fallen silent, nothing is heard of that limit.
    pub(crate) fn open_statement(session: &Arc<Session>, asked: &Asked<'_>) -> Result<Call> {
        message_limit::check(asked.sql, asked.params)?;
        let mut call = Call::open(session, asked.deadline)?;
        call.shared = asked.shared;
        // Others' statements may be in front of a shared one, which is asked elsewhere if it has no
        // answer.
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

    /// Begins a call that ends a transaction, also one that did not begin.
    pub(crate) fn open_to_end(session: &Arc<Session>, deadline: Deadline) -> Result<Call> {
        if session.wire.is_broken() {
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

    /// Whether the transaction that it was begun in has ended.
    pub(crate) fn has_outlived_its_transaction(&self) -> bool {
        self.transaction.is_some() && self.transaction != self.session.wire.look().transaction
    }

    /// Whether a statement can be sent next, as such and still in its transaction.
    pub(crate) fn check(&self, nature: Nature) -> Result<Nature> {
        if self.has_outlived_its_transaction() {
            return Err(transaction_ended());
        }
        nature.check()
    }

    /// Says that the statement itself is sent next.
    pub(crate) fn submit(&mut self, nature: Nature) {
        self.submit_known(nature, None);
    }

    /// The same where the server may have said something of the statement's names.
    pub(crate) fn submit_known(&mut self, nature: Nature, verdict: Option<&Arc<Verdict>>) {
        if self.session.is_doubtful(nature, verdict, self.begun) {
            // Callers that share the connection must not find what the statement leaves.
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

    /// The same for a prepared statement.
    pub(crate) fn submit_ready(&mut self, nature: Nature, ready: &Ready, asked: &Asked<'_>) {
        self.submit_known(nature, ready.prepared.verdict.as_ref());
        if ready.prepared.chooses_path {
            let path = &self.session.path;
            path.note(self.transaction, asked.sql, asked.params);
        }
    }

    /// What a statement is kept under, once it is prepared.
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
    pub(crate) fn submit_copy_in(&mut self, nature: Nature) {
        self.submit(nature);
    }

    /// Keeps others off the connection until somebody has read what comes.
    pub(crate) fn hold(&mut self) {
        self.holds = true;
        self.session.held.fetch_add(1, Ordering::AcqRel);
    }

    /// Asks for a prepared statement that `write` writes: in the transaction that is to begin,
    /// if one is, or not at all. Statements with the same number to join by go with one Sync.
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

    /// Asks for what `write` writes where no transaction is about to begin, and for what cleans
    /// the session behind it, where it is to be cleaned.
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

    /// Sends BEGIN where it is owed, ahead of something that does no harm where it is refused.
    pub(crate) async fn begin_for_harmless(&self) -> Result<(), Failure> {
        if !self.send_begin() {
            // Another may have sent it, with a statement behind it.
            self.begin().await?;
        }
        Ok(())
    }

    fn send_begin(&self) -> bool {
        self.ask_limit();
        self.session.wire.tell(|machine| machine.begin())
    }

    /// Asks for the limit of statements ahead of a BEGIN, where that is to be sent.
    fn ask_limit(&self) {
        let session = &self.session;
        if session.wire.look().phase == Phase::Owed {
            session.limit.ask(session);
        }
    }

    /// Sends BEGIN where it is owed, and waits until the transaction is open.
    pub(crate) async fn begin(&self) -> Result<(), Failure> {
        if self.session.wire.look().phase == Phase::Settled {
            return Ok(());
        }
        self.send_begin();
        let begun = Box::pin(self.wait(self.session.begun())).await;
        match begun {
            // Nothing of the call itself was written.
            Err(Failure::Broken(Broken::Lost(_))) => {
                return Err(Broken::Lost(self.progress()).into());
            }
            begun => begun?,
        }
        // It may be another that is open by now, or none.
        match self.has_outlived_its_transaction() {
            true => Err(Failure::Ours(transaction_ended())),
            false => Ok(()),
        }
    }

    /// What came of something that may have been sent right behind BEGIN: where that failed,
    /// it is what the caller has to know.
    pub(crate) fn behind_begin<T>(&self, answered: Result<T, Failure>) -> Result<T, Failure> {
        let concerned = self.meets_begin.load(Ordering::Acquire);
        if !concerned || matches!(answered, Err(Failure::Late(_))) {
            return answered;
        }
        match self.session.wire.look().phase {
            Phase::Settled | Phase::Owed | Phase::Sent => answered,
            // Where another was told why: what was sent here was skipped, or has done no harm.
            Phase::Failed => match self.session.what_came_of_begin() {
                Err(Failure::Ours(error)) => {
                    Err(Failure::Ours(error.with_effect(Effect::RolledBack)))
                }
                Err(failure) => Err(failure),
                Ok(()) => answered,
            },
        }
    }

    /// Waits for `work` until the deadline; then cancels the statement and waits a little
    /// longer for what came of it. Best given a pinned reference: a future that is handed in
    /// is part of this one twice.
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
        // What is still to come ends with the connection.
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

    /// Ends the call well.
    pub(crate) fn done(self) -> Result<()> {
        let unreplicated = self.session.wire.unreplicated();
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
    pub(crate) fn refuse(self, error: Error) -> Error {
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

    async fn failed(self, failure: Failure) -> Error {
        let canceled = self.canceled.load(Ordering::Acquire);
        match failure {
            Failure::Ours(error) | Failure::Misfit(error) => error,
            // Perhaps later than the request: a stream may first have handed out what was there.
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
                "The statement was not run, since one that was sent before it had failed.",
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

    /// The limit under which the statement ran. Outside of a failed transaction the server tells.
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
                let effect = self.effect(Outcome::Refused {
                    code: QUERY_CANCELED,
                    fatal: false,
                    completed: false,
                });
                Error::new(
                    class,
                    format!("The deadline passed after {waited:.1?}, and the statement was cancelled."),
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
                format!("The deadline passed after {waited:.1?}; the statement may still run to its end."),
            )
            .with_effect(self.effect(Outcome::Abandoned(self.progress()))),
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

    /// How far the call has come before its statement was asked for.
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
        "Another statement on this connection is being cancelled, and this one was not sent.",
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
