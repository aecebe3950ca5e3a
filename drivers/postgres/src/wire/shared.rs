use std::fmt;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;
use futures_util::task::AtomicWaker;
use tokio::sync::{Notify, broadcast};
use underpin_core::{Error, Role};

use super::answer::{Answer, Reply};
use super::machine::{Machine, News};
use super::opening::Phase;
use super::server_error::ServerError;
use super::startup::Begun;
use super::violation::Violation;
use crate::notices::{Notice, Notification};
use crate::socket::Socket;
use crate::watchdog::Watchdog;

/// A connection from its users' view: their requests go into the machine, and the connection's task
/// moves the bytes.
pub(crate) struct Wire {
    machine: Mutex<Machine<Arc<Reply>>>,
    /// Places of collected answers, for later ones.
    spare: Mutex<Vec<Arc<Reply>>>,
    /// Wakes the connection's task.
    pub(super) task: AtomicWaker,
    /// Bytes handed to the socket, or to the encryption above it.
    pub(super) written: AtomicU64,
    ended: AtomicBool,
    killed: AtomicBool,
    replica: AtomicBool,
    /// Commits that did not wait for their replicas.
    unreplicated: AtomicU64,
    /// `Some` until the connection ends, so that it does not keep it open.
    socket: Mutex<Option<Socket>>,
    cause: Mutex<Option<Cause>>,
    news: Notify,
    /// Signals that bytes were written, so that there is room for more.
    pub(super) drained: Notify,
    /// Signals that the connection object was dropped.
    pub(crate) closing: Notify,
    pub(crate) watchdog: Watchdog,
    /// `Some` from the first listener until the connection ends.
    notifications: Mutex<Option<broadcast::Sender<Notification>>>,
    /// Identifies the session in a request to cancel.
    pub(crate) process: i32,
    pub(crate) secret: Box<[u8]>,
    minor: u16,
}

/// The reason why a connection has ended.
#[derive(Debug, Clone)]
pub(crate) enum Cause {
    /// The server reported it.
    Server(Arc<ServerError>),
    /// The server closed it silently.
    Closed,
    /// The stream failed.
    Io(Arc<io::Error>),
    /// The server violated the protocol.
    Violation(Violation),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Server(said) => {
                let text = said.message().trim_end_matches('.');
                write!(f, "{text} (SQLSTATE {})", said.code())
            }
            Cause::Closed => f.write_str("the server closed it"),
            Cause::Io(error) => error.fmt(f),
            Cause::Violation(violation) => violation.fmt(f),
        }
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Cause::Server(said) => Some(&**said),
            Cause::Io(error) => Some(&**error),
            Cause::Violation(violation) => Some(violation),
            Cause::Closed => None,
        }
    }
}

/// The state of a connection at one point in time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    pub(crate) phase: Phase,
    pub(crate) transaction: Option<u64>,
    pub(crate) status: u8,
    pub(crate) changed: bool,
    /// Whether the answer of a dropped request is still outstanding.
    pub(crate) awaits_nobodys: bool,
}

/// Maximum number of bytes of a COPY's rows that wait to be written.
const UNWRITTEN: usize = 256 * 1024;
const NOTIFICATIONS: usize = 256;
/// Number of places for answers that are kept.
const SPARE: usize = 16;

impl Wire {
    pub(crate) fn new(begun: Begun, socket: Option<Socket>, limit: usize) -> Arc<Self> {
        let machine = Machine::new(begun.parameters, begun.notices, limit);
        let wire = Wire {
            replica: AtomicBool::new(machine.role() == Some(Role::Replica)),
            machine: Mutex::new(machine),
            spare: Mutex::default(),
            task: AtomicWaker::new(),
            written: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            killed: AtomicBool::new(false),
            unreplicated: AtomicU64::new(0),
            socket: Mutex::new(socket),
            cause: Mutex::new(None),
            news: Notify::new(),
            drained: Notify::new(),
            closing: Notify::new(),
            watchdog: Watchdog::new(),
            notifications: Mutex::new(None),
            process: begun.process,
            secret: begun.secret.into(),
            minor: begun.minor,
        };
        Arc::new(wire)
    }

