//! Stubs for the encryption in a build without it.

use underpin_core::{Class, Endpoint, Error, Result, TlsMode, TlsOptions};

use crate::dial::Stream;

#[derive(Debug)]
pub(crate) struct Tls;

/// The type of an encrypted stream.
pub(crate) type Encrypted = Box<dyn Stream>;

impl Tls {
    pub(crate) const AVAILABLE: bool = false;

    pub(crate) fn new(options: &TlsOptions) -> Result<Self> {
        match options.mode {
            TlsMode::Disable | TlsMode::Allow | TlsMode::Prefer => Ok(Tls),
            mode => Err(unavailable(&format!("sslmode={mode} asks for encryption"))),
        }
    }

    pub(crate) async fn encrypt(
        &self,
        endpoint: &Endpoint,
        _: Box<dyn Stream>,
    ) -> Result<(Encrypted, Option<Vec<u8>>)> {
        Err(unavailable(&format!(
            "The connection to {endpoint} needs encryption"
        )))
    }
}

fn unavailable(what: &str) -> Error {
    Error::new(
        Class::Unsupported,
        format!("{what}, which this build does not have."),
    )
    .with_hint("Build Underpin with the feature \"tls\", or set sslmode=disable.")
}
