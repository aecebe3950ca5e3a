use std::fs;
use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_rustls::{Connect, TlsConnector};
use underpin_core::{
    Address, Class, Endpoint, Error, Result, TlsMode, TlsNegotiation, TlsOptions, TlsVersion,
};

use crate::link::Link;
use crate::tap::Tap;
use crate::{channel_binding, verify};

/// How connections are encrypted, ready for use.
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
            .map_err(|error| unusable("The encryption cannot be set up.", error))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match (&options.client_certificate, &options.client_key) {
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
        config.enable_sni = options.server_name;
        if options.negotiation == TlsNegotiation::Direct {
            // Without it, the server takes the connection for one of another protocol.
            config.alpn_protocols = vec![b"postgresql".to_vec()];
        }
        Ok(Tls {
            config: Some(Arc::new(config)),
        })
    }

    /// What encrypts one stream to `endpoint` and puts the tap inside.
    pub(crate) fn connector(
        &self,
        endpoint: &Endpoint,
        link: Arc<Link>,
        hide: bool,
    ) -> Result<TapTls> {
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
        Ok(TapTls {
            connector,
            name,
            endpoint: endpoint.clone(),
            link,
            hide,
        })
    }
}

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

/// The versions of TLS that are spoken.
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
            format!("{} holds no list of revoked certificates.", file.display()),
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

/// Encrypts a stream, and puts a [`Tap`] on what is inside.
pub(crate) struct TapTls {
    connector: TlsConnector,
    name: ServerName<'static>,
    endpoint: Endpoint,
    link: Arc<Link>,
    hide: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsConnect<S> for TapTls {
    type Stream = Tap<tokio_rustls::client::TlsStream<S>>;
    type Error = Error;
    type Future = Handshake<S>;

    fn connect(self, stream: S) -> Handshake<S> {
        Handshake {
            connect: self.connector.connect(self.name, stream),
            endpoint: self.endpoint,
            link: self.link,
            hide: self.hide,
        }
    }
}

/// The encryption's beginning, under way.
pub(crate) struct Handshake<S> {
    connect: Connect<S>,
    endpoint: Endpoint,
    link: Arc<Link>,
    hide: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Handshake<S> {
    type Output = Result<Tap<tokio_rustls::client::TlsStream<S>>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        Poll::Ready(match ready!(Pin::new(&mut this.connect).poll(cx)) {
            Ok(stream) => Ok(Tap::new(stream, Arc::clone(&this.link), this.hide)),
            Err(error) => Err(handshake_failed(&this.endpoint, error)),
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Tap<tokio_rustls::client::TlsStream<S>> {
    fn channel_binding(&self) -> ChannelBinding {
        let (_, session) = self.stream().get_ref();
        let certificate = session.peer_certificates().and_then(|chain| chain.first());
        match certificate.and_then(|certificate| channel_binding::hash(certificate)) {
            Some(hash) => ChannelBinding::tls_server_end_point(hash),
            None => ChannelBinding::none(),
        }
    }
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