    pub(crate) fn machine(&self) -> MutexGuard<'_, Machine<Arc<Reply>>> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for the next answer.
    fn reply(&self) -> Arc<Reply> {
        let spare = self.spare().pop();
        let unused = spare.and_then(|mut spare| {
            // Another holder is about to release it.
            Arc::get_mut(&mut spare)?.clear();
            Some(spare)
        });
        unused.unwrap_or_default()
    }

    /// Keeps the place of a collected answer for another one.
    pub(super) fn keep(&self, reply: &Arc<Reply>) {
        let mut spare = self.spare();
        if spare.len() < SPARE {
            spare.push(Arc::clone(reply));
        }
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Arc<Reply>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the connection's task look for work.
    pub(crate) fn wake(&self) {
        self.task.wake();
    }

    /// The minor version of protocol 3 in use.
    pub(crate) fn minor(&self) -> u16 {
        self.minor
    }

    pub(crate) fn look(&self) -> Standing {
        let machine = self.machine();
        Standing {
            phase: machine.opening.phase(),
            transaction: machine.opening.transaction(),
            status: machine.status,
            changed: machine.changed,
            awaits_nobodys: machine.awaits_nobodys(),
        }
    }

    /// Makes a request, and returns its answer as it arrives. `None` if the connection has ended.
    ///
    /// # Errors
    /// Those of `ask`.
    pub(crate) fn ask(
        self: &Arc<Self>,
        ask: impl FnOnce(&mut Machine<Arc<Reply>>, Arc<Reply>) -> Result<u64, Error>,
    ) -> Result<Option<Answer>, Error> {
        let reply = self.reply();
        let mut machine = self.machine();
        // Under the lock, so that every request is told of the end.
        if self.is_broken() {
            return Ok(None);
        }
        let number = ask(&mut machine, Arc::clone(&reply))?;
        drop(machine);
        self.wake();
        Ok(Some(Answer::new(Arc::clone(self), reply, number)))
    }

    /// Requests the message that `write` writes in the extended protocol, like the machine, if no
    /// transaction is about to begin.
    ///
    /// # Errors
    /// Returns `write` if one is.
    pub(crate) fn ask_settled<W>(
        self: &Arc<Self>,
        joins: Option<u64>,
        write: W,
    ) -> Result<Result<Option<Answer>, Error>, W>
    where
        W: FnOnce(&mut BytesMut) -> Result<u8, Error>,
    {
        let reply = self.reply();
        let mut machine = self.machine();
        if machine.opening.phase() != Phase::Settled {
            return Err(write);
        }
        if self.is_broken() {
            return Ok(Ok(None));
        }
        let number = match machine.extended(Arc::clone(&reply), joins, write) {
            Ok(number) => number,
            Err(error) => return Ok(Err(error)),
        };
        drop(machine);
        self.wake();
        Ok(Ok(Some(Answer::new(Arc::clone(self), reply, number))))
    }

    /// Requests several statements with one Sync, each as its messages and the steps of its answer.
    /// `None` if the connection has ended.
    pub(crate) fn ask_all(self: &Arc<Self>, asked: &[(BytesMut, u8)]) -> Option<Vec<Answer>> {
        let replies: Vec<_> = asked.iter().map(|_| self.reply()).collect();
        let mut machine = self.machine();
        if self.is_broken() {
            return None;
        }
        let each = replies.iter().zip(asked);
        let each = each.map(|(reply, (messages, left))| (Arc::clone(reply), &messages[..], *left));
        let first = machine.pipeline(each);
        drop(machine);
        self.wake();
        let answer = |(reply, number)| Answer::new(Arc::clone(self), reply, number);
        Some(replies.into_iter().zip(first..).map(answer).collect())
    }

    /// Changes the machine without a request.
    pub(crate) fn tell<T>(&self, tell: impl FnOnce(&mut Machine<Arc<Reply>>) -> T) -> T {
        let told = tell(&mut self.machine());
        self.wake();
        told
    }

    /// Number of commits that did not wait for their replicas.
    pub(crate) fn unreplicated(&self) -> u64 {
        self.unreplicated.load(Ordering::Acquire)
    }

    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// Whether the connection is lost, or abandoned.
    pub(crate) fn is_broken(&self) -> bool {
        self.has_ended() || self.is_killed()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    pub(crate) fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Acquire)
    }

