use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use underpin_core::driver::{Lingering, SessionState};
use underpin_core::{Class, Endpoint, Error};

use crate::call::Failure;
use crate::calls::{Calls, Canceling};
use crate::cancel::cancel;
use crate::catalog::Catalog;
use crate::connector::Settings;
use crate::search_path::SearchPath;
use crate::statement_limit::StatementLimit;
use crate::statements::Statements;
use crate::trust::Trust;
use crate::unnamed::Unnamed;
use crate::wire::answer::{Answer, Broken};
use crate::wire::machine::{FAILED, IDLE};
use crate::wire::opening::Phase;
use crate::wire::request::Progress;
use crate::wire::shared::Wire;

/// One open session: the wire to the server, and the calls in progress on it.
pub(crate) struct Session {
    pub(crate) wire: Arc<Wire>,
    pub(crate) settings: Settings,
    pub(crate) endpoint: Endpoint,
    statements: Mutex<Statements>,
    pub(crate) catalog: Catalog,
    pub(crate) limit: StatementLimit,
    encrypted: bool,
    task: AbortHandle,
    /// Calls whose futures or streams are alive.
    pub(crate) calls: Calls,
    /// Those calls that hold the connection until their answer is read.
    pub(crate) held: AtomicUsize,
    pub(crate) trust: Trust,
    pub(crate) unnamed: Unnamed,
    pub(crate) path: SearchPath,
    /// Whether the server was asked to cancel what is in progress, because the connection is about
    /// to be dropped.
    is_last_canceled: AtomicBool,
}

/// Time within which the connection's task must notice that it should end.
const BRIEFLY: Duration = Duration::from_millis(500);

/// Time within which a statement that nobody waits for must end once it is canceled.
const ABANDONED: Duration = Duration::from_secs(5);

impl Session {
    pub(crate) fn new(
        wire: Arc<Wire>,
        settings: Settings,
        endpoint: Endpoint,
        encrypted: bool,
        task: AbortHandle,
    ) -> Arc<Self> {
        Arc::new(Session {
            wire,
            statements: Mutex::new(Statements::new(settings.options.statement_cache_size)),
            catalog: Catalog::default(),
            limit: StatementLimit::new(&settings.options),
            settings,
            endpoint,
            encrypted,
            task,
            calls: Calls::default(),
            held: AtomicUsize::new(0),
            trust: Trust::default(),
            unnamed: Unnamed::default(),
            path: SearchPath::default(),
            is_last_canceled: AtomicBool::new(false),
        })
    }

    pub(crate) fn statements(&self) -> MutexGuard<'_, Statements> {
        self.statements
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state(&self) -> SessionState {
        if self.wire.is_broken() {
            return SessionState::Broken;
        }
        if self.calls.count() > 0 {
            return SessionState::Busy;
        }
        let now = self.wire.look();
        if now.awaits_nobodys {
            return SessionState::Busy;
        }
        match now.phase {
            Phase::Settled => {}
            Phase::Owed => return SessionState::InTransaction,
            Phase::Sent => return SessionState::Busy,
            Phase::Failed => return SessionState::Failed,
        }
        match now.status {
            IDLE if now.changed => SessionState::Changed,
            IDLE => SessionState::Clean,
            FAILED => SessionState::Failed,
            _ => SessionState::InTransaction,
        }
    }

    /// Whether a dropped call's answer is still outstanding.
    pub(crate) fn awaits_answers(&self) -> bool {
        self.wire.machine().awaits_nobodys()
    }

    /// Whether the server, or the network, has ended the session, even if no message about that was
    /// read yet.
    pub(crate) fn has_hung_up(&self) -> bool {
        let is_idle = self.calls.count() == 0 && self.wire.machine().under_way() == 0;
        is_idle && self.wire.has_hung_up(self.encrypted)
    }

    /// Waits until everything that was sent so far is answered.
    pub(crate) async fn quiet(&self) -> Result<(), Failure> {
        let asked = self
            .wire
            .ask(|machine, reply| Ok(machine.sync(Some(reply))));
        Ok(answered(asked)?.finish().await?)
    }

    /// Sends a text of one or more statements, in the simple protocol.
    pub(crate) fn simple(&self, sql: &str) -> Result<Answer, Failure> {
        answered(
            self.wire
                .ask(|machine, reply| machine.simple(Some(reply), sql)),
        )
    }

    /// Runs a text of one or more statements.
    pub(crate) async fn run_simple(&self, sql: &str) -> Result<(), Failure> {
        Ok(self.simple(sql)?.finish().await?)
    }

    /// Waits until the outcome of BEGIN is known, if it is in progress.
    pub(crate) async fn begun(&self) -> Result<(), Failure> {
        let answered = |wire: &Wire| wire.machine().opening.phase() != Phase::Sent;
        self.wire.until(answered).await;
        self.what_came_of_begin()
    }

