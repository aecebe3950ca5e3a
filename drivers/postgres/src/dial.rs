use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UnixStream, lookup_host};
use underpin_core::{Address, Endpoint};

use crate::socket::Socket;
use crate::tcp::TcpOptions;
use crate::wire::put::SSL_REQUEST;

/// A bidirectional stream of bytes.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Return type of [`Dial::dial`].
pub type Dialing<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send + 'a>>;

/// A way to open the byte stream to an endpoint: a tunnel, a proxy, or a test's own. Encryption, if
/// any, runs on top of it.
pub trait Dial: Debug + Send + Sync + 'static {
    /// Opens a stream to `endpoint`. It is used for connections and for requests to
    /// cancel a statement.
    ///
    /// The reason why no stream could be opened; the message becomes part of the error that the
    /// caller of `connect` gets.
    ///
    /// # Cancel safety
    /// If the future is dropped, it must close the stream that it has opened.
    fn dial<'a>(&'a self, endpoint: &'a Endpoint) -> Dialing<'a>;
}

/// The opener of streams.
#[derive(Debug, Clone)]
pub(crate) enum Dialer {
    /// The operating system.
    System(Arc<TcpOptions>),
    /// The caller's own.
    Given(Arc<dyn Dial>),
}

/// An open stream, and its socket if that is known.
pub(crate) struct Dialed {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) socket: Option<Socket>,
}

impl Dialed {
    fn new(stream: impl Stream + AsFd + 'static) -> Self {
        Dialed {
            socket: Socket::of(&stream),
            stream: Box::new(stream),
        }
    }
}

impl Dialer {
    pub(crate) async fn dial(&self, endpoint: &Endpoint) -> io::Result<Dialed> {
        let options = match self {
            Dialer::System(options) => options,
            Dialer::Given(dial) => {
                let stream = dial.dial(endpoint).await?;
                return Ok(Dialed {
                    stream,
                    socket: None,
                });
            }
        };
        match &endpoint.address {
            Address::Tcp { host, port, ip } => {
                Ok(Dialed::new(dial_tcp(host, *ip, *port, options).await?))
            }
            Address::Unix { .. } => Ok(Dialed::new(
                UnixStream::connect(endpoint.to_string()).await?,
            )),
            _ => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "PostgreSQL is reached by TCP or a Unix socket",
            )),
        }
    }
}

pub(crate) async fn dial_tcp(
    host: &str,
    address: Option<IpAddr>,
    port: u16,
    options: &TcpOptions,
) -> io::Result<TcpStream> {
    let addresses: Vec<SocketAddr> = match address {
        Some(address) => vec![SocketAddr::new(address, port)],
        // An error with a kind of its own, to distinguish it from a refused connection.
        None => lookup_host((host, port))
            .await
            .map_err(|error| io::Error::new(io::ErrorKind::NotFound, error))?
            .collect(),
    };
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        }?;
        options.set_on(&socket)?;
        match socket.connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The server's answer to a request to encrypt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    No,
    /// It failed before it understood the request; a plain connection may show the reason.
    Error,
    /// It is not a PostgreSQL server.
    Alien,
}

/// Asks the server to encrypt, as the first message on a stream.
pub(crate) async fn ask_for_tls(stream: &mut (impl Stream + ?Sized)) -> io::Result<Answer> {
    stream.write_all(&SSL_REQUEST).await?;
    stream.flush().await?;
    // Not a byte more than the answer: the bytes that follow are encrypted, or an attack.
    Ok(match stream.read_u8().await? {
        b'S' => Answer::Yes,
        b'N' => Answer::No,
        b'E' => Answer::Error,
        _ => Answer::Alien,
    })
}
