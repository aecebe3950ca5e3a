use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::Postgres;
use super::address::{Address, run_aside};
use crate::secrets;
use crate::unavailable::Unavailable;

/// More than all tests of a run hold at once.
const MAX_CONNECTIONS: u32 = 400;

pub(super) fn shared() -> Result<&'static Postgres, Unavailable> {
    static SHARED: OnceLock<Result<Postgres, Unavailable>> = OnceLock::new();
    SHARED
        .get_or_init(|| match std::env::var("UNDERPIN_TEST_POSTGRES_URL").ok() {
            Some(url) if !url.is_empty() => Ok(named(&url)),
            _ => Postgres::builder()
                .setting("max_connections", MAX_CONNECTIONS)
                .start(),
        })
        .as_ref()
        .map_err(Clone::clone)
}

/// The server that a URL names, once it has answered.
fn named(url: &str) -> Postgres {
    // Errors here do not show the URL, since there is a password in it.
    let config: Config = url
        .parse()
        .unwrap_or_else(|error| panic!("UNDERPIN_TEST_POSTGRES_URL cannot be read: {error}."));
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(host)) => host.clone(),
        _ => panic!("UNDERPIN_TEST_POSTGRES_URL must name a host."),
    };
    let password = String::from_utf8_lossy(config.get_password().unwrap_or_default()).into_owned();
    if password.len() >= secrets::MIN_LEN {
        secrets::register(&password);
    }
    let path = |variable| std::env::var_os(variable).map(PathBuf::from);
    let address = Address {
        host,
        port: config.get_ports().first().copied().unwrap_or(5432),
        user: config.get_user().unwrap_or("postgres").to_owned(),
        password,
        socket_directory: path("UNDERPIN_TEST_POSTGRES_SOCKET_DIR"),
        ca_certificate: path("UNDERPIN_TEST_POSTGRES_CA"),
        up: AtomicBool::new(true),
    };
    if let Err(error) = run_aside(address.try_client("postgres")).map(drop) {
        panic!("The server of UNDERPIN_TEST_POSTGRES_URL refused the connection: {error}.");
    }
    Postgres {
        address: address.into(),
        keeper: None,
    }
}
