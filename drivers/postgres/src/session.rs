use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::Client;
use underpin_core::driver::SessionState;
use underpin_core::{Class, Endpoint, Error};

use crate::calls::{Calls, Cancelling};
use crate::cancel::cancel;
use crate::connector::Settings;
use crate::link::{FAILED, IDLE, Link};
use crate::native_error::NativeError;
use crate::opening::{Opening, Phase};
use crate::statement_limit::StatementLimit;
use crate::statements::Statements;

/// One open session: the client, what is known of it, and what is under way on it.
pub(crate) struct Session {
    pub(crate) client: Arc<Client>,
    pub(crate) link: Arc<Link>,
    pub(crate) settings: Settings,
    pub(crate) endpoint: Endpoint,
    statements: Mutex<Statements>,
    pub(crate) opening: Opening,
    pub(crate) limit: StatementLimit,
    encrypted: bool,
    task: AbortHandle,
    /// Calls whose futures, or streams, are alive.
    pub(crate) calls: Calls,
    /// Those among them that hold the connection until somebody reads on.
    pub(crate) held: AtomicUsize,
    abandoned: AtomicBool,
    barrier: Mutex<Option<Barrier>>,
}

/// Complete when the server has answered all that was sent before it.
type Barrier = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How long the connection's task has to notice that it is to end.
const A_MOMENT: Duration = Duration::from_millis(500);

impl Session {
    pub(crate) fn new(
        client: Client,
        link: Arc<Link>,
        settings: Settings,
        endpoint: Endpoint,
        encrypted: bool,
        task: AbortHandle,
    ) -> Arc<Self> {
        Arc::new(Session {
            client: Arc::new(client),
            link,
            statements: Mutex::new(Statements::new(settings.options.statement_cache_size)),
            opening: Opening::default(),
            limit: StatementLimit::new(&settings.options),
            settings,
            endpoint,
            encrypted,
            task,
            calls: Calls::default(),
            held: AtomicUsize::new(0),
            abandoned: AtomicBool::new(false),
            barrier: Mutex::new(None),
        })
    }

    pub(crate) fn statements(&self) -> MutexGuard<'_, Statements> {
        self.statements
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state(&self) -> SessionState {
        if self.link.is_broken() {
            return SessionState::Broken;
        }
        if self.calls.count() > 0 || self.awaits_answers() {
            return SessionState::Busy;
        }
        match self.opening.look() {
            Phase::Settled => {}
            Phase::Owed => return SessionState::InTransaction,
            Phase::Sent => return SessionState::Busy,
            Phase::Failed => return SessionState::Failed,
        }
        match self.link.status() {
            IDLE if self.link.changed.load(Ordering::Acquire) => SessionState::Changed,
            IDLE => SessionState::Clean,
            FAILED => SessionState::Failed,
            _ => SessionState::InTransaction,
        }
    }

    /// Notes that a call was dropped before its answer came. The client may have queued
    /// anything for it; an empty request behind that tells when all of it is answered.
    pub(crate) fn abandon(&self) {
        let client = Arc::clone(&self.client);
        let mut barrier: Barrier = Box::pin(async move {
            let _ = client.check_connection().await;
        });
        let mut slot = self.barrier.lock().unwrap_or_else(PoisonError::into_inner);
        self.abandoned.store(true, Ordering::Release);
        // The first poll is what queues the request.
        let _ = self.opening.send_unasked(|| {
            barrier
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
        });
        *slot = Some(barrier);
    }

    /// Whether a dropped call's answer is still to come.
    pub(crate) fn awaits_answers(&self) -> bool {
        if !self.abandoned.load(Ordering::Acquire) {
            return false;
        }
        let mut slot = self.barrier.lock().unwrap_or_else(PoisonError::into_inner);
        let answered = slot.as_mut().is_none_or(|barrier| {
            barrier
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                == Poll::Ready(())
        });
        if answered {
            *slot = None;
            self.abandoned.store(false, Ordering::Release);
        }
        !answered
    }

    /// Whether the server, or the network, has ended the session, though no message of it was
    /// read yet.
    pub(crate) fn has_hung_up(&self) -> bool {
        let is_idle = self.calls.count() == 0 && !self.awaits_answers();
        is_idle && self.link.has_hung_up(self.encrypted)
    }

    /// Waits until all that was sent so far is answered.
    pub(crate) async fn quiet(&self) -> Result<(), tokio_postgres::Error> {
        self.client.check_connection().await
    }

    /// Whether only one call is under way and nothing else can be meant by the transaction's
    /// status.
    pub(crate) fn is_alone(&self) -> bool {
        self.calls.count() <= 1 && !self.awaits_answers()
    }

    /// Keeps calls from beginning, where only one is under way and nothing else can be meant
    /// by a request to cancel.
    pub(crate) fn cancel_alone(&self) -> Option<Cancelling<'_>> {
        let cancelling = self.calls.cancel()?;
        (!self.awaits_answers()).then_some(cancelling)
    }

    pub(crate) async fn cancel(&self) -> io::Result<()> {
        cancel(
            &self.settings,
            &self.endpoint,
            self.client.cancel_token(),
            self.encrypted,
        )
        .await
    }

    /// Ends the connection here and now, whatever is under way.
    pub(crate) async fn kill(&self) {
        self.link.killed.store(true, Ordering::Release);
        self.task.abort();
        self.ended().await;
    }

    /// Waits, for a moment at most, until the connection's task is over.
    pub(crate) async fn ended(&self) {
        let _ = timeout(A_MOMENT, self.link.until(Link::has_ended)).await;
    }

    pub(crate) fn task(&self) -> AbortHandle {
        self.task.clone()
    }

    /// The error for a connection that is no more; the effect is left to the caller.
    pub(crate) fn lost(&self) -> Error {
        let endpoint = &self.endpoint;
        let given_up = self.link.killed.load(Ordering::Acquire);
        let Some(cause) = self.link.cause() else {
            let why = if given_up {
                "it was given up, since an answer did not come in time"
            } else {
                "the server closed it"
            };
            return Error::new(
                Class::Connect,
                format!("The connection to {endpoint} was lost: {why}."),
            );
        };
        let why = match (cause.as_db_error(), std::error::Error::source(&cause)) {
            (Some(said), _) => {
                let text = said.message().trim_end_matches('.');
                format!("{text} (SQLSTATE {})", said.code().code())
            }
            (None, Some(source)) => source.to_string(),
            (None, None) if cause.is_closed() => "the server closed it".to_owned(),
            (None, None) => cause.to_string(),
        };
        Error::new(
            Class::Connect,
            format!("The connection to {endpoint} was lost: {why}."),
        )
        .with_source(NativeError::from(cause))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.link.closing.notify_one();
    }
}
