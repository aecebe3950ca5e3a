use std::io;
use std::sync::Arc;

use tokio::io::AsyncReadExt;
use tokio_postgres::CancelToken;
use tokio_postgres::tls::NoTls;
use underpin_core::Endpoint;

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
    let mut stream = settings.dialer.dial(endpoint).await?;
    if encrypted {
        if ask_for_tls(&mut stream).await? != Answer::Yes {
            return Err(io::Error::other("the server no longer offers encryption"));
        }
        let tls = settings
            .tls
            .connector(endpoint, Arc::new(Link::new()), false)
            .map_err(io::Error::other)?;
        token
            .cancel_query_raw(&mut stream, tls)
            .await
            .map_err(io::Error::other)?;
    } else {
        token
            .cancel_query_raw(&mut stream, NoTls)
            .await
            .map_err(io::Error::other)?;
    }
    // The server hangs up once it has signalled the session.
    let mut rest = [0; 64];
    while let Ok(1..) = stream.read(&mut rest).await {}
    Ok(())
}
