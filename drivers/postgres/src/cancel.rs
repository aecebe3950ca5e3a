use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use underpin_core::{Endpoint, TlsNegotiation};

use crate::connector::Settings;
use crate::dial::{Answer, Stream, ask_for_tls};
use crate::wire::put;
use crate::wire::shared::Wire;

/// Asks the server to cancel the statement that runs on a connection, over a stream of its own that
/// is encrypted like the connection. Returns when the server has passed the request on, so that the
/// request cannot meet a later statement.
pub(crate) async fn cancel(
    settings: &Settings,
    endpoint: &Endpoint,
    wire: &Wire,
    encrypted: bool,
) -> io::Result<()> {
    let request = put::cancel(wire.process, &wire.secret);
    // A second handle would keep the stream open.
    let mut stream = settings.dialer.dial(endpoint).await?.stream;
    if !encrypted {
        return ask(stream, &request).await;
    }
    let is_asked = settings.options.tls.negotiation == TlsNegotiation::Postgres;
    if is_asked && ask_for_tls(&mut stream).await? != Answer::Yes {
        return Err(io::Error::other("the server no longer offers encryption"));
    }
    let encrypted = settings.tls.encrypt(endpoint, stream).await;
    let (stream, _) = encrypted.map_err(io::Error::other)?;
    ask(stream, &request).await
}

/// The stream stays open until the server closes it: a pooler forgets the request of a client
/// that leaves before it has passed it on.
async fn ask(mut stream: impl Stream, request: &[u8]) -> io::Result<()> {
    stream.write_all(request).await?;
    stream.flush().await?;
    // The server hangs up once it has signaled the session.
    let mut rest = [0; 64];
    while let Ok(1..) = stream.read(&mut rest).await {}
    Ok(())
}
