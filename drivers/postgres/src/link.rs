use std::collections::VecDeque;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::{Notify, broadcast};
use underpin_core::Role;

use crate::notices::{Notice, Notification};
use crate::socket::Socket;
use crate::watchdog::Watchdog;

/// What the [tap](crate::tap) and the connection's task know, shared with who asks.
/// Each number has one writer.
#[derive(Debug)]
pub(crate) struct Link {
    /// Bytes handed to the socket, or to the encryption above it.
    pub(crate) written: AtomicU64,
    /// Messages wholly written that make the server run something.
    pub(crate) executes: AtomicU64,
    /// Ends of a COPY wholly written.
    pub(crate) copy_ends: AtomicU64,
    /// Statements that the server has said are complete.
    pub(crate) completes: AtomicU64,
    /// ROLLBACKs among them, which is also how a COMMIT of a failed transaction ends.
    pub(crate) rollbacks: AtomicU64,
    /// How often the server has said that it is ready.
    pub(crate) readies: AtomicU64,
    /// The transaction's status as of the latest of those.
    pub(crate) status: AtomicU8,
    /// Whether an answer has begun to end, and the server is not ready yet.
    pub(crate) unsettled: AtomicBool,
    /// Whether a statement of the session changed it for those to come.
    pub(crate) changed: AtomicBool,
    /// Whether prepared statements were dropped that this side relies on.
    pub(crate) deallocated: AtomicBool,
    /// How many settings the server has reported.
    pub(crate) parameters: AtomicU64,
    /// Commits that did not wait for their replicas to the end.
    pub(crate) unreplicated: AtomicU64,
    /// Whether statements that only read are sent for many callers, and may be joined.
    pub(crate) lane: AtomicBool,
    /// How many BEGINs were asked for that are to be joined with what follows them.
    pub(crate) begins: AtomicU64,
    /// Makes the tap refuse every byte.
    pub(crate) killed: AtomicBool,
    /// The connection object was dropped.
    pub(crate) closing: Notify,
    pub(crate) watchdog: Watchdog,
    /// There until the connection ends, so that it does not keep it open.
    socket: Mutex<Option<Socket>>,
    replica: AtomicBool,
    ended: AtomicBool,
    cause: Mutex<Option<Arc<tokio_postgres::Error>>>,
    news: Notify,
    notices: Mutex<VecDeque<Notice>>,
    notifications: OnceLock<broadcast::Sender<Notification>>,
}

/// The status of a session that is within no transaction.
pub(crate) const IDLE: u8 = b'I';
/// The status of a session whose transaction can only be rolled back.
pub(crate) const FAILED: u8 = b'E';

const NOTICES: usize = 64;
const NOTIFICATIONS: usize = 256;

impl Link {
    /// Of a connection through this socket, where that is known.
    pub(crate) fn new(socket: Option<Socket>) -> Self {
        Link {
            socket: Mutex::new(socket),
            written: AtomicU64::new(0),
            executes: AtomicU64::new(0),
            copy_ends: AtomicU64::new(0),
            completes: AtomicU64::new(0),
            rollbacks: AtomicU64::new(0),
            readies: AtomicU64::new(0),
            status: AtomicU8::new(IDLE),
            unsettled: AtomicBool::new(false),
            changed: AtomicBool::new(false),
            deallocated: AtomicBool::new(false),
            parameters: AtomicU64::new(0),
            unreplicated: AtomicU64::new(0),
            lane: AtomicBool::new(false),
            begins: AtomicU64::new(0),
            killed: AtomicBool::new(false),
            closing: Notify::new(),
            watchdog: Watchdog::new(),
            replica: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            cause: Mutex::new(None),
            news: Notify::new(),
            notices: Mutex::new(VecDeque::new()),
            notifications: OnceLock::new(),
        }
    }

    /// Notes whether what is sent next may be joined with its like.
    pub(crate) fn set_lane(&self, lane: bool) {
        if self.lane.load(Ordering::Relaxed) != lane {
            self.lane.store(lane, Ordering::Relaxed);
        }
    }

    pub(crate) fn status(&self) -> u8 {
        self.status.load(Ordering::Acquire)
    }

    /// Whether the connection is lost, or given up.
    pub(crate) fn is_broken(&self) -> bool {
        self.ended.load(Ordering::Acquire) || self.killed.load(Ordering::Acquire)
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Notes that the connection's task is over, and why.
    pub(crate) fn end(&self, cause: Option<tokio_postgres::Error>) {
        if let Some(cause) = cause {
            self.blame(Arc::new(cause));
        }
        *self.socket() = None;
        self.ended.store(true, Ordering::Release);
        self.tell();
    }

    /// Whether the other side has hung up and nobody has read that yet, when no answer is
    /// awaited. Without a socket to look at, it is not known.
    pub(crate) fn has_hung_up(&self, encrypted: bool) -> bool {
        let socket = self.socket();
        socket
            .as_ref()
            .is_some_and(|socket| socket.has_hung_up(encrypted))
    }

    fn socket(&self) -> MutexGuard<'_, Option<Socket>> {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what ended the connection, where nothing better is known.
    pub(crate) fn blame(&self, cause: Arc<tokio_postgres::Error>) {
        let mut known = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
        if known
            .as_ref()
            .is_none_or(|known| known.is_closed() || known.as_db_error().is_none())
        {
            *known = Some(cause);
        }
    }

    pub(crate) fn cause(&self) -> Option<Arc<tokio_postgres::Error>> {
        self.cause
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn role(&self) -> Role {
        if self.replica.load(Ordering::Relaxed) {
            Role::Replica
        } else {
            Role::Primary
        }
    }

    pub(crate) fn set_role(&self, role: Role) {
        self.replica.store(role == Role::Replica, Ordering::Relaxed);
    }

    /// Wakes all who wait in [`until`](Link::until).
    pub(crate) fn tell(&self) {
        self.news.notify_waiters();
    }

    /// Waits until `this` is so, or the connection is over.
    pub(crate) async fn until(&self, this: impl Fn(&Link) -> bool) {
        loop {
            let mut news = pin!(self.news.notified());
            news.as_mut().enable();
            if this(self) || self.has_ended() {
                return;
            }
            news.await;
        }
    }

    pub(crate) fn add_notice(&self, notice: Notice) {
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        if notices.len() == NOTICES {
            notices.pop_front();
        }
        notices.push_back(notice);
    }

    pub(crate) fn notices(&self) -> Vec<Notice> {
        self.notices
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect()
    }

    pub(crate) fn add_notification(&self, notification: Notification) {
        if let Some(sender) = self.notifications.get() {
            // Nobody listening is no failure.
            let _ = sender.send(notification);
        }
    }

    pub(crate) fn notifications(&self) -> broadcast::Receiver<Notification> {
        self.notifications
            .get_or_init(|| broadcast::channel(NOTIFICATIONS).0)
            .subscribe()
    }
}
