use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName};
use rustls::{CertificateError, ClientConfig, OtherError, RootCertStore, SupportedProtocolVersion};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use underpin_core::{
    Address, Class, Endpoint, Error, Result, TlsMode, TlsNegotiation, TlsOptions, TlsVersion,
};

use crate::dial::Stream;
use crate::{end_point_hash, verify};

/// The encryption of connections, ready for use.
pub(crate) struct Tls {
    config: Option<Arc<ClientConfig>>,
}

impl Tls {
    pub(crate) const AVAILABLE: bool = true;

    /// Reads the certificates that the options name.
    pub(crate) fn new(options: &TlsOptions) -> Result<Self> {
        if options.mode == TlsMode::Disable {
            return Ok(Tls { config: None });
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = verifier(options, &provider)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions(options))
            .map_err(|error| unusable("Encryption cannot be set up.", error))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match (&options.client_certificate, &options.client_key) {
            (None, None) => builder.with_no_client_auth(),
            (Some(certificate), Some(key)) => {
                let chain = read_certificates(certificate)?;
                let key = read_key(key)?;
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
                    "A client certificate needs both the certificate and its key, but only one is set.",
                ));
            }
        };
        config.enable_sni = options.server_name;
        if options.negotiation == TlsNegotiation::Direct {
            // Without it, the server assumes a connection of another protocol.
            config.alpn_protocols = vec![b"postgresql".to_vec()];
        }
        Ok(Tls {
            config: Some(Arc::new(config)),
        })
    }

    /// Encrypts a stream to `endpoint`. Also returns the hash of the server's certificate, if there
    /// is one to which a login can be bound.
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
                &format!("{host:?} is not a name that a certificate can contain."),
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
    let mut builder = WebPkiServerVerifier::builder_with_provider(
        Arc::new(authorities(options.root_certificates.as_deref())?),
        Arc::clone(provider),
    );
    if let Some(file) = &options.revocation_list {
        builder = builder.with_crls(read_revocations(file)?);
    }
    let inner = builder
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
            format!("{} contains no usable certificate.", file.display()),
        )
        .with_hint("It must be a PEM file with the certificates of the authorities to trust."),
        None => Error::new(
            Class::Config,
            "The operating system has no list of trusted authorities.",
        )
        .with_hint(
            "Set sslrootcert to a file of authorities, or choose sslmode=require to skip the check.",
        ),
    })
}

fn read_certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    // Opened first, so that a missing file is reported as missing.
    let pem = fs::read(file).map_err(|error| unreadable("certificate", file, error))?;
    CertificateDer::pem_slice_iter(&pem)
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| unreadable("certificate", file, error))
}

/// Reads a private key, which must not be encrypted.
fn read_key(file: &Path) -> Result<PrivateKeyDer<'static>> {
    let pem = fs::read(file).map_err(|error| unreadable("private key", file, error))?;
    let text = String::from_utf8_lossy(&pem);
    let is_encrypted = text.lines().any(|line| {
        line.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY")
            || line.starts_with("Proc-Type:") && line.contains("ENCRYPTED")
    });
    if is_encrypted {
        return Err(Error::new(
            Class::Config,
            format!(
                "The private key in {} is encrypted, which is not supported.",
                file.display()
            ),
        )
        .with_hint(
            "Decrypt it into a file that only its user may read: openssl pkey -in KEY -out PLAIN; \
             then name that file by sslkey.",
        ));
    }
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| match error {
        rustls::pki_types::pem::Error::NoItemsFound => Error::new(
            Class::Config,
            format!("{} contains no private key in PEM format.", file.display()),
        )
        .with_hint(
            "Convert it: openssl pkey -in KEY -out PEM, with -inform DER if it is in DER format.",
        ),
        error => unreadable("private key", file, error),
    })
}

/// The versions of TLS in use.
fn versions(options: &TlsOptions) -> Vec<&'static SupportedProtocolVersion> {
    let oldest = options.min_version.unwrap_or(TlsVersion::Tls12);
    let newest = options.max_version.unwrap_or(TlsVersion::Tls13);
    let spoken = TlsVersion::ALL
        .into_iter()
        .filter(|version| (oldest..=newest).contains(version));
    spoken
        .map(|version| match version {
            TlsVersion::Tls12 => &rustls::version::TLS12,
            TlsVersion::Tls13 => &rustls::version::TLS13,
        })
        .collect()
}

fn read_revocations(file: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>> {
    let pem =
        fs::read(file).map_err(|error| unreadable("list of revoked certificates", file, error))?;
    let lists: Vec<_> = CertificateRevocationListDer::pem_slice_iter(&pem)
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| unreadable("list of revoked certificates", file, error))?;
    match lists.is_empty() {
        false => Ok(lists),
        true => Err(Error::new(
            Class::Config,
            format!(
                "{} contains no list of revoked certificates.",
                file.display()
            ),
        )
        .with_hint("It must be a PEM file with X509 CRL blocks.")),
    }
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
            format!("The server at {endpoint} does not speak PostgreSQL's protocol."),
        )
        .with_hint("Check host and port."),
        Some(rustls::Error::AlertReceived(alert)) => Error::new(
            Class::Auth,
            format!("The server at {endpoint} refused to encrypt the connection ({alert:?})."),
        )
        .with_hint("It may require a client certificate that it trusts (sslcert, sslkey)."),
        _ => Error::new(
            Class::Connect,
            format!("The encrypted connection to {endpoint} could not be set up: {error}."),
        ),
    };
    failed.with_source(error)
}

