use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use tokio::net::TcpSocket;

use crate::secrets::random_hex;

/// Below the range from which systems take the port of an outgoing connection. A server that is
/// stopped and comes back must find its port free.
const PORTS: Range<u16> = 20_000..32_000;

/// Sockets that hold a port without listening on it, for the life of the process.
static HELD: Mutex<Vec<TcpSocket>> = Mutex::new(Vec::new());

/// A loopback port on which nothing listens and, while this process lives, nothing will: a
/// connection to it is refused.
///
/// # Panics
///
/// When the machine has no free port.
pub fn closed_port() -> u16 {
    for port in candidates() {
        let Ok(socket) = TcpSocket::new_v4() else {
            continue;
        };
        if socket.bind(loopback(port)).is_ok() {
            HELD.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(socket);
            return port;
        }
    }
    panic!("This machine has no free loopback port.");
}

/// A loopback port that is free now, for a server that is about to listen on it.
pub(crate) fn free_port() -> u16 {
    candidates()
        .find(|port| TcpListener::bind(loopback(*port)).is_ok())
        .expect("This machine has no free loopback port.")
}

pub(crate) fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// A thousand ports, starting anywhere, so that parallel tests seldom try the same one.
fn candidates() -> impl Iterator<Item = u16> {
    let start = u64::from_str_radix(&random_hex(), 16).unwrap_or(0);
    (0..1000).map(move |step| {
        let span = u64::from(PORTS.end - PORTS.start);
        PORTS.start + (start.wrapping_add(step * 7) % span) as u16
    })
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn a_closed_port_refuses_and_stays_taken() {
        let port = closed_port();
        let error = TcpStream::connect(loopback(port)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert!(TcpListener::bind(loopback(port)).is_err());
    }
}
