use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Whether a connection is encrypted and how far the server's certificate is checked;
/// the values of libpq's `sslmode`, with its meanings, from the least to the most strict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlsMode {
    /// Never encrypted.
    Disable,
    /// Encrypted only where the server refuses a plain connection.
    Allow,
    /// Encrypted where the server can, plain where it cannot; no certificate is checked.
    Prefer,
    /// Always encrypted; the certificate is checked as by `VerifyCa` where root
    /// certificates are given, and not at all where none are.
    Require,
    /// Always encrypted; the certificate must come from a trusted authority.
    VerifyCa,
    /// Always encrypted; the certificate must come from a trusted authority and be for
    /// the host that was asked for.
    VerifyFull,
}

/// How connections are encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsOptions {
    /// How far the certificate is checked.
    pub mode: TlsMode,
    /// A PEM file of the authorities to trust; `None` trusts those of the operating system.
    pub root_certificates: Option<PathBuf>,
    /// A PEM file with this client's certificate, and its chain; `None` for none.
    pub client_certificate: Option<PathBuf>,
    /// A PEM file with the key of the client's certificate.
    pub client_key: Option<PathBuf>,
    /// A PEM file with the certificates that their authorities have revoked; `None` looks for none.
    pub revocation_list: Option<PathBuf>,
    /// How the encryption begins.
    pub negotiation: TlsNegotiation,
    /// The oldest version of TLS that is spoken; `None` is 1.2.
    pub min_version: Option<TlsVersion>,
    /// The newest version of TLS that is spoken; `None` is 1.3.
    pub max_version: Option<TlsVersion>,
    /// Whether the server is told in clear text which host was asked for.
    pub server_name: bool,
    /// Whether a login must be tied to the encrypted connection that it happens on.
    pub channel_binding: ChannelBinding,
}

/// Whether a login must be tied to the encrypted connection that it happens on, so that nobody in
/// between can pass it on; the values of libpq's `channel_binding`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ChannelBinding {
    /// It is not.
    Disable,
    /// It is where the server offers it.
    #[default]
    Prefer,
    /// A server that does not offer it is refused.
    Require,
}

/// How the encryption of a connection begins; the values of libpq's `sslnegotiation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TlsNegotiation {
    /// The server is asked whether it encrypts.
    #[default]
    Postgres,
    /// At once, which saves a round trip and needs PostgreSQL 17.
    Direct,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlsVersion {
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

impl TlsOptions {
    /// The given mode with the operating system's authorities and no client certificate.
    pub fn new(mode: TlsMode) -> Self {
        TlsOptions {
            mode,
            root_certificates: None,
            client_certificate: None,
            client_key: None,
            revocation_list: None,
            negotiation: TlsNegotiation::default(),
            min_version: None,
            max_version: None,
            server_name: true,
            channel_binding: ChannelBinding::default(),
        }
    }
}

impl ChannelBinding {
    /// Every value.
    pub const ALL: [ChannelBinding; 3] = [
        ChannelBinding::Disable,
        ChannelBinding::Prefer,
        ChannelBinding::Require,
    ];

    /// The name that libpq has for it.
    pub fn name(self) -> &'static str {
        match self {
            ChannelBinding::Disable => "disable",
            ChannelBinding::Prefer => "prefer",
            ChannelBinding::Require => "require",
        }
    }
}

impl TlsNegotiation {
    /// Every value.
    pub const ALL: [TlsNegotiation; 2] = [TlsNegotiation::Postgres, TlsNegotiation::Direct];

    /// The name that libpq has for it.
    pub fn name(self) -> &'static str {
        match self {
            TlsNegotiation::Postgres => "postgres",
            TlsNegotiation::Direct => "direct",
        }
    }
}

impl TlsVersion {
    /// Every version that can be spoken.
    pub const ALL: [TlsVersion; 2] = [TlsVersion::Tls12, TlsVersion::Tls13];

    /// The name that libpq has for it.
    pub fn name(self) -> &'static str {
        match self {
            TlsVersion::Tls12 => "TLSv1.2",
            TlsVersion::Tls13 => "TLSv1.3",
        }
    }
}

impl TlsMode {
    /// Every mode, from the least to the most strict.
    pub const ALL: [TlsMode; 6] = [
        TlsMode::Disable,
        TlsMode::Allow,
        TlsMode::Prefer,
        TlsMode::Require,
        TlsMode::VerifyCa,
        TlsMode::VerifyFull,
    ];

    /// The name that libpq has for it.
    pub fn name(self) -> &'static str {
        match self {
            TlsMode::Disable => "disable",
            TlsMode::Allow => "allow",
            TlsMode::Prefer => "prefer",
            TlsMode::Require => "require",
            TlsMode::VerifyCa => "verify-ca",
            TlsMode::VerifyFull => "verify-full",
        }
    }
}

impl fmt::Display for TlsMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for TlsMode {
    type Err = UnknownTlsMode;

    fn from_str(name: &str) -> Result<Self, UnknownTlsMode> {
        TlsMode::ALL
            .into_iter()
            .find(|mode| mode.name() == name)
            .ok_or(UnknownTlsMode)
    }
}

/// A name that stands for no mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownTlsMode;

impl fmt::Display for UnknownTlsMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sslmode must be disable, allow, prefer, require, verify-ca or verify-full")
    }
}

impl std::error::Error for UnknownTlsMode {}
