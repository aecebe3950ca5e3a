use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::frame::READ;
use super::startup::{Begun, Fault, Startup};
use crate::dial::Stream;

/// The reason why a session did not begin.
pub(crate) struct Failed {
    /// The fault in the conversation, or the end of the stream.
    pub(crate) fault: Result<Fault, io::Error>,
    /// Whether the other side is known to speak the protocol.
    pub(crate) understood: bool,
}

/// Begins a session on a stream. Returns its properties, and the bytes that were read beyond the
/// login.
pub(crate) async fn log_in(
    stream: &mut impl Stream,
    startup: &mut Startup,
) -> Result<(Begun, BytesMut), Failed> {
    let (mut inbox, mut out) = (BytesMut::with_capacity(READ), BytesMut::new());
    let begun = match startup.introduce(&mut out) {
        Ok(()) => converse(stream, startup, &mut inbox, &mut out).await,
        Err(fault) => Err(Ok(fault)),
    };
    match begun {
        Ok(begun) => Ok((begun, inbox)),
        Err(fault) => Err(Failed {
            fault,
            understood: startup.is_understood(),
        }),
    }
}

async fn converse(
    stream: &mut impl Stream,
    startup: &mut Startup,
    inbox: &mut BytesMut,
    out: &mut BytesMut,
) -> Result<Begun, Result<Fault, io::Error>> {
    loop {
        if !out.is_empty() {
            stream.write_all(out).await.map_err(Err)?;
            stream.flush().await.map_err(Err)?;
            out.clear();
        }
        inbox.reserve(READ);
        if stream.read_buf(inbox).await.map_err(Err)? == 0 {
            let why = "it was closed";
            return Err(Err(io::Error::new(io::ErrorKind::UnexpectedEof, why)));
        }
        if let Some(begun) = startup.receive(inbox, out).map_err(Ok)? {
            return Ok(begun);
        }
    }
}
