use std::net::{IpAddr, Ipv6Addr};

use underpin_core::{AddressForm, Endpoint, Engine};

/// Where the path of a file leads.
pub(crate) fn file_endpoint(path: &str) -> Endpoint {
    match path {
        ":memory:" => Endpoint::memory(),
        path => Endpoint::file(path),
    }
}

/// Hosts in the order in which they were named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hosts(pub(crate) Vec<Host>);

/// A host's name, its address, or the directory of a Unix socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) name: String,
    /// The port written with this host, if any.
    pub(crate) port: Option<u16>,
}

/// Ports in the order of their hosts; one alone is for all hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ports(pub(crate) Vec<Option<u16>>);

/// Addresses in the order of their hosts; none for a host that is looked up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Addresses(pub(crate) Vec<Option<IpAddr>>);

impl Addresses {
    /// Reads `10.0.0.1`, or `10.0.0.1,,fd00::3` where the second host is looked up.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let address = |text: &str| match text.trim() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| {
                "is not a list of IP addresses; write host names into `host`".to_owned()
            }),
        };
        let addresses: Vec<_> = text.split(',').map(address).collect::<Result<_, _>>()?;
        Ok(Addresses(addresses))
    }

    pub(crate) fn show(&self) -> String {
        let shown = |address: &Option<IpAddr>| address.map_or_else(String::new, |a| a.to_string());
        match self.0.is_empty() {
            true => "none".to_owned(),
            false => self.0.iter().map(shown).collect::<Vec<_>>().join(","),
        }
    }
}

impl Hosts {
    /// Reads `h1:5433,h2,[::1]:5434,/run/postgresql`.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        text.split(',')
            .map(|host| Host::read(host.trim()))
            .collect::<Result<_, _>>()
            .map(Hosts)
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        if self.0.is_empty() {
            return Err("names no host".into());
        }
        self.0.iter().try_for_each(Host::check)
    }

    pub(crate) fn show(&self) -> String {
        let names: Vec<_> = self.0.iter().map(|host| host.name.as_str()).collect();
        names.join(",")
    }

    /// One endpoint for each host.
    pub(crate) fn endpoints(&self, ports: &Ports, engine: Engine) -> Result<Vec<Endpoint>, String> {
        let count = ports.0.len();
        if count > 1 && count != self.0.len() {
            return Err(format!("has {count} ports for {} hosts", self.0.len()));
        }
        let default = match engine.info().address {
            AddressForm::Server { port, .. } => port,
            AddressForm::File | AddressForm::DataSource => 0,
        };
        let endpoint = |(index, host): (usize, &Host)| {
            let listed = if count == 1 {
                ports.0[0]
            } else {
                ports.0.get(index).copied().flatten()
            };
            let port = host.port.or(listed).unwrap_or(default);
            match host.is_socket() {
                true => Endpoint::unix(&host.name, port),
                false => Endpoint::tcp(&host.name, port),
            }
        };
        Ok(self.0.iter().enumerate().map(endpoint).collect())
    }
}

impl Host {
    fn read(text: &str) -> Result<Self, String> {
        if text.starts_with('/') || text.parse::<Ipv6Addr>().is_ok() {
            return Ok(Host {
                name: text.to_owned(),
                port: None,
            });
        }
        let (name, port) = Host::split(text)?;
        let host = Host {
            name: name.to_owned(),
            port: port.map(read_port).transpose()?,
        };
        host.check()?;
        Ok(host)
    }

    /// The name and what follows its colon.
    pub(crate) fn split(text: &str) -> Result<(&str, Option<&str>), String> {
        let (name, rest) = match text.strip_prefix('[') {
            Some(rest) => rest.split_once(']').ok_or("has a [ without a matching ]")?,
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        match rest.strip_prefix(':') {
            Some("") => Ok((name, None)),
            Some(port) => Ok((name, Some(port))),
            None if rest.is_empty() => Ok((name, None)),
            None => Err("has something other than a port after the ]".into()),
        }
    }

    pub(crate) fn is_socket(&self) -> bool {
        self.name.starts_with('/')
    }

    fn check(&self) -> Result<(), String> {
        let odd = |c: char| c.is_whitespace() || c.is_control() || "/@?#,[]".contains(c);
        if self.name.is_empty() {
            Err("has an empty host name".into())
        } else if !self.is_socket() && self.name.contains(odd) {
            Err("is not a host name".into())
        } else if self.port == Some(0) {
            Err("has the port 0".into())
        } else {
            Ok(())
        }
    }
}

impl Ports {
    /// Reads `5432`, or `5433,,5434` where the second host has the usual port.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let port = |text: &str| match text.trim() {
            "" => Ok(None),
            text => read_port(text).map(Some),
        };
        match text.trim() {
            "" => Err("is empty".into()),
            text => text
                .split(',')
                .map(port)
                .collect::<Result<_, _>>()
                .map(Ports),
        }
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        match self.0.contains(&Some(0)) {
            true => Err("is not a port; ports are 1 to 65535".into()),
            false => Ok(()),
        }
    }
}

pub(crate) fn read_port(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(port) if port > 0 && text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(port),
        _ => Err("is not a port; ports are 1 to 65535".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_hosts_and_pairs_them_with_ports() {
        let cases = [
            ("h1:5433,h2,[::1]:5434", "", "h1:5433 h2:5432 [::1]:5434"),
            ("h1,h2", "6000", "h1:6000 h2:6000"),
            ("h1,h2:7000", "6000,6001", "h1:6000 h2:7000"),
            ("h1,h2,h3", "1,,3", "h1:1 h2:5432 h3:3"),
            ("::1", "6000", "[::1]:6000"),
            ("/run/pg, h2", "", "/run/pg/.s.PGSQL.5432 h2:5432"),
        ];
        for (hosts, ports, expected) in cases {
            let ports = if ports.is_empty() {
                Ports(vec![])
            } else {
                Ports::read(ports).unwrap()
            };
            let endpoints = Hosts::read(hosts)
                .unwrap()
                .endpoints(&ports, Engine::POSTGRES)
                .unwrap();
            let shown: Vec<_> = endpoints.iter().map(ToString::to_string).collect();
            assert_eq!(shown.join(" "), expected);
        }
        let two = Ports::read("1,2").unwrap();
        assert!(
            Hosts::read("a,b,c")
                .unwrap()
                .endpoints(&two, Engine::POSTGRES)
                .is_err()
        );
        for bad in [
            "", "a,,b", "a b", "[::1", "[::1]x", "h:0", "h:65536", "h:+5", "h:x", "u@h",
        ] {
            assert!(Hosts::read(bad).is_err(), "{bad}");
        }
    }
}
