//! Where servers are, as the name service has it.

use std::net::{IpAddr, SocketAddr};

use tokio::net::lookup_host;
use underpin_core::{Address, Class, Endpoint, Error, Result};

/// The endpoints, with each host whose name has several addresses once for each of them. A host that
/// cannot be looked up stays as it is.
///
/// Only addresses of one family count, that of the first: a host with one address of each is one
/// server.
///
/// # Errors
/// `Class::Connect` where no host could be looked up.
///
/// # Cancel safety
/// Safe.
pub async fn resolve(endpoints: &[Endpoint]) -> Result<Vec<Endpoint>> {
    let mut resolved = Vec::new();
    let mut failures = Vec::new();
    for endpoint in endpoints {
        let Address::Tcp {
            host,
            port,
            ip: None,
        } = &endpoint.address
        else {
            resolved.push(endpoint.clone());
            continue;
        };
        match lookup_host((host.as_str(), *port)).await {
            Ok(found) => resolved.extend(each(endpoint, found)),
            Err(error) => {
                resolved.push(endpoint.clone());
                failures.push((endpoint, error));
            }
        }
    }
    if failures.len() < endpoints.len() {
        return Ok(resolved);
    }
    let all = failures.iter().map(|(of, error)| format!("{of} ({error})"));
    Err(Error::new(
        Class::Connect,
        format!(
            "The addresses of the hosts cannot be looked up: {}.",
            all.collect::<Vec<_>>().join(", ")
        ),
    ))
}

/// The endpoint once for each of several addresses of its host, in an order that does not depend on
/// that of the answer.
fn each(endpoint: &Endpoint, found: impl Iterator<Item = SocketAddr>) -> Vec<Endpoint> {
    let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
    if let Some(first) = addresses.first().copied() {
        addresses.retain(|address| address.is_ipv4() == first.is_ipv4());
    }
    addresses.sort_unstable();
    addresses.dedup();
    match addresses.len() {
        0 | 1 => vec![endpoint.clone()],
        _ => {
            let at = |address| endpoint.clone().at(address);
            addresses.into_iter().map(at).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(addresses: &[&str]) -> Vec<String> {
        let found = addresses
            .iter()
            .map(|ip| SocketAddr::new(ip.parse().unwrap(), 5432));
        let endpoints = each(&Endpoint::tcp("db", 5432), found);
        endpoints.iter().map(Endpoint::to_string).collect()
    }

    #[test]
    fn each_address_of_one_family_is_an_endpoint() {
        assert_eq!(of(&[]), ["db:5432"]);
        assert_eq!(of(&["10.0.0.1"]), ["db:5432"]);
        assert_eq!(of(&["fd00::1", "10.0.0.1"]), ["db:5432"]);
        let two = ["db:5432 (10.0.0.1)", "db:5432 (10.0.0.2)"];
        assert_eq!(of(&["10.0.0.2", "10.0.0.1"]), two);
        assert_eq!(of(&["10.0.0.1", "fd00::1", "10.0.0.2", "10.0.0.1"]), two);
        assert_eq!(
            of(&["fd00::2", "fd00::1", "10.0.0.1"]),
            ["db:5432 (fd00::1)", "db:5432 (fd00::2)"]
        );
    }

    #[tokio::test]
    async fn what_needs_no_lookup_stays_and_a_name_without_addresses_is_an_error_if_it_is_alone() {
        let given = [
            Endpoint::unix("/run/pg", 5432),
            Endpoint::tcp("127.0.0.1", 1),
            Endpoint::tcp("db", 1).at([10, 0, 0, 1].into()),
        ];
        assert_eq!(resolve(&given).await.unwrap(), given);
        let unknown = Endpoint::tcp("no-such-host.invalid", 1);
        let error = resolve(std::slice::from_ref(&unknown)).await.unwrap_err();
        assert_eq!(error.class(), Class::Connect);
        assert!(
            error.message().contains("no-such-host.invalid:1"),
            "{error}"
        );
        let beside = [unknown, Endpoint::tcp("127.0.0.1", 1)];
        assert_eq!(resolve(&beside).await.unwrap(), beside);
    }
}
