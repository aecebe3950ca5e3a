use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio_postgres::{Client, Config, NoTls};

use crate::unavailable::Unavailable;

/// What a URL may hold as it is.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// How a server is reached, and whether there is a point in trying.
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) socket_directory: Option<PathBuf>,
    pub(crate) ca_certificate: Option<PathBuf>,
    pub(crate) up: AtomicBool,
}

impl Address {
    pub(crate) fn socket_directory(&self) -> Result<&Path, Unavailable> {
        self.socket_directory.as_deref().ok_or_else(|| {
            Unavailable::new(
                "The Unix socket of the given server is not known; \
                 UNDERPIN_TEST_POSTGRES_SOCKET_DIR names its directory.",
            )
        })
    }

    pub(crate) fn ca_certificate(&self) -> Result<&Path, Unavailable> {
        self.ca_certificate.as_deref().ok_or_else(|| {
            Unavailable::new(
                "The certificate authority of the given server is not known; \
                 UNDERPIN_TEST_POSTGRES_CA names its certificate.",
            )
        })
    }

    pub(crate) fn url(&self, database: &str, port: u16) -> String {
        let host = &self.host;
        format!(
            "{}@{host}:{port}/{}?sslmode=disable",
            self.scheme_and_credentials(),
            encode(database)
        )
    }

    pub(crate) fn url_tls(&self, database: &str, mode: &str) -> Result<String, Unavailable> {
        let mut url = format!(
            "{}@{}:{}/{}?sslmode={mode}",
            self.scheme_and_credentials(),
            self.host,
            self.port,
            encode(database),
        );
        // With a root certificate libpq takes `require` for `verify-ca`.
        if mode.starts_with("verify-") {
            let ca = self.ca_certificate()?;
            let _ = write!(url, "&sslrootcert={}", encode(&ca.to_string_lossy()));
        }
        Ok(url)
    }

    pub(crate) fn socket_url(&self, database: &str) -> Result<String, Unavailable> {
        let directory = self.socket_directory()?;
        Ok(format!(
            "{}@/{}?host={}&port={}",
            self.scheme_and_credentials(),
            encode(database),
            encode(&directory.to_string_lossy()),
            self.port
        ))
    }

    fn scheme_and_credentials(&self) -> String {
        format!(
            "postgres://{}:{}",
            encode(&self.user),
            encode(&self.password)
        )
    }

    /// Connects on the caller's runtime.
    pub(crate) async fn try_client(&self, database: &str) -> Result<Client, tokio_postgres::Error> {
        let mut config = Config::new();
        // The socket first: it works whatever a test has done to the rules for TCP.
        match &self.socket_directory {
            Some(directory) => config.host_path(directory),
            None => config.host(&self.host),
        };
        config
            .port(self.port)
            .user(&self.user)
            .password(&self.password)
            .dbname(database)
            .application_name("underpin-testkit")
            .connect_timeout(Duration::from_secs(5));
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    pub(crate) async fn client(&self, database: &str) -> Client {
        self.try_client(database).await.unwrap_or_else(|error| {
            panic!("The test's PostgreSQL server refused its administrator: {error}.")
        })
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Runs a future to its end on a thread of its own, so that it works from plain code and also
/// from code that a runtime drives.
pub(crate) fn run_aside<T: Send>(future: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let aside = scope.spawn(|| {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("A Tokio runtime for the testkit must start.")
                .block_on(future)
        });
        aside
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(password: &str) -> Address {
        Address {
            host: "127.0.0.1".to_owned(),
            port: 5433,
            user: "underpin_test".to_owned(),
            password: password.to_owned(),
            socket_directory: Some("/tmp/a b".into()),
            ca_certificate: Some("/tmp/ca.pem".into()),
            up: AtomicBool::new(true),
        }
    }

    #[test]
    fn urls_are_what_tokio_postgres_reads() {
        let address = address("p@ss/w:rd%");
        let config: Config = address.url("shop", 5433).parse().unwrap();
        assert_eq!(config.get_password(), Some(b"p@ss/w:rd%".as_slice()));
        assert_eq!(config.get_dbname(), Some("shop"));

        let config: Config = address.socket_url("shop").unwrap().parse().unwrap();
        assert_eq!(
            config.get_hosts(),
            [tokio_postgres::config::Host::Unix("/tmp/a b".into())]
        );
        assert_eq!(config.get_ports(), [5433]);
    }

    #[test]
    fn only_verifying_modes_name_the_authority() {
        let address = address("whatever-else");
        let url = address.url_tls("shop", "require").unwrap();
        assert!(url.ends_with("/shop?sslmode=require"));
        let url = address.url_tls("shop", "verify-full").unwrap();
        assert!(url.ends_with("?sslmode=verify-full&sslrootcert=%2Ftmp%2Fca.pem"));
    }
}
