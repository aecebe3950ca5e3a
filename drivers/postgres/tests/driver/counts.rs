use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use underpin_core::Endpoint;
use underpin_postgres::{Dial, Dialing, Stream};

/// A dialer that counts what goes over its streams.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    /// How often this side spoke after the other had.
    pub(crate) turns: Arc<AtomicUsize>,
    /// The bytes that came in.
    pub(crate) received: Arc<AtomicUsize>,
    heard: Arc<AtomicBool>,
}

impl Dial for Counts {
    fn dial<'a>(&'a self, endpoint: &'a Endpoint) -> Dialing<'a> {
        Box::pin(async move {
            let stream = TcpStream::connect(endpoint.to_string()).await?;
            let counts = self.clone();
            Ok(Box::new(Counted { stream, counts }) as Box<dyn Stream>)
        })
    }
}

struct Counted {
    stream: TcpStream,
    counts: Counts,
}

impl AsyncRead for Counted {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buffer);
        let count = buffer.filled().len() - before;
        this.counts.received.fetch_add(count, Ordering::SeqCst);
        if polled.is_ready() {
            this.counts.heard.store(true, Ordering::SeqCst);
        }
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.counts.heard.swap(false, Ordering::SeqCst) {
            this.counts.turns.fetch_add(1, Ordering::SeqCst);
        }
        Pin::new(&mut this.stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
