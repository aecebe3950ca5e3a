use std::io::ErrorKind;
use std::net::TcpStream;
use std::os::fd::AsFd;

/// A second handle to a connection's socket, for examining it while another task reads it. The
/// other side learns that the connection is closed only when this is dropped too.
#[derive(Debug)]
pub(crate) struct Socket(TcpStream);

impl Socket {
    /// Creates a handle for this nonblocking stream socket. `None` if the system has no handle
    /// available: a connection can do without.
    pub(crate) fn of(stream: &impl AsFd) -> Option<Self> {
        let handle = stream.as_fd().try_clone_to_owned().ok()?;
        // Also for a Unix socket: examining both works the same way, and the type is named after
        // TCP only.
        Some(Socket(TcpStream::from(handle)))
    }

    /// Whether the other side has ended the connection, as far as this system knows now, when no
    /// answer is outstanding.
    pub(crate) fn has_hung_up(&self, encrypted: bool) -> bool {
        let mut next = [0];
        match self.0.peek(&mut next) {
            Ok(0) => true,
            // Settings, notices and notifications may arrive at any time. An error outside a
            // statement is the server's last message; encryption hides the kind of a message.
            Ok(_) => encrypted || next[0] == b'E',
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn an_end_is_seen_and_what_may_come_at_any_time_is_none() {
        let pair = || {
            let (near, far) = UnixStream::pair().unwrap();
            near.set_nonblocking(true).unwrap();
            (Socket::of(&near).unwrap(), near, far)
        };
        let (socket, _near, far) = pair();
        assert!(!socket.has_hung_up(false));
        drop(far);
        assert!(socket.has_hung_up(false));

        for (byte, plain) in [(b'S', false), (b'N', false), (b'A', false), (b'E', true)] {
            let (socket, _near, mut far) = pair();
            far.write_all(&[byte]).unwrap();
            assert_eq!(socket.has_hung_up(false), plain, "{}", byte as char);
            assert!(socket.has_hung_up(true));
        }
    }
}
