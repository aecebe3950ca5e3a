use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::Shared;
use tokio_postgres::Client;
use underpin_core::{Class, Effect, Error, Isolation, TransactionOptions};

use crate::call::Failure;
use crate::link::Link;

/// The beginning of a session's transaction, which costs no round trip of its own: BEGIN is sent
/// with the first statement, or right before it.
#[derive(Default)]
pub(crate) struct Opening {
    /// Which of the states it is, so that a session outside of transactions takes no lock.
    phase: AtomicU8,
    state: Mutex<State>,
    /// Another one for each transaction, odd while within one.
    number: AtomicU64,
    /// Whether somebody may have the native client, with which statements can be sent unseen.
    native: AtomicBool,
}

#[derive(Default)]
enum State {
    /// Nothing is to be done. Exits to `Owed`.
    #[default]
    Settled,
    /// BEGIN is to be sent before anything else. Exits to `Sent`, and to `Settled` where the
    /// transaction ends before anything was sent in it.
    Owed(TransactionOptions),
    /// BEGIN is under way. Exits to `Settled` and `Failed`.
    Sent(Begin),
    /// BEGIN was refused. Until the transaction is ended, nothing is sent in it: it would take
    /// hold at once. Exits to `Settled`.
    Failed,
}

/// BEGIN on its way. Whoever sends something in the transaction may be the one to wait for it.
type Begin = Shared<Pin<Box<dyn Future<Output = Result<(), Refused>> + Send>>>;

/// Why BEGIN failed. The first who asks is told.
#[derive(Clone)]
struct Refused(Arc<Mutex<Option<tokio_postgres::Error>>>);

/// What the session knows of a transaction that was to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Settled,
    Owed,
    Sent,
    Failed,
}

