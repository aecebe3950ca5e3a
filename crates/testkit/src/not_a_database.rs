use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// A port on which something listens that is not a database: what a wrong port in a configuration
/// usually reaches.
#[derive(Debug)]
pub struct NotADatabase {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stopped: AtomicBool,
    accepted: AtomicUsize,
    open: Mutex<Vec<TcpStream>>,
}

#[derive(Clone, Copy)]
enum Manner {
    Greet(&'static [u8]),
    Reply(&'static [u8]),
    Close,
    Silence,
}

impl NotADatabase {
    /// A web server: it answers the first bytes that it gets with `400 Bad Request`, and closes.
    pub fn http() -> Self {
        Self::start(Manner::Reply(
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        ))
    }

    /// An SSH server: it speaks first, and keeps the connection open.
    pub fn ssh() -> Self {
        Self::start(Manner::Greet(b"SSH-2.0-OpenSSH_9.2p1\r\n"))
    }

    /// A server that accepts a connection and closes it silently.
    pub fn closing() -> Self {
        Self::start(Manner::Close)
    }

    /// A server that accepts connections and never answers.
    pub fn silent() -> Self {
        Self::start(Manner::Silence)
    }

    /// Where it listens, on loopback.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port on which it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections it has accepted so far.
    pub fn connections(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .expect("A listener for a test must find a free loopback port.");
        let address = listener
            .local_addr()
            .expect("A bound listener has an address.");
        let shared = Arc::new(Shared::default());
        let thread = std::thread::spawn({
            let shared = shared.clone();
            move || serve(&listener, manner, &shared)
        });
        NotADatabase {
            address,
            shared,
            thread: Some(thread),
        }
    }
}

fn serve(listener: &TcpListener, manner: Manner, shared: &Shared) {
    for stream in listener.incoming() {
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        let Ok(mut stream) = stream else { continue };
        shared.accepted.fetch_add(1, Ordering::SeqCst);
        match manner {
            Manner::Close => continue,
            Manner::Reply(answer) => {
                std::thread::spawn(move || {
                    let mut request = [0; 1024];
                    if matches!(stream.read(&mut request), Ok(1..)) {
                        let _ = stream.write_all(answer);
                    }
                });
                continue;
            }
            Manner::Greet(banner) => {
                let _ = stream.write_all(banner);
            }
            Manner::Silence => {}
        }
        shared
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(stream);
    }
}

impl Drop for NotADatabase {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread out of its accept; it then sees that it is to stop.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn say_hello(server: &NotADatabase) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(server.address())?;
        stream.set_read_timeout(Some(Duration::from_millis(200)))?;
        stream.write_all(b"hello")?;
        let mut answer = [0; 256];
        let read = stream.read(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer[..read]).into_owned())
    }

    #[test]
    fn a_web_server_answers_in_its_own_language() {
        let server = NotADatabase::http();
        assert!(say_hello(&server).unwrap().starts_with("HTTP/1.1 400"));
        assert_eq!(server.connections(), 1);
    }

    #[test]
    fn an_ssh_server_speaks_first() {
        assert!(say_hello(&NotADatabase::ssh()).unwrap().starts_with("SSH-"));
    }

    #[test]
    fn a_closing_server_says_nothing() {
        assert!(
            say_hello(&NotADatabase::closing())
                .unwrap_or_default()
                .is_empty()
        );
    }

    #[test]
    fn a_silent_server_lets_its_caller_wait() {
        let error = say_hello(&NotADatabase::silent()).unwrap_err();
        assert!(matches!(
            error.kind(),
            std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
        ));
    }
}
