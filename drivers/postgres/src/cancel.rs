use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::TryFutureExt;
use futures_util::future::MapOk;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio_postgres::CancelToken;
use tokio_postgres::tls::{ChannelBinding, NoTls, TlsConnect, TlsStream};
use underpin_core::{Endpoint, TlsNegotiation};

use crate::connector::Settings;
use crate::dial::{Answer, ask_for_tls};
use crate::link::Link;

/// Asks the server to cancel what runs on a connection, over a stream of its own that is
/// encrypted as the connection is. Returns when the server has passed the request on, so
/// that it cannot meet a later statement.
pub(crate) async fn cancel(
    settings: &Settings,
    endpoint: &Endpoint,
    token: CancelToken,
    encrypted: bool,
) -> io::Result<()> {
    // A second handle would keep it open.
    let mut stream = settings.dialer.dial(endpoint).await?.stream;
    if encrypted {
        let is_asked = settings.options.tls.negotiation == TlsNegotiation::Postgres;
        if is_asked && ask_for_tls(&mut stream).await? != Answer::Yes {
            return Err(io::Error::other("the server no longer offers encryption"));
        }
        let tls = settings
            .tls
            .connector(endpoint, Arc::new(Link::new(None)), false)
            .map_err(io::Error::other)?;
        token
            .cancel_query_raw(&mut stream, StaysOpen(tls))
            .await
            .map_err(io::Error::other)?;
    } else {
        token
            .cancel_query_raw(StaysOpen(&mut stream), NoTls)
            .await
            .map_err(io::Error::other)?;
    }
    // The server hangs up once it has signalled the session.
    let mut rest = [0; 64];
    while let Ok(1..) = stream.read(&mut rest).await {}
    Ok(())
}

/// A stream that is not closed behind what was sent, or the encryption that gives one. A
/// pooler forgets the request of a client that leaves before it has passed it on.
struct StaysOpen<S>(S);

impl<S: AsyncRead + Unpin> AsyncRead for StaysOpen<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for StaysOpen<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl<S: TlsStream + Unpin> TlsStream for StaysOpen<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.0.channel_binding()
    }
}

impl<S, T: TlsConnect<S>> TlsConnect<S> for StaysOpen<T> {
    type Stream = StaysOpen<T::Stream>;
    type Error = T::Error;
    type Future = MapOk<T::Future, fn(T::Stream) -> StaysOpen<T::Stream>>;

    fn connect(self, stream: S) -> Self::Future {
        self.0.connect(stream).map_ok(StaysOpen)
    }
}
