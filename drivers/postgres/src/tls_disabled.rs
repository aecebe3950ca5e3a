//! What stands in for the encryption in a build without it.

use std::sync::Arc;

use tokio_postgres::tls::NoTls;
use underpin_core::{Class, Endpoint, Error, Result, TlsMode, TlsOptions};

use crate::link::Link;

#[derive(Debug)]
pub(crate) struct Tls;

impl Tls {
    pub(crate) const AVAILABLE: bool = false;

    pub(crate) fn new(options: &TlsOptions) -> Result<Self> {
        match options.mode {
            TlsMode::Disable | TlsMode::Allow | TlsMode::Prefer => Ok(Tls),
            mode => Err(Error::new(
                Class::Unsupported,
                format!("sslmode={mode} asks for encryption, which this build does not have."),
            )
            .with_hint("Build Underpin with the feature \"tls\", or set sslmode=disable.")),
        }
    }

    pub(crate) fn connector(&self, _: &Endpoint, _: Arc<Link>, _: bool) -> Result<NoTls> {
        Ok(NoTls)
    }
}