    /// Makes the connection's task end as soon as it runs.
    pub(crate) fn kill(&self) {
        self.killed.store(true, Ordering::Release);
        self.wake();
    }

    /// Abandons the connection, since the server violates the protocol.
    pub(crate) fn spoil(&self, why: Violation) {
        self.blame(Cause::Violation(why));
        self.kill();
    }

    /// Records that the connection's task has ended, and why; tells all waiting callers.
    pub(super) fn end(&self, cause: Option<Cause>) {
        let mut news = News::default();
        {
            let mut machine = self.machine();
            let said = machine.take_last_words();
            let cause = said.map(|said| Cause::Server(Arc::new(*said))).or(cause);
            if let Some(cause) = cause {
                self.blame(cause);
            }
            self.ended.store(true, Ordering::Release);
            machine.lost(self.written(), &mut news);
        }
        *self.socket() = None;
        *self.listeners() = None;
        self.deliver(&mut news);
        self.news.notify_waiters();
        self.drained.notify_waiters();
    }

    /// Records the cause of the connection's end, if no better one is known.
    fn blame(&self, cause: Cause) {
        let mut known = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*known, Some(Cause::Server(_))) {
            *known = Some(cause);
        }
    }

    pub(crate) fn cause(&self) -> Option<Cause> {
        let known = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    /// Takes the bytes that were read.
    pub(super) fn receive(&self, inbox: &mut BytesMut, news: &mut News) -> Result<(), Violation> {
        let mut machine = self.machine();
        let received = machine.receive(inbox, news);
        if std::mem::take(&mut news.reported)
            && let Some(role) = machine.role()
        {
            self.set_role(role);
        }
        if std::mem::take(&mut news.noticed) {
            let count = machine.unreplicated;
            self.unreplicated.store(count, Ordering::Release);
        }
        drop(machine);
        self.deliver(news);
        received
    }

    fn deliver(&self, news: &mut News) {
        news.wakers.drain(..).for_each(std::task::Waker::wake);
        if std::mem::take(&mut news.begun) {
            self.news.notify_waiters();
        }
        for notification in news.notifications.drain(..) {
            if let Some(sender) = &*self.listeners() {
                // It is not an error if nobody listens.
                let _ = sender.send(notification);
            }
        }
    }

    /// Whether the other side has hung up and that was not read yet, when no answer is outstanding.
    /// Without a socket to examine, this is not known.
    pub(crate) fn has_hung_up(&self, encrypted: bool) -> bool {
        let socket = self.socket();
        socket
            .as_ref()
            .is_some_and(|socket| socket.has_hung_up(encrypted))
    }

    fn socket(&self) -> MutexGuard<'_, Option<Socket>> {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn role(&self) -> Role {
        match self.replica.load(Ordering::Relaxed) {
            true => Role::Replica,
            false => Role::Primary,
        }
    }

    pub(crate) fn set_role(&self, role: Role) {
        let replica = role == Role::Replica;
        if self.replica.load(Ordering::Relaxed) != replica {
            self.replica.store(replica, Ordering::Relaxed);
        }
    }

    /// Waits until the condition holds, or the connection has ended.
    pub(crate) async fn until(&self, this: impl Fn(&Wire) -> bool) {
        wait(&self.news, || this(self) || self.has_ended()).await;
    }

    /// Waits until there is room for more rows of a COPY.
    pub(crate) async fn room(&self) {
        let is_room = || self.has_ended() || self.machine().backlog() < UNWRITTEN;
        wait(&self.drained, is_room).await;
    }

    pub(crate) fn notices(&self) -> Vec<Notice> {
        self.machine().notices()
    }

    pub(crate) fn notifications(&self) -> broadcast::Receiver<Notification> {
        let mut listeners = self.listeners();
        if self.has_ended() {
            return broadcast::channel(1).1;
        }
        listeners
            .get_or_insert_with(|| broadcast::channel(NOTIFICATIONS).0)
            .subscribe()
    }

    fn listeners(&self) -> MutexGuard<'_, Option<broadcast::Sender<Notification>>> {
        self.notifications
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

async fn wait(news: &Notify, this: impl Fn() -> bool) {
    loop {
        let mut news = pin!(news.notified());
        news.as_mut().enable();
        if this() {
            return;
        }
        news.await;
    }
}