    /// The outcome of BEGIN, as far as it is known.
    pub(crate) fn what_came_of_begin(&self) -> Result<(), Failure> {
        let mut machine = self.wire.machine();
        match machine.opening.phase() {
            Phase::Settled | Phase::Owed => Ok(()),
            Phase::Sent => Err(Broken::Lost(Progress::Partly).into()),
            Phase::Failed => Err(match machine.opening.take_refusal() {
                Some(error) => Broken::Refused {
                    error,
                    completed: false,
                }
                .into(),
                None => Failure::Ours(not_begun()),
            }),
        }
    }

    /// Whether only one call is in progress, so that the transaction's status is certainly about
    /// it.
    pub(crate) fn is_alone(&self) -> bool {
        self.calls.count() <= 1 && !self.awaits_answers()
    }

    /// Keeps calls from beginning if only one is in progress, so that a request to cancel certainly
    /// means that one.
    pub(crate) fn cancel_alone(&self) -> Option<Canceling<'_>> {
        let canceling = self.calls.cancel()?;
        (!self.awaits_answers()).then_some(canceling)
    }

    pub(crate) async fn cancel(&self) -> io::Result<()> {
        cancel(&self.settings, &self.endpoint, &self.wire, self.encrypted).await
    }

    /// Asks the server to cancel what is in progress before the connection is dropped.
    pub(crate) async fn cancel_last(&self) -> io::Result<()> {
        self.is_last_canceled.store(true, Ordering::Release);
        self.cancel().await
    }

    /// Cancels, in the background, a statement that nobody waits for any more: the server notices
    /// that its client has gone only when the statement is over.
    fn cancel_abandoned(&self) {
        if self.state() != SessionState::Busy || self.is_last_canceled.load(Ordering::Acquire) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let (settings, endpoint) = (self.settings.clone(), self.endpoint.clone());
        let (wire, encrypted) = (Arc::clone(&self.wire), self.encrypted);
        let lingering = Lingering::begin();
        runtime.spawn(async move {
            let canceled = async {
                let _ = cancel(&settings, &endpoint, &wire, encrypted).await;
                wire.until(Wire::has_ended).await;
            };
            let _ = timeout(ABANDONED, canceled).await;
            drop(lingering);
        });
    }

    /// Ends the connection immediately, whatever is in progress.
    pub(crate) async fn kill(&self) {
        self.wire.kill();
        self.task.abort();
        self.ended().await;
    }

    /// Waits briefly until the connection's task has ended.
    pub(crate) async fn ended(&self) {
        let _ = timeout(BRIEFLY, self.wire.until(Wire::has_ended)).await;
    }

    pub(crate) fn task(&self) -> AbortHandle {
        self.task.clone()
    }

    /// The error for a connection that has ended; the caller sets the effect.
    pub(crate) fn lost(&self) -> Error {
        let endpoint = &self.endpoint;
        let cause = self.wire.cause();
        let why = match &cause {
            Some(cause) => cause.to_string(),
            None if self.wire.is_killed() => {
                "it was abandoned because an answer did not arrive in time".to_owned()
            }
            None => "the server closed it".to_owned(),
        };
        let lost = Error::new(
            Class::Connect,
            format!("The connection to {endpoint} was lost: {why}."),
        );
        match cause {
            Some(cause) => lost.with_source(cause),
            None => lost,
        }
    }
}

/// The requested answer, unless the connection has ended.
pub(crate) fn answered(asked: Result<Option<Answer>, Error>) -> Result<Answer, Failure> {
    match asked {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => Err(Broken::Lost(Progress::Unwritten).into()),
        Err(error) => Err(Failure::Ours(error)),
    }
}

/// The error for a call in a transaction that has ended meanwhile.
#[cold]
pub(crate) fn transaction_ended() -> Error {
    Error::new(
        Class::Closed,
        "The transaction ended before this call was sent.",
    )
    .with_effect(underpin_core::Effect::NotSent)
    .with_hint("Wait for all calls of a transaction before committing it or rolling it back.")
}

/// The error for a call in a transaction that did not begin.
#[cold]
pub(crate) fn not_begun() -> Error {
    Error::new(
        Class::Closed,
        "The transaction could not begin, so nothing more is sent in it.",
    )
    .with_effect(underpin_core::Effect::NotSent)
    .with_hint("The first call in it failed with the reason. Roll it back, and begin another one.")
}

impl Drop for Session {
    fn drop(&mut self) {
        self.cancel_abandoned();
        // Before the prepared statements are dropped, which the server then forgets by itself.
        self.wire.tell(|machine| machine.close());
        self.wire.closing.notify_one();
    }
}
