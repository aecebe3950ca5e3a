use std::time::Duration;

use underpin_core::{Secret, SessionTarget, TlsMode, TlsOptions};

use crate::tcp::TcpOptions;

/// Options of a connection: user, database, and how to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The database; `None` for the one named like the user.
    pub database: Option<String>,
    /// The user. Default `postgres`.
    pub user: String,
    /// The password; empty for no password.
    pub password: Secret,
    /// Encryption of connections over TCP; connections over Unix sockets are never encrypted.
    /// Default [`TlsMode::VerifyFull`] with the operating system's authorities.
    pub tls: TlsOptions,
    /// Value of `application_name` on the server.
    pub application_name: Option<String>,
    /// Time after which the server itself cancels a statement, in whole milliseconds, rounded up.
    pub statement_timeout: Option<Duration>,
    /// Whether `statement_timeout` is sent to the server when a session starts. Default true. A
    /// pooler in transaction mode refuses it.
    pub statement_timeout_at_startup: bool,
    /// Number of prepared statements that a connection caches. Default 256. Zero is for a pooler in
    /// transaction mode: statements are unnamed.
    pub statement_cache_size: usize,
    /// Further settings for the session, like libpq's `options`: `-c search_path=app`.
    pub options: Option<String>,
    /// Whether the text of an error contains the server's detail, which often has values of a row.
    /// Default false.
    pub error_detail: bool,
    /// The kind of server that a connection may use. Default `None`: the primary if there are
    /// several endpoints, and any server if there is one.
    pub target: Option<SessionTarget>,
    /// How the operating system monitors connections over TCP.
    pub tcp: TcpOptions,
    /// Whether the password may be sent in clear text over an unencrypted TCP connection, if the
    /// server asks for that. Default `false`.
    pub allow_cleartext_password: bool,
    /// Maximum length in bytes of a message from the server, which may be one row. Default one
    /// gigabyte, the longest that PostgreSQL sends.
    pub message_limit: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            database: None,
            user: "postgres".into(),
            password: Secret::default(),
            tls: TlsOptions::new(TlsMode::VerifyFull),
            application_name: None,
            statement_timeout: None,
            statement_timeout_at_startup: true,
            statement_cache_size: 256,
            options: None,
            error_detail: false,
            target: None,
            tcp: TcpOptions::default(),
            allow_cleartext_password: false,
            message_limit: 1 << 30,
        }
    }
}

impl Options {
    /// The database's name, explicit or by default.
    pub fn database_name(&self) -> &str {
        self.database.as_deref().unwrap_or(&self.user)
    }

    /// Whether statements are named and the session is this client's own.
    pub(crate) fn owns_session(&self) -> bool {
        self.statement_cache_size > 0
    }

    /// The value of `options` at startup.
    fn startup_options(&self) -> Option<String> {
        let timeout = self
            .statement_timeout
            .filter(|_| self.statement_timeout_at_startup)
            .map(|limit| format!("-c statement_timeout={}", whole_milliseconds(limit)));
        match (&self.options, timeout) {
            // The caller's own come last, and take precedence.
            (Some(options), Some(timeout)) => Some(format!("{timeout} {options}")),
            (options, timeout) => timeout.or_else(|| options.clone()),
        }
    }

    /// Whether anything is sent at startup that a pooler may refuse.
    pub(crate) fn has_settings(&self) -> bool {
        self.startup_options().is_some() || self.application_name.is_some()
    }

    /// The same options for a session with the server's default settings.
    pub(crate) fn without_settings(&self) -> Options {
        Options {
            application_name: None,
            statement_timeout_at_startup: false,
            options: None,
            ..self.clone()
        }
    }

    /// The settings that are sent at startup, in addition to the user.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = vec![
            ("client_encoding", "UTF8".to_owned()),
            ("database", self.database_name().to_owned()),
        ];
        let options = self.startup_options().map(|options| ("options", options));
        let name = self.application_name.clone();
        settings.extend(options);
        settings.extend(name.map(|name| ("application_name", name)));
        settings
    }
}

/// Rounded up, so that a limit below a millisecond does not become no limit at all; PostgreSQL
/// accepts at most 31 bits.
fn whole_milliseconds(limit: Duration) -> u32 {
    let rounded = limit.as_nanos().div_ceil(1_000_000).max(1);
    u32::try_from(rounded)
        .unwrap_or(u32::MAX)
        .min(i32::MAX as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_round_up_and_never_to_nothing() {
        for (limit, expected) in [
            (Duration::from_nanos(1), 1),
            (Duration::ZERO, 1),
            (Duration::from_micros(1500), 2),
            (Duration::from_secs(30), 30_000),
            (Duration::MAX, i32::MAX as u32),
        ] {
            assert_eq!(whole_milliseconds(limit), expected, "{limit:?}");
        }
    }

    #[test]
    fn settings_are_sent_at_startup() {
        let mut options = Options {
            user: "app".into(),
            application_name: Some("shop".into()),
            statement_timeout: Some(Duration::from_secs(1)),
            options: Some("-c search_path=a".into()),
            ..Options::default()
        };
        let said = |options: &Options, name| {
            let settings = options.settings().into_iter();
            let mut found = settings.filter(|(of, _)| *of == name);
            found.next().map(|(_, value)| value)
        };
        for cache in [256, 0] {
            options.statement_cache_size = cache;
            options.statement_timeout_at_startup = true;
            assert_eq!(
                said(&options, "options").as_deref(),
                Some("-c statement_timeout=1000 -c search_path=a")
            );
            assert_eq!(said(&options, "database").as_deref(), Some("app"));
            assert_eq!(said(&options, "application_name").as_deref(), Some("shop"));
            options.statement_timeout_at_startup = false;
            assert_eq!(
                said(&options, "options").as_deref(),
                Some("-c search_path=a")
            );
        }
    }
}
