use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpSocket;

/// How the operating system monitors a TCP connection. Options that are not set keep the operating
/// system's defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcpOptions {
    /// Whether a silent connection is probed. Default true.
    pub keepalive: bool,
    /// Time of silence before the first probe, in whole seconds, rounded up.
    pub keepalive_idle: Option<Duration>,
    /// Time that each probe waits for its answer, in whole seconds, rounded up.
    pub keepalive_interval: Option<Duration>,
    /// Number of probes that may stay unanswered.
    pub keepalive_count: Option<u32>,
    /// Time that sent data may stay unacknowledged.
    pub user_timeout: Option<Duration>,
}

impl Default for TcpOptions {
    fn default() -> Self {
        TcpOptions {
            keepalive: true,
            keepalive_idle: None,
            keepalive_interval: None,
            keepalive_count: None,
            user_timeout: None,
        }
    }
}

impl TcpOptions {
    /// Sets the options on a socket that is not connected yet.
    pub(crate) fn set_on(&self, socket: &TcpSocket) -> io::Result<()> {
        // Without it, a caller that only listens never notices a server that vanished.
        socket.set_keepalive(self.keepalive)?;
        let socket = SockRef::from(socket);
        if self.keepalive {
            let mut probes = TcpKeepalive::new();
            if let Some(idle) = self.keepalive_idle {
                probes = probes.with_time(whole_seconds(idle));
            }
            if let Some(interval) = self.keepalive_interval {
                probes = probes.with_interval(whole_seconds(interval));
            }
            if let Some(count) = self.keepalive_count {
                probes = probes.with_retries(count);
            }
            socket.set_tcp_keepalive(&probes)?;
        }
        #[cfg(target_os = "linux")]
        if let Some(limit) = self.user_timeout {
            socket.set_tcp_user_timeout(Some(limit))?;
        }
        Ok(())
    }
}

fn whole_seconds(duration: Duration) -> Duration {
    let part = u64::from(duration.subsec_nanos() > 0);
    Duration::from_secs(duration.as_secs().saturating_add(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operating_system_has_what_was_set() {
        let all = TcpOptions {
            keepalive: true,
            keepalive_idle: Some(Duration::from_millis(29_001)),
            keepalive_interval: Some(Duration::from_secs(5)),
            keepalive_count: Some(3),
            user_timeout: Some(Duration::from_millis(1500)),
        };
        let socket = TcpSocket::new_v4().unwrap();
        all.set_on(&socket).unwrap();
        let seen = SockRef::from(&socket);
        assert!(seen.keepalive().unwrap());
        assert_eq!(seen.tcp_keepalive_time().unwrap(), Duration::from_secs(30));
        assert_eq!(
            seen.tcp_keepalive_interval().unwrap(),
            Duration::from_secs(5)
        );
        assert_eq!(seen.tcp_keepalive_retries().unwrap(), 3);
        #[cfg(target_os = "linux")]
        assert_eq!(
            seen.tcp_user_timeout().unwrap(),
            Some(Duration::from_millis(1500))
        );
        let socket = TcpSocket::new_v4().unwrap();
        let none = TcpOptions {
            keepalive: false,
            ..all
        };
        none.set_on(&socket).unwrap();
        assert!(!SockRef::from(&socket).keepalive().unwrap());
        // Options that are not set keep the operating system's defaults.
        let (plain, usual) = (TcpSocket::new_v4().unwrap(), TcpSocket::new_v4().unwrap());
        TcpOptions::default().set_on(&plain).unwrap();
        let (plain, usual) = (SockRef::from(&plain), SockRef::from(&usual));
        assert_eq!(
            plain.tcp_keepalive_time().unwrap(),
            usual.tcp_keepalive_time().unwrap()
        );
    }
}
