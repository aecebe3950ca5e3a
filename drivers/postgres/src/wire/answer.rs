use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use super::frame::Frame;
use super::request::{End, Listen, Progress};
use super::server_error::ServerError;
use super::shared::Wire;

/// The place where the answer to one request is delivered and collected.
#[derive(Default)]
pub(crate) struct Reply {
    held: Mutex<Held>,
    gone: AtomicBool,
    /// Number of bytes that were delivered and not collected.
    unread: AtomicUsize,
}

#[derive(Default)]
struct Held {
    /// The first of the messages; empty if there are none.
    first: Bytes,
    rest: VecDeque<Bytes>,
    end: Option<End>,
    waker: Option<Waker>,
}

/// Maximum number of unread bytes of one answer. Beyond it, nothing more is read from the socket.
pub(crate) const UNREAD: usize = 256 * 1024;

/// Number of messages of an answer for which room is kept.
const KEPT: usize = 4;

impl Reply {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prepares it for another answer.
    pub(super) fn clear(&mut self) {
        let held = self.held.get_mut().unwrap_or_else(PoisonError::into_inner);
        held.first = Bytes::new();
        held.rest.clear();
        held.rest.shrink_to(KEPT);
        held.end = None;
        held.waker = None;
        *self.gone.get_mut() = false;
        *self.unread.get_mut() = 0;
    }

    /// Whether so much of it is unread that the next read has to wait.
    pub(crate) fn is_full(&self) -> bool {
        self.unread.load(Ordering::Acquire) > UNREAD && !self.gone.load(Ordering::Acquire)
    }
}

impl Listen for Arc<Reply> {
    fn hear(&self, messages: Bytes) -> Option<Waker> {
        let mut held = self.held();
        self.unread.fetch_add(messages.len(), Ordering::AcqRel);
        if held.first.is_empty() && held.rest.is_empty() {
            held.first = messages;
        } else {
            held.rest.push_back(messages);
        }
        held.waker.take()
    }

    fn end(&self, end: End) -> Option<Waker> {
        let mut held = self.held();
        held.end = Some(end);
        held.waker.take()
    }

    fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }
}

/// The reason why a request has no answer.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The server refused it.
    Refused {
        error: Box<ServerError>,
        completed: bool,
    },
    /// The server skipped it, since an earlier one had failed.
    Skipped,
    /// The connection has ended.
    Lost(Progress),
}

/// The answer to one request, as it arrives. If it is dropped before its end, the rest is discarded
/// when it arrives.
pub(crate) struct Answer {
    wire: Arc<Wire>,
    reply: Arc<Reply>,
    number: u64,
    /// The messages that are being read, and the position in them.
    messages: Bytes,
    at: usize,
    ended: bool,
}

impl Answer {
    pub(super) fn new(wire: Arc<Wire>, reply: Arc<Reply>, number: u64) -> Self {
        Answer {
            wire,
            reply,
            number,
            messages: Bytes::new(),
            at: 0,
            ended: false,
        }
    }

    /// The number of the request.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn wire(&self) -> &Arc<Wire> {
        &self.wire
    }

    /// Waits for messages, which [`next`](Answer::next) then returns; `false` once the whole answer
    /// has arrived.
    pub(crate) async fn more(&mut self) -> Result<bool, Broken> {
        poll_fn(|cx| self.poll_more(cx)).await
    }

    pub(crate) fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Broken>> {
        if self.at < self.messages.len() {
            return Poll::Ready(Ok(true));
        }
        if self.ended {
            return Poll::Ready(Ok(false));
        }
        let mut held = self.reply.held();
        if !held.first.is_empty() {
            self.messages = std::mem::take(&mut held.first);
        } else if let Some(messages) = held.rest.pop_front() {
            self.messages = messages;
        } else if let Some(end) = held.end.take() {
            self.ended = true;
            self.messages = Bytes::new();
            self.at = 0;
            return Poll::Ready(match end {
                End::Complete => Ok(false),
                End::Refused { error, completed } => Err(Broken::Refused { error, completed }),
                End::Skipped => Err(Broken::Skipped),
                End::Lost(progress) => Err(Broken::Lost(progress)),
            });
        } else {
            match &mut held.waker {
                Some(waker) => waker.clone_from(cx.waker()),
                None => held.waker = Some(cx.waker().clone()),
            }
            return Poll::Pending;
        }
        self.at = 0;
        drop(held);
        let count = self.messages.len();
        let before = self.reply.unread.fetch_sub(count, Ordering::AcqRel);
        if before > UNREAD && before - count <= UNREAD {
            self.wire.wake();
        }
        Poll::Ready(Ok(true))
    }

    /// The next of the messages that have arrived.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Frame<'_>> {
        let (frame, end) = Frame::at(&self.messages, self.at)?;
        self.at = end;
        Some(frame)
    }

    /// The body of the latest message from [`next`](Answer::next), without a copy.
    pub(crate) fn body(&self, length: usize) -> Bytes {
        self.messages.slice(self.at - length..self.at)
    }

    /// Waits for the end, whatever comes before it.
    pub(crate) async fn finish(mut self) -> Result<(), Broken> {
        while self.more().await? {
            self.at = self.messages.len();
        }
        Ok(())
    }

    /// Drops the messages that have arrived, for callers that only wait for the end.
    pub(crate) fn skip(&mut self) {
        self.at = self.messages.len();
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.reply.gone.store(true, Ordering::Release);
        if self.ended {
            self.wire.keep(&self.reply);
        } else if self.reply.unread.load(Ordering::Acquire) > UNREAD {
            self.wire.wake();
        }
    }
}
