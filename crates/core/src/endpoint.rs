use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

/// One place to connect to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Its address.
    pub address: Address,
}

/// The address of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// A host name or address and a TCP port.
    Tcp {
        /// The host's name or its address, without brackets.
        host: String,
        /// The port.
        port: u16,
        /// The address to connect to instead of looking the host's name up. `None`: it is looked up.
        ip: Option<IpAddr>,
    },
    /// The directory of a Unix socket, with the port that is part of the socket's name.
    Unix {
        /// The directory.
        directory: PathBuf,
        /// The port in the socket's name.
        port: u16,
    },
    /// A database file.
    File(PathBuf),
    /// A database in this process's memory.
    Memory,
    /// A data source of ODBC, by its name.
    DataSource(String),
}

/// The use of an endpoint, as its server reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Takes writes.
    Primary,
    /// Reads only.
    Replica,
}

impl Address {
    /// Whether it is a database in memory, with one connection or under a name that several handles
    /// share.
    pub fn is_memory(&self) -> bool {
        match self {
            Address::Memory => true,
            Address::File(path) => path
                .to_str()
                .is_some_and(|path| path.starts_with("file:") && path.contains("mode=memory")),
            _ => false,
        }
    }
}

impl Endpoint {
    /// An endpoint on the network.
    pub fn tcp(host: impl Into<String>, port: u16) -> Self {
        Endpoint {
            address: Address::Tcp {
                host: host.into(),
                port,
                ip: None,
            },
        }
    }

    /// The same endpoint, reached at this address of its host. What has no host stays as it is.
    #[must_use]
    pub fn at(mut self, address: IpAddr) -> Self {
        if let Address::Tcp { ip, .. } = &mut self.address {
            *ip = Some(address);
        }
        self
    }

    /// An endpoint behind a Unix socket.
    pub fn unix(directory: impl Into<PathBuf>, port: u16) -> Self {
        Endpoint {
            address: Address::Unix {
                directory: directory.into(),
                port,
            },
        }
    }

    /// A database file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Endpoint {
            address: Address::File(path.into()),
        }
    }

    /// A database in memory.
    pub fn memory() -> Self {
        Endpoint {
            address: Address::Memory,
        }
    }

    /// A data source of ODBC.
    pub fn data_source(name: impl Into<String>) -> Self {
        Endpoint {
            address: Address::DataSource(name.into()),
        }
    }

    /// Whether data sent there never leaves this machine.
    pub fn is_local(&self) -> bool {
        match &self.address {
            Address::Tcp { host, .. } => {
                host.eq_ignore_ascii_case("localhost")
                    || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
            }
            Address::Unix { .. } | Address::File(_) | Address::Memory => true,
            // Only the driver knows.
            Address::DataSource(_) => false,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Tcp { host, port, ip } => {
                match host.contains(':') {
                    true => write!(f, "[{host}]:{port}")?,
                    false => write!(f, "{host}:{port}")?,
                }
                match ip {
                    Some(ip) if host.parse() != Ok(*ip) => write!(f, " ({ip})"),
                    _ => Ok(()),
                }
            }
            Address::Unix { directory, port } => {
                write!(f, "{}/.s.PGSQL.{port}", directory.display())
            }
            Address::File(path) => write!(f, "{}", path.display()),
            Address::Memory => f.write_str(":memory:"),
            Address::DataSource(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Primary => "primary",
            Role::Replica => "replica",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_it_is_and_whether_that_is_here() {
        let cases = [
            (Endpoint::tcp("db1", 5432), "db1:5432", false),
            (Endpoint::tcp("::1", 5432), "[::1]:5432", true),
            (
                Endpoint::tcp("db1", 5432).at([10, 0, 0, 1].into()),
                "db1:5432 (10.0.0.1)",
                false,
            ),
            (
                Endpoint::tcp("10.0.0.1", 5432).at([10, 0, 0, 1].into()),
                "10.0.0.1:5432",
                false,
            ),
            (Endpoint::tcp("127.0.0.9", 1), "127.0.0.9:1", true),
            (Endpoint::tcp("LocalHost", 1), "LocalHost:1", true),
            (
                Endpoint::unix("/run/pg", 5433),
                "/run/pg/.s.PGSQL.5433",
                true,
            ),
            (Endpoint::file("a.db"), "a.db", true),
            (Endpoint::memory(), ":memory:", true),
            (Endpoint::data_source("shop"), "shop", false),
        ];
        for (endpoint, text, local) in cases {
            assert_eq!(endpoint.to_string(), text);
            assert_eq!(endpoint.is_local(), local, "{text}");
        }
    }
}
