use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use underpin_core::{Address, Class, Endpoint, Error, Result, TlsMode, TlsOptions};

use crate::dial::Stream;
use crate::{end_point_hash, verify};

/// How connections are encrypted, ready for use.
pub(crate) struct Tls {
    config: Option<Arc<ClientConfig>>,
}

impl Tls {
    pub(crate) const AVAILABLE: bool = true;

    /// Reads the certificates that the options name.
    pub(crate) fn new(options: &TlsOptions, direct: bool) -> Result<Self> {
        if options.mode == TlsMode::Disable {
            return Ok(Tls { config: None });
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = verifier(options, &provider)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable("The encryption cannot be set up.", error))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let config = match (&options.client_certificate, &options.client_key) {
            (None, None) => builder.with_no_client_auth(),
            (Some(certificate), Some(key)) => {
                let chain = read_certificates(certificate)?;
                let key = PrivateKeyDer::from_pem_file(key)
                    .map_err(|error| unreadable("private key", key, error))?;
                builder.with_client_auth_cert(chain, key).map_err(|error| {
                    unusable(
                        "The client's certificate and its key cannot be used together.",
                        error,
                    )
                })?
            }
            _ => {
                return Err(Error::new(
                    Class::Config,
                    "A client certificate needs both the certificate and its key, and one is given.",
                ));
            }
        };
        let mut config = config;
        if direct {
            // Without it, a server takes no encryption that was not asked for.
            config.alpn_protocols = vec![b"postgresql".to_vec()];
        }
        Ok(Tls {
            config: Some(Arc::new(config)),
        })
    }

    /// Encrypts a stream to `endpoint`. Gives the hash of the server's certificate too, where
    /// there is one that a login can be tied to.
    pub(crate) async fn encrypt(
        &self,
        endpoint: &Endpoint,
        stream: Box<dyn Stream>,
    ) -> Result<(Encrypted, Option<Vec<u8>>)> {
        let Address::Tcp { host, .. } = &endpoint.address else {
            return Err(Error::new(
                Class::Config,
                format!("{endpoint} cannot be encrypted."),
            ));
        };
        let Some(config) = &self.config else {
            return Err(Error::new(
                Class::Config,
                "sslmode=disable allows no encryption.",
            ));
        };
        let name = ServerName::try_from(host.clone()).map_err(|error| {
            unusable(
                &format!("{host:?} is not a name that a certificate can be for."),
                error,
            )
        })?;
        let connector = TlsConnector::from(Arc::clone(config));
        let stream = connector.connect(name, stream).await;
        let stream = stream.map_err(|error| handshake_failed(endpoint, error))?;
        let (_, session) = stream.get_ref();
        let certificate = session.peer_certificates().and_then(|chain| chain.first());
        let hash = certificate.and_then(|certificate| end_point_hash::hash(certificate));
        Ok((stream, hash))
    }
}

/// An encrypted stream.
pub(crate) type Encrypted = TlsStream<Box<dyn Stream>>;

fn verifier(
    options: &TlsOptions,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>> {
    let checked = match options.mode {
        TlsMode::VerifyCa | TlsMode::VerifyFull => true,
        TlsMode::Require => options.root_certificates.is_some(),
        TlsMode::Disable | TlsMode::Allow | TlsMode::Prefer => false,
    };
    if !checked {
        return Ok(Arc::new(verify::Unchecked::new(Arc::clone(provider))));
    }
    let inner = WebPkiServerVerifier::builder_with_provider(
        Arc::new(authorities(options.root_certificates.as_deref())?),
        Arc::clone(provider),
    )
    .build()
    .map_err(|error| unusable("The trusted authorities cannot be used.", error))?;
    Ok(match options.mode {
        TlsMode::VerifyFull => inner,
        _ => Arc::new(verify::AnyName::new(inner)),
    })
}

fn authorities(file: Option<&Path>) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    let found = match file {
        Some(file) => read_certificates(file)?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    store.add_parsable_certificates(found);
    if !store.is_empty() {
        return Ok(store);
    }
    Err(match file {
        Some(file) => Error::new(
            Class::Config,
            format!("{} holds no certificate that can be used.", file.display()),
        )
        .with_hint("It must be a PEM file with the certificates of the authorities to trust."),
        None => Error::new(
            Class::Config,
            "The operating system has no list of trusted authorities.",
        )
        .with_hint(
            "Name a file of them with sslrootcert, or choose sslmode=require to check none.",
        ),
    })
}

fn read_certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    // Opened first, so that a missing file is told as such.
    let pem = fs::read(file).map_err(|error| unreadable("certificate", file, error))?;
    CertificateDer::pem_slice_iter(&pem)
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| unreadable("certificate", file, error))
}

fn unreadable(
    what: &str,
    file: &Path,
    error: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    Error::new(
        Class::Config,
        format!("The {what} in {} cannot be read: {error}.", file.display()),
    )
    .with_source(error)
}

fn unusable(sentence: &str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Class::Config, format!("{sentence} The reason: {error}.")).with_source(error)
}

fn handshake_failed(endpoint: &Endpoint, error: io::Error) -> Error {
    let cause = error
        .get_ref()
        .and_then(|cause| cause.downcast_ref::<rustls::Error>());
    let failed = match cause {
        Some(rustls::Error::InvalidCertificate(fault)) => bad_certificate(endpoint, fault),
        Some(rustls::Error::InvalidMessage(_)) => Error::new(
            Class::Protocol,
            format!("What answers at {endpoint} does not speak PostgreSQL's protocol."),
        )
        .with_hint("Check host and port."),
        Some(rustls::Error::AlertReceived(alert)) => Error::new(
            Class::Auth,
            format!("The server at {endpoint} refused to encrypt the connection ({alert:?})."),
        )
        .with_hint("It may ask for a client certificate that it trusts (sslcert, sslkey)."),
        _ => Error::new(
            Class::Connect,
            format!("The encrypted connection to {endpoint} could not be set up: {error}."),
        ),
    };
    failed.with_source(error)
}

fn bad_certificate(endpoint: &Endpoint, fault: &CertificateError) -> Error {
    let (what, hint) = match fault {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            "has expired".to_owned(),
            "Renew the certificate on the server, and check this machine's clock.",
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            "is not valid yet".to_owned(),
            "Check the clocks of the server and of this machine.",
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            "is for another host name".to_owned(),
            "Connect by a name that is in the certificate, or choose sslmode=verify-ca to check the \
             authority alone.",
        ),
        CertificateError::UnknownIssuer => (
            "comes from an authority that is not trusted here".to_owned(),
            "Name the authority's certificate with sslrootcert.",
        ),
        CertificateError::Revoked => ("has been revoked".to_owned(), "Renew it on the server."),
        other => (
            format!("cannot be accepted ({other})"),
            "Renew the certificate on the server.",
        ),
    };
    Error::new(
        Class::Auth,
        format!("The certificate of the server at {endpoint} {what}."),
    )
    .with_hint(hint)
}
