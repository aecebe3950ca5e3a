use std::borrow::Cow;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Looks at what goes over a stream, and may change what is written.
pub trait Watch: Unpin {
    /// What to write in place of these bytes, as many of them.
    fn replace<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        Cow::Borrowed(bytes)
    }

    /// These bytes were written.
    fn wrote(&self, bytes: &[u8]) {
        let _ = bytes;
    }

    /// So many bytes were read; 0 at the end.
    fn read(&self, count: usize) {
        let _ = count;
    }
}

/// A stream that is watched.
#[derive(Debug)]
pub struct Watched<W> {
    stream: TcpStream,
    watch: W,
}

impl<W: Watch> Watched<W> {
    /// Watches this stream.
    pub fn new(stream: TcpStream, watch: W) -> Self {
        Watched { stream, watch }
    }
}

impl<W: Watch> AsyncRead for Watched<W> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if polled.is_ready() {
            this.watch.read(buffer.filled().len() - before);
        }
        polled
    }
}

impl<W: Watch> AsyncWrite for Watched<W> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let bytes = this.watch.replace(bytes);
        let polled = Pin::new(&mut this.stream).poll_write(cx, &bytes);
        if let Poll::Ready(Ok(count)) = polled {
            this.watch.wrote(&bytes[..count]);
        }
        polled
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
