use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::address::{Address, run_aside};
use crate::proxy::Proxy;
use crate::secrets::random_hex;
use crate::unavailable::Unavailable;

const CREATE_TIMEOUT: Duration = Duration::from_secs(30);
const DROP_TIMEOUT: Duration = Duration::from_secs(10);

const EVICT: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";

/// A database of one test, empty at first. It is dropped with this value, even if clients are still
/// connected to it.
pub struct TestDatabase {
    address: Arc<Address>,
    name: String,
}

impl TestDatabase {
    pub(super) fn create(address: &Arc<Address>, test_name: &str, template: &str) -> Self {
        let name = unique_name(test_name);
        let created = run_aside(async {
            tokio::time::timeout(CREATE_TIMEOUT, create(address, &name, template)).await
        });
        match created {
            Ok(Ok(())) => {}
            Ok(Err(error)) => panic!("The database {name} cannot be created: {error:?}"),
            Err(_) => panic!("The database {name} was not created within {CREATE_TIMEOUT:?}."),
        }
        TestDatabase {
            address: address.clone(),
            name,
        }
    }

    /// Its name, which needs no quotes.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URL over TCP, without TLS.
    pub fn url(&self) -> String {
        self.address.url(&self.name, self.address.port)
    }

    /// Its URL over TCP with the given `sslmode`. The verifying modes also name the certificate
    /// of the server's authority; they are unavailable where that is not known.
    pub fn url_tls(&self, mode: &str) -> Result<String, Unavailable> {
        self.address.url_tls(&self.name, mode)
    }

    /// Its URL through the server's Unix socket, where that is known.
    pub fn socket_url(&self) -> Result<String, Unavailable> {
        self.address.socket_url(&self.name)
    }

    /// Its URL through a [`Proxy`] that stands before the server.
    pub fn url_through(&self, proxy: &Proxy) -> String {
        self.address.url(&self.name, proxy.port())
    }

    /// A superuser's client in this database, past any proxy. Its connection runs on the
    /// caller's runtime.
    ///
    /// # Panics
    ///
    /// When the server does not let it in.
    pub async fn client(&self) -> Client {
        self.address.client(&self.name).await
    }
}

impl fmt::Debug for TestDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TestDatabase").field(&self.name).finish()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if !self.address.up.load(Ordering::SeqCst) {
            return;
        }
        // Best effort: a database that stays behind goes with the server.
        run_aside(async {
            let _ = tokio::time::timeout(DROP_TIMEOUT, async {
                let client = self.address.try_client("postgres").await?;
                client
                    .batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name))
                    .await
            })
            .await;
        });
    }
}

async fn create(
    address: &Address,
    name: &str,
    template: &str,
) -> Result<(), tokio_postgres::Error> {
    let client = address.try_client("postgres").await?;
    let statement = format!("CREATE DATABASE {name} TEMPLATE {template}");
    loop {
        // The caller cannot have waited for its own client to leave the template, if that runs
        // on the thread which waits here.
        client.execute(EVICT, &[&template]).await?;
        match client.batch_execute(&statement).await {
            Err(error) if error.code() == Some(&SqlState::OBJECT_IN_USE) => {}
            outcome => return outcome,
        }
    }
}

/// A name that begins with the test's, needs no quotes, and fits into 63 bytes.
fn unique_name(test_name: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let readable: String = test_name
        .chars()
        .map(|c| match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9') => c,
            _ => '_',
        })
        .take(24)
        .collect();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let (process, random) = (std::process::id(), random_hex());
    format!("t_{readable}_{process:x}_{count:x}_{}", &random[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_any_length_fits_and_is_unique() {
        let long = "Einträge::werden übernommen ".repeat(9);
        let name = unique_name(&long);
        assert!(name.starts_with("t_eintr_ge__werden__bernom"), "{name}");
        assert!(name.len() <= 63);
        assert_ne!(name, unique_name(&long));
    }
}