impl Opening {
    pub(crate) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Settled,
            1 => Phase::Owed,
            2 => Phase::Sent,
            _ => Phase::Failed,
        }
    }

    /// The same, once what has come in is looked at.
    pub(crate) fn look(&self) -> Phase {
        if self.phase() == Phase::Sent {
            self.answer();
        }
        self.phase()
    }

    /// Notes that a transaction is to begin.
    pub(crate) fn owe(&self, options: TransactionOptions) {
        let mut state = self.lock();
        let number = self.number.load(Ordering::Relaxed);
        self.number.store((number | 1) + 2, Ordering::Release);
        self.become_(&mut state, State::Owed(options));
    }

    /// The transaction that is open, or is to begin, of those that were begun by a call.
    pub(crate) fn transaction(&self) -> Option<u64> {
        let number = self.number.load(Ordering::Acquire);
        (number % 2 == 1).then_some(number)
    }

    /// Forgets the transaction, and says what had become of its beginning.
    pub(crate) fn clear(&self) -> Phase {
        if self.phase() == Phase::Settled && self.transaction().is_none() {
            return Phase::Settled;
        }
        let mut state = self.lock();
        let phase = state.phase();
        let number = self.number.load(Ordering::Relaxed);
        self.number.store(number + number % 2, Ordering::Release);
        self.become_(&mut state, State::Settled);
        phase
    }

    /// Sends BEGIN where it is owed, ahead of all that is sent from now on. Says whether it did.
    pub(crate) fn send(&self, client: &Arc<Client>) -> bool {
        self.start(client, None, || ())
    }

    /// Sends BEGIN where it is owed, and what `statement` sends right behind it, which is run
    /// only if BEGIN is not refused. Says whether it did.
    pub(crate) fn send_with(
        &self,
        client: &Arc<Client>,
        link: &Link,
        statement: impl FnOnce(),
    ) -> bool {
        self.start(client, Some(link), statement)
    }

    /// Sends what may not come between BEGIN and its statement.
    pub(crate) fn send_unasked<T>(&self, send: impl FnOnce() -> T) -> T {
        let _whole = (self.phase() == Phase::Owed).then(|| self.lock());
        send()
    }

    /// Whoever finds that BEGIN was sent finds `next` sent too: the lock is held for both.
    fn start(&self, client: &Arc<Client>, joined: Option<&Link>, next: impl FnOnce()) -> bool {
        if self.phase() != Phase::Owed {
            return false;
        }
        let mut state = self.lock();
        let State::Owed(options) = *state else {
            return false;
        };
        let word = if joined.is_some() { JOINED } else { "BEGIN" };
        if let Some(link) = joined {
            link.begins.fetch_add(1, Ordering::Relaxed);
        }
        let client = Arc::clone(client);
        let begin = async move {
            let statement = begin_statement(word, options);
            let sent = client.batch_execute(&statement);
            sent.await.map_err(Refused::new)
        };
        let begin = begin.boxed().shared();
        // The first poll is what queues the request. A handle that has given its answer once,
        // as where the connection is lost, cannot be asked again.
        let _ = begin.clone().now_or_never();
        next();
        self.become_(&mut state, State::Sent(begin));
        true
    }

    /// What came of BEGIN, where that is known by now.
    pub(crate) fn answer(&self) -> Option<Result<(), Failure>> {
        match self.under_way() {
            Ok(Some(begin)) => {
                let answer = begin.clone().now_or_never()?;
                Some(self.note(&begin, answer))
            }
            Ok(None) => Some(Ok(())),
            Err(failure) => Some(Err(failure)),
        }
    }

    /// Waits for what comes of BEGIN, where it is under way.
    pub(crate) async fn answered(&self) -> Result<(), Failure> {
        match self.under_way()? {
            Some(begin) => {
                let answer = begin.clone().await;
                self.note(&begin, answer)
            }
            None => Ok(()),
        }
    }

    /// Notes that the native client is handed out. What is sent with it must find the
    /// transaction open.
    pub(crate) fn hand_out(&self, client: &Arc<Client>) {
        self.native.store(true, Ordering::Release);
        self.send(client);
    }

    /// Notes that nobody can have the native client any more.
    pub(crate) fn take_back(&self) {
        self.native.store(false, Ordering::Release);
    }

    /// Whether statements may be sent that this side knows nothing of, so that BEGIN cannot
    /// wait for the first.
    pub(crate) fn is_handed_out(&self) -> bool {
        self.native.load(Ordering::Acquire)
    }

    fn under_way(&self) -> Result<Option<Begin>, Failure> {
        match self.phase() {
            Phase::Settled | Phase::Owed => Ok(None),
            Phase::Failed => Err(Failure::Ours(not_begun())),
            Phase::Sent => match &*self.lock() {
                State::Sent(begin) => Ok(Some(begin.clone())),
                State::Failed => Err(Failure::Ours(not_begun())),
                State::Settled | State::Owed(_) => Ok(None),
            },
        }
    }

    fn note(&self, begin: &Begin, answer: Result<(), Refused>) -> Result<(), Failure> {
        let mut state = self.lock();
        // Another may have ended it meanwhile, and begun the next.
        if matches!(&*state, State::Sent(current) if current.ptr_eq(begin)) {
            let next = if answer.is_ok() {
                State::Settled
            } else {
                State::Failed
            };
            self.become_(&mut state, next);
        }
        answer.map_err(Refused::failure)
    }

    fn become_(&self, state: &mut State, next: State) {
        *state = next;
        self.phase.store(state.phase() as u8, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn phase(&self) -> Phase {
        match self {
            State::Settled => Phase::Settled,
            State::Owed(_) => Phase::Owed,
            State::Sent(_) => Phase::Sent,
            State::Failed => Phase::Failed,
        }
    }
}

impl Refused {
    #[cold]
    fn new(error: tokio_postgres::Error) -> Self {
        Refused(Arc::new(Mutex::new(Some(error))))
    }

    fn failure(self) -> Failure {
        let error = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        error.map_or_else(|| Failure::Ours(not_begun()), Failure::Native)
    }
}

/// The error for what would be sent in a transaction that has ended meanwhile.
#[cold]
pub(crate) fn ended() -> Error {
    Error::new(
        Class::Closed,
        "The transaction has ended, and this call was not sent in time to be in it.",
    )
    .with_effect(Effect::NotSent)
    .with_hint("Wait for all calls of a transaction before it is committed or rolled back.")
}

/// The error for what would be sent in a transaction that did not begin.
#[cold]
pub(crate) fn not_begun() -> Error {
    Error::new(
        Class::Closed,
        "The transaction could not be begun, and nothing more is sent in it.",
    )
    .with_effect(Effect::NotSent)
    .with_hint("The first call in it has failed with the reason. Roll it back, and begin another.")
}

/// BEGIN with the [mark](crate::join::WITH_NEXT) that joins it with the statement behind it.
const JOINED: &str = "/*underpin*/BEGIN";

fn begin_statement(word: &'static str, options: TransactionOptions) -> Cow<'static, str> {
    if options == TransactionOptions::default() {
        return Cow::Borrowed(word);
    }
    let mut statement = String::from(word);
    statement.push_str(match options.isolation {
        None => "",
        Some(Isolation::ReadCommitted) => " ISOLATION LEVEL READ COMMITTED",
        Some(Isolation::RepeatableRead) => " ISOLATION LEVEL REPEATABLE READ",
        Some(Isolation::Serializable) => " ISOLATION LEVEL SERIALIZABLE",
    });
    if options.read_only {
        statement.push_str(" READ ONLY");
    }
    if options.deferrable {
        statement.push_str(" DEFERRABLE");
    }
    Cow::Owned(statement)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::join::WITH_NEXT;

    #[test]
    fn options_are_spelled_out() {
        let none = TransactionOptions::default();
        assert_eq!(begin_statement("BEGIN", none), "BEGIN");
        assert_eq!(JOINED.strip_prefix(WITH_NEXT), Some("BEGIN"));
        let options = TransactionOptions {
            isolation: Some(Isolation::Serializable),
            read_only: true,
            deferrable: true,
        };
        assert_eq!(
            begin_statement("BEGIN", options),
            "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE"
        );
    }
}
