use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::join::{Join, Standing};

/// A stream to the server, on which requests are [joined](Join).
#[derive(Debug)]
pub(crate) struct Joined<S> {
    pub(crate) stream: S,
    join: Join,
    /// Room for what is read while answers have to be looked at.
    room: Box<[u8]>,
}

const ROOM: usize = 16 * 1024;

impl<S> Joined<S> {
    pub(crate) fn new(stream: S) -> Self {
        Joined {
            stream,
            join: Join::new(),
            room: Box::default(),
        }
    }

    /// Whether what is written has to be looked at, whatever the caller knows.
    #[inline]
    pub(crate) fn holds_begin(&self) -> bool {
        self.join.holds_begin()
    }

    /// How many BEGINs were found that are to be joined.
    #[inline]
    pub(crate) fn begins(&self) -> u64 {
        self.join.begins()
    }

    /// Takes all of the bytes where something in them can be joined, and says whether it did.
    /// All that was taken before is written by then.
    pub(crate) fn join(&mut self, bytes: &[u8], standing: &Standing<'_>) -> bool {
        self.join.plan(bytes, standing)
    }

    /// Notes requests that were written as they are.
    #[inline]
    pub(crate) fn passed(&mut self, requests: u64) {
        self.join.passed(requests);
    }
}

impl<S: AsyncWrite + Unpin> Joined<S> {
    /// Ready once all that was taken is written.
    pub(crate) fn poll_written(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.join.to_write().is_empty() {
            let stream = Pin::new(&mut self.stream);
            match ready!(stream.poll_write(cx, self.join.to_write()))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.join.wrote(count),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Joined<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.join.is_active() {
            return Pin::new(&mut this.stream).poll_read(cx, buffer);
        }
        if this.room.is_empty() {
            this.room = vec![0; ROOM].into_boxed_slice();
        }
        while this.join.to_read().is_empty() {
            let mut room = ReadBuf::new(&mut this.room);
            ready!(Pin::new(&mut this.stream).poll_read(cx, &mut room))?;
            if room.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.join.take(room.filled());
        }
        let held = this.join.to_read();
        let count = held.len().min(buffer.remaining());
        buffer.put_slice(&held[..count]);
        this.join.gave(count);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Joined<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_written(cx))?;
        Pin::new(&mut this.stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_written(cx))?;
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_written(cx))?;
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}