/// Whether a certificate could not be read because it is not of version 3. The error's own type is
/// not part of rustls's public interface; its text is the name of the fault.
fn is_old_version(fault: &OtherError) -> bool {
    fault.to_string().contains("UnsupportedCertVersion")
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
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => (
            "names no host: its subjectAltName is missing, and a name in the subject's CN alone is \
             not looked at"
                .to_owned(),
            "Issue a certificate that has the host in its subjectAltName, or choose \
             sslmode=verify-ca to check the authority alone.",
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            "is for another host name".to_owned(),
            "Connect by a name that is in the certificate, or choose sslmode=verify-ca to check the \
             authority alone.",
        ),
        CertificateError::UnknownIssuer => (
            "comes from an authority that is not trusted here".to_owned(),
            "Set sslrootcert to the authority's certificate.",
        ),
        CertificateError::Revoked => ("has been revoked".to_owned(), "Renew it on the server."),
        CertificateError::Other(other) if is_old_version(other) => (
            "is an X.509 certificate of version 1, and only version 3 can be verified".to_owned(),
            "Issue a certificate of version 3, with the host in its subjectAltName (openssl x509 -req with \
             -extfile), or choose sslmode=require to check none.",
        ),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/certificates")
            .join(name)
    }

    /// The error for a server with this certificate.
    fn said(name: &str, mode: TlsMode, revoked: bool) -> Option<Error> {
        let mut options = TlsOptions::new(mode);
        options.root_certificates = Some(certificate("authority.pem"));
        options.revocation_list = revoked.then(|| certificate("revoked.pem"));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = verifier(&options, &provider).unwrap();
        let shown = read_certificates(&certificate(name)).unwrap();
        let host = ServerName::try_from("localhost").unwrap();
        let now = rustls::pki_types::UnixTime::now();
        let verdict = verifier.verify_server_cert(&shown[0], &[], &host, &[], now);
        let endpoint = Endpoint::tcp("localhost", 5432);
        verdict
            .err()
            .map(|error| handshake_failed(&endpoint, io::Error::other(error)))
    }

    #[test]
    fn each_fault_of_a_certificate_is_described_as_what_it_is() {
        use TlsMode::{VerifyCa, VerifyFull};
        for (name, mode, revoked, part) in [
            ("good.pem", VerifyFull, false, None),
            ("good.pem", VerifyFull, true, Some("revoked")),
            ("good.pem", VerifyCa, true, Some("revoked")),
            (
                "version1.pem",
                VerifyFull,
                false,
                Some("X.509 certificate of version 1"),
            ),
            (
                "version1.pem",
                VerifyCa,
                false,
                Some("X.509 certificate of version 1"),
            ),
            ("name_in_cn.pem", VerifyFull, false, Some("CN alone")),
            ("name_in_cn.pem", VerifyCa, false, None),
            ("authority.pem", VerifyFull, false, Some("certificate")),
        ] {
            let error = said(name, mode, revoked);
            match part {
                None => assert!(error.is_none(), "{name} {mode}: {error:?}"),
                Some(part) => {
                    let error = error.unwrap_or_else(|| panic!("{name} is accepted"));
                    assert!(error.to_string().contains(part), "{name}: {error}");
                    assert!(error.hint().is_some(), "{name}: {error}");
                    assert_eq!(error.class(), Class::Auth, "{name}");
                }
            }
        }
    }

    #[test]
    fn each_key_that_cannot_be_used_is_described_as_what_it_is() {
        let directory = std::env::temp_dir().join(format!("underpin-keys-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let block = |label: &str, head: &str| {
            format!("-----BEGIN {label}-----\n{head}AAAA\n-----END {label}-----\n")
        };
        for (text, part) in [
            (block("ENCRYPTED PRIVATE KEY", ""), "is encrypted"),
            (
                block(
                    "RSA PRIVATE KEY",
                    "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n",
                ),
                "is encrypted",
            ),
            (block("CERTIFICATE", ""), "no private key"),
            ("0\u{1}".to_owned(), "no private key"),
        ] {
            let file = directory.join("key");
            fs::write(&file, &text).unwrap();
            let error = read_key(&file).unwrap_err();
            assert!(error.to_string().contains(part), "{text}: {error}");
            assert!(error.hint().unwrap().contains("openssl"), "{error}");
        }
        assert!(read_key(&directory.join("gone")).is_err());
        fs::remove_dir_all(&directory).unwrap();
    }
}
