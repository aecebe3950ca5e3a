use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::timeout;

use super::answer::Reply;
use super::frame::{READ, READ_MOST, room, shrink};
use super::machine::News;
use super::shared::{Cause, Wire};

/// Time within which a dropped connection must say goodbye.
const GOODBYE: Duration = Duration::from_secs(5);
/// Number of statements in progress that makes it worthwhile to gather more.
const MANY: usize = 32;
/// Number of bytes for outgoing messages for which room is kept.
const KEPT: usize = 2 * 1024;
/// Minimum number of free bytes for a read.
const LEAST: usize = 512;

/// Moves the bytes of one connection.
struct Pump<S> {
    stream: S,
    wire: Arc<Wire>,
    inbox: BytesMut,
    /// Number of bytes that are read at once.
    read: usize,
    limit: usize,
    writing: BytesMut,
    flushes: bool,
    /// Number of callers that got their complete answers since the last write, and may send again.
    answered: usize,
    /// Whether the outgoing bytes have already waited once for more.
    gathered: bool,
    /// Whether everything was written, including the goodbye.
    over: bool,
    news: News,
}

/// Records the end of the connection, however the task ends.
struct Ends(Arc<Wire>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.end(None);
    }
}

/// Moves the bytes of one connection until it ends. The inbox contains the bytes that were read
/// ahead.
pub(crate) async fn drive<S>(stream: S, inbox: BytesMut, wire: Arc<Wire>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let ends = Ends(Arc::clone(&wire));
    let limit = wire.machine().limit();
    let mut pump = Pump {
        stream,
        wire: Arc::clone(&wire),
        inbox,
        read: READ,
        limit,
        writing: BytesMut::new(),
        flushes: false,
        answered: 0,
        gathered: false,
        over: false,
        news: News::default(),
    };
    let mut run = pin!(poll_fn(move |cx| pump.poll(cx)));
    let ended = tokio::select! {
        biased;
        ended = &mut run => ended,
        () = wire.closing.notified() => {
            wire.tell(|machine| machine.close());
            timeout(GOODBYE, run).await.unwrap_or(Ok(()))
        }
        () = wire.watchdog.watch() => {
            wire.kill();
            Ok(())
        }
    };
    wire.end(ended.err());
    drop(ends);
}

impl<S: AsyncRead + AsyncWrite + Unpin> Pump<S> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Cause>> {
        self.wire.task.register(cx.waker());
        if !self.inbox.is_empty() && self.wire.written() == 0 {
            // The messages that arrived with the end of the startup.
            self.take_in()?;
        }
        loop {
            if self.wire.is_killed() {
                return Poll::Ready(Ok(()));
            }
            let wrote = self.write(cx)?;
            if self.writing.is_empty() && self.over {
                let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
                return shut.map(|_| Ok(()));
            }
            if !self.read(cx)? && !wrote {
                return Poll::Pending;
            }
        }
    }

    /// Writes the outgoing bytes. Returns whether it wrote anything.
    fn write(&mut self, cx: &mut Context<'_>) -> Result<bool, Cause> {
        if self.writing.is_empty() {
            let mut machine = self.wire.machine();
            if machine.has_out() {
                // Waits one turn of the runtime's queue for requests of the tasks that have just
                // been answered: fewer and larger writes answer all of them sooner.
                let under_way = machine.under_way();
                self.gathered = !self.gathered && (under_way >= MANY || self.answered > under_way);
                if self.gathered {
                    cx.waker().wake_by_ref();
                    return Ok(false);
                }
                self.answered = 0;
                machine.take_out(&mut self.writing);
            }
            self.over = machine.is_over();
        }
        let mut wrote = false;
        while !self.writing.is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, &self.writing) {
                Poll::Ready(Ok(0)) => return Err(failed(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => {
                    self.writing.advance(count);
                    let before = self.wire.written.load(Ordering::Relaxed);
                    let now = before + count as u64;
                    self.wire.written.store(now, Ordering::Release);
                    (wrote, self.flushes) = (true, true);
                }
                Poll::Ready(Err(error)) => return Err(self.last_words(cx, error)),
                Poll::Pending => break,
            }
        }
        if wrote && self.writing.is_empty() {
            self.wire.drained.notify_waiters();
        }
        if self.flushes {
            match Pin::new(&mut self.stream).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.flushes = false,
                Poll::Ready(Err(error)) => return Err(self.last_words(cx, error)),
                Poll::Pending => {}
            }
        }
        Ok(wrote)
    }

    /// Reads the incoming bytes. Returns whether it read anything.
    fn read(&mut self, cx: &mut Context<'_>) -> Result<bool, Cause> {
        let (full, idle) = {
            let mut machine = self.wire.machine();
            let is_full = |reply: &Arc<Reply>| reply.is_full();
            (machine.listener().is_some_and(is_full), machine.is_idle())
        };
        if full {
            return Ok(false);
        }
        if idle && self.inbox.is_empty() && self.writing.is_empty() {
            self.read = READ;
            shrink(&mut self.inbox, READ);
            shrink(&mut self.writing, KEPT);
        }
        // The rest of a buffer is used as long as it is large enough for a read.
        let wanted = room(&self.inbox, self.read, self.limit);
        let left = self.inbox.capacity() - self.inbox.len();
        if left < LEAST || wanted > self.read {
            self.inbox.reserve(wanted);
        }
        let free = self.inbox.capacity() - self.inbox.len();
        let polled = pin!(self.stream.read_buf(&mut self.inbox)).poll(cx);
        match polled {
            Poll::Pending => return Ok(false),
            Poll::Ready(Ok(0)) => return Err(Cause::Closed),
            Poll::Ready(Ok(count)) => {
                if count == free {
                    self.read = (self.read * 2).min(READ_MOST);
                }
            }
            Poll::Ready(Err(error)) => return Err(failed(error)),
        }
        self.take_in()?;
        Ok(true)
    }

    fn take_in(&mut self) -> Result<(), Cause> {
        let received = self.wire.receive(&mut self.inbox, &mut self.news);
        self.answered += std::mem::take(&mut self.news.answered);
        received.map_err(Cause::Violation)
    }

    /// The server's last message before the stream failed.
    fn last_words(&mut self, cx: &mut Context<'_>, error: io::Error) -> Cause {
        while let Ok(true) = self.read(cx) {}
        failed(error)
    }
}

fn failed(error: io::Error) -> Cause {
    Cause::Io(Arc::new(error))
}
