use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Whether a connection is encrypted and how strictly the server's certificate is checked; the
/// values of libpq's `sslmode`, with the same meanings, from the least to the most strict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlsMode {
    /// Never encrypted.
    Disable,
    /// Encrypted only if the server refuses a plain connection.
    Allow,
    /// Encrypted if the server supports it, otherwise plain; no certificate is checked.
    Prefer,
    /// Always encrypted; the certificate is checked like with `VerifyCa` if root certificates are
    /// set, and not at all otherwise.
    Require,
    /// Always encrypted; the certificate must come from a trusted authority.
    VerifyCa,
    /// Always encrypted; the certificate must come from a trusted authority and contain the
    /// requested host.
    VerifyFull,
}

/// How connections are encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsOptions {
    /// How strictly the certificate is checked.
    pub mode: TlsMode,
    /// A PEM file of the authorities to trust; `None` trusts those of the operating system.
    pub root_certificates: Option<PathBuf>,
    /// A PEM file with this client's certificate, and its chain; `None` for none.
    pub client_certificate: Option<PathBuf>,
    /// A PEM file with the key of the client's certificate.
    pub client_key: Option<PathBuf>,
    /// A PEM file with the certificates that their authorities have revoked; `None` checks for
    /// none.
    pub revocation_list: Option<PathBuf>,
    /// How the encryption begins.
    pub negotiation: TlsNegotiation,
    /// The oldest accepted version of TLS; `None` is 1.2.
    pub min_version: Option<TlsVersion>,
    /// The newest accepted version of TLS; `None` is 1.3.
    pub max_version: Option<TlsVersion>,
    /// Whether the requested host name is sent to the server in clear text.
    pub server_name: bool,
    /// Whether a login must be bound to its encrypted connection.
    pub channel_binding: ChannelBinding,
}

/// Whether a login must be bound to its encrypted connection, so that no one in between can pass it
/// on; the values of libpq's `channel_binding`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ChannelBinding {
    /// Not bound.
    Disable,
    /// Bound if the server offers it.
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
    /// Immediately, which saves a round trip and requires PostgreSQL 17.
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

    /// Its name in libpq.
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

    /// Its name in libpq.
    pub fn name(self) -> &'static str {
        match self {
            TlsNegotiation::Postgres => "postgres",
            TlsNegotiation::Direct => "direct",
        }
    }
}

impl TlsVersion {
    /// Every supported version.
    pub const ALL: [TlsVersion; 2] = [TlsVersion::Tls12, TlsVersion::Tls13];

    /// Its name in libpq.
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

    /// Its name in libpq.
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

/// The error for a name that is not that of a mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownTlsMode;

impl fmt::Display for UnknownTlsMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sslmode must be disable, allow, prefer, require, verify-ca or verify-full")
    }
}

impl std::error::Error for UnknownTlsMode {}
