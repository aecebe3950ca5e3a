use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use underpin_core::Endpoint;
use underpin_postgres::{Dial, Dialing, Stream};

/// A dialer whose streams can make the server refuse the next BEGIN.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spoiled(Arc<AtomicBool>);

impl Spoiled {
    pub(crate) fn spoil_next_begin(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Dial for Spoiled {
    fn dial<'a>(&'a self, endpoint: &'a Endpoint) -> Dialing<'a> {
        Box::pin(async move {
            let stream = TcpStream::connect(endpoint.to_string()).await?;
            let spoil = self.clone();
            Ok(Box::new(Spoiling { stream, spoil }) as Box<dyn Stream>)
        })
    }
}

struct Spoiling {
    stream: TcpStream,
    spoil: Spoiled,
}

impl AsyncRead for Spoiling {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Spoiling {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let mut bytes = bytes.to_vec();
        let begins = |at: &usize| bytes[*at..].starts_with(b"BEGIN");
        let begins: Vec<usize> = (0..bytes.len()).filter(begins).collect();
        if !begins.is_empty() && this.spoil.0.swap(false, Ordering::SeqCst) {
            for at in begins {
                bytes[at..at + 5].copy_from_slice(b"BEGAN");
            }
        }
        Pin::new(&mut this.stream).poll_write(cx, &bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
