use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use underpin_core::{
    AddressForm, ChannelBinding, Endpoint, Engine, HealthCheck, Recycling, Secret, SessionTarget,
    TimeForm, TlsMode, TlsNegotiation, TlsVersion, UuidForm,
};

use crate::builder::ConfigBuilder;
use crate::config::Config;
use crate::environment::Environment;
use crate::field::{Field, Part, Scope, fields, getter, setter};
use crate::hosts::{Addresses, Host, Hosts, Ports};
use crate::kind::Kind;

impl Values {
    fn engine(&self) -> Engine {
        self.engine.unwrap_or(Engine::POSTGRES)
    }

    /// The user's name where nothing is said.
    fn usual_user(&self) -> Option<String> {
        match self.engine().info().address {
            AddressForm::Server { user, .. } => user.map(str::to_owned),
            AddressForm::File => None,
        }
    }

    /// How many connections a pool has where nothing is said.
    fn usual_pool_size(&self) -> u32 {
        let info = self.engine().info();
        let database = self.database.as_deref();
        let in_memory = database.is_some_and(|path| file_endpoint(path).address.is_memory());
        match info.address {
            AddressForm::File if in_memory => 1,
            _ => info.pool_size,
        }
    }
}

/// Where the path of a file leads.
pub(crate) fn file_endpoint(path: &str) -> Endpoint {
    match path {
        ":memory:" => Endpoint::memory(),
        path => Endpoint::file(path),
    }
}

const MINUTE: Duration = Duration::from_secs(60);

// Each row: how the field is handed out, its name, its type, its default given the
// fields above it; then its variable, its aliases, its part, and whether all engines have it
// or only those that list it as their own.
fields! {
    /// The kind of database. Default: PostgreSQL.
    copied engine: Engine = |_| Engine::POSTGRES;
    "DB_TYPE" ["type"] Place All

    hidden host: Hosts = |_| Hosts(vec![Host { name: "localhost".into(), port: None }]);
    "DB_HOST" ["hosts"] Place Own

    hidden port: Ports = |_| Ports(Vec::new());
    "DB_PORT" [] Place Own

    /// The addresses to connect to in place of looking the hosts' names up, in their order; an
    /// empty one is looked up. Certificates are checked for the hosts' names. Default: none.
    addresses hostaddr: Addresses = |_| Addresses::default();
    "DB_HOSTADDR" [] Place Own

    /// Which of the servers a connection may end at. Default: none, which is the primary
    /// where there are several hosts, and whatever answers where there is one.
    limit target_session_attrs: Option<SessionTarget> = |_| None;
    "DB_TARGET_SESSION_ATTRS" [] Place Own

    /// The user's name. Default: `postgres` on PostgreSQL, none on SQLite.
    text user: Option<String> = |v| v.usual_user();
    "DB_USER" ["username"] Place Own

    /// The database's name; on SQLite the path of its file, or `:memory:`.
    /// Default: the user's name on PostgreSQL, an error on SQLite.
    name database: String = |v| v.user.clone().flatten().unwrap_or_default();
    "DB_NAME" ["dbname"] Place All

    /// The password. Default: empty, which is none.
    secret password: Secret = |_| Secret::default();
    "DB_PASSWORD" ["pass"] Place Own

    hidden password_file: Option<PathBuf> = |_| None;
    "DB_PASSWORD_FILE" [] Place Own

    hidden passfile: Option<PathBuf> = |_| None;
    "DB_PASSFILE" [] Place Own

    /// How connections are encrypted, where that was said; [`Config::tls`] has what
    /// holds for an endpoint. Default: none, which is `verify-full`, except on
    /// loopback, where it is `prefer`.
    limit sslmode: Option<TlsMode> = |_| None;
    "DB_SSLMODE" [] Tls Own

    /// A PEM file of the authorities that are trusted; `system` means those of the
    /// operating system, and allows no mode below `verify-full`.
    /// Default: none, which trusts those of the operating system.
    path sslrootcert: Option<PathBuf> = |_| None;
    "DB_SSLROOTCERT" [] Tls Own

    /// A PEM file with this client's certificate. Default: none.
    path sslcert: Option<PathBuf> = |_| None;
    "DB_SSLCERT" [] Tls Own

    /// A PEM file with the key of this client's certificate. Default: none.
    path sslkey: Option<PathBuf> = |_| None;
    "DB_SSLKEY" [] Tls Own

    /// A PEM file with the certificates that their authorities have revoked. Default: none.
    path sslcrl: Option<PathBuf> = |_| None;
    "DB_SSLCRL" [] Tls Own

    /// How the encryption begins: `postgres` asks the server first, `direct` saves that
    /// round trip and needs PostgreSQL 17 and a `sslmode` of at least `require`.
    /// Default: `postgres`.
    copied sslnegotiation: TlsNegotiation = |_| TlsNegotiation::default();
    "DB_SSLNEGOTIATION" [] Tls Own

    /// Whether a login must be tied to the encrypted connection that it happens on:
    /// `disable`, `prefer` or `require`, which refuses a server that does not offer it.
    /// Default: `prefer`.
    copied channel_binding: ChannelBinding = |_| ChannelBinding::default();
    "DB_CHANNEL_BINDING" [] Tls Own

    /// The oldest version of TLS that is spoken, `TLSv1.2` or `TLSv1.3`. Default: none, which
    /// is 1.2.
    limit ssl_min_protocol_version: Option<TlsVersion> = |_| None;
    "DB_SSL_MIN_PROTOCOL_VERSION" [] Tls Own

    /// The newest version of TLS that is spoken, `TLSv1.2` or `TLSv1.3`. Default: none, which
    /// is 1.3.
    limit ssl_max_protocol_version: Option<TlsVersion> = |_| None;
    "DB_SSL_MAX_PROTOCOL_VERSION" [] Tls Own

    /// Whether the server is told in clear text which host was asked for, as servers behind a
    /// shared address need it. Default: true.
    copied sslsni: bool = |_| true;
    "DB_SSLSNI" [] Tls Own

    /// The name under which the server lists the connections. Default: none.
    text application_name: Option<String> = |_| None;
    "DB_APPLICATION_NAME" [] Other Own

    /// The name under which the server lists the connections where there is no
    /// `application_name`. Default: none.
    text fallback_application_name: Option<String> = |_| None;
    "DB_FALLBACK_APPLICATION_NAME" [] Other Own

    /// Options for the server's start of a session, as libpq has them:
    /// `-c search_path=shop`. Default: none.
    text options: Option<String> = |_| None;
    "DB_OPTIONS" [] Other Own

    /// How many connections a pool has at most, and at least 1. Default: 20 on
    /// PostgreSQL; 4 on SQLite, where it counts the readers, beside the one writer.
    /// A database in memory has exactly one connection, whatever is set.
    copied pool_max_size: u32 = |v| v.usual_pool_size();
    "DB_POOL_MAX_SIZE" [] Other All

    /// How many connections a pool keeps open at least. Default: 5, or the maximum
    /// where that is less. 0: all may close when idle.
    copied pool_min_size: u32 = |v| v.pool_max_size.map_or(5, |max| max.min(5));
    "DB_POOL_MIN_SIZE" [] Other All

    /// How many connections beyond the maximum a pool opens under load, closed when
    /// they are given back. Default: 0, none.
    copied max_overflow: u32 = |_| 0;
    "DB_MAX_OVERFLOW" [] Other All

    /// How many callers wait for a connection at most; who comes when they do fails at
    /// once. At least 1. Default: `off`, any number.
    limit pool_max_waiting: Option<u32> = |_| None;
    "DB_POOL_MAX_WAITING" [] Other All

    /// The longest wait for a connection while callers ask for more than the pool can
    /// give; longer ones fail then, so that those of the others stay short. Default:
    /// `off`, each caller has its whole time.
    limit shed_target: Option<Duration> = |_| None;
    "DB_SHED_TARGET" [] Other All

    /// For how long somebody must have been waiting at any time until `shed_target`
    /// holds; not less than that. Default: 100 ms.
    copied shed_interval: Duration = |_| Duration::from_millis(100);
    "DB_SHED_INTERVAL" [] Other All

    /// How long a caller may hold a connection before that is logged as a warning, once,
    /// with the line of code that asked for it. Default: `off`, nothing is.
    limit leak_threshold: Option<Duration> = |_| None;
    "DB_LEAK_THRESHOLD" [] Other All

    /// How long opening one connection may take. Default: 10 s.
    copied connection_timeout: Duration = |_| Duration::from_secs(10);
    "DB_CONNECTION_TIMEOUT" ["connect_timeout"] Other All

    /// Whether the operating system probes a silent connection over TCP. Default: true.
    copied keepalives: bool = |_| true;
    "DB_KEEPALIVES" [] Other Own

    /// How long a connection over TCP is silent before it is probed. Default: `off`, as the
    /// operating system has it.
    limit keepalives_idle: Option<Duration> = |_| None;
    "DB_KEEPALIVES_IDLE" [] Other Own

    /// How long a probe waits for its answer before the next is sent. Default: `off`, as the
    /// operating system has it.
    limit keepalives_interval: Option<Duration> = |_| None;
    "DB_KEEPALIVES_INTERVAL" [] Other Own

    /// How many probes may stay unanswered before the connection is lost. Default: `off`, as
    /// the operating system has it.
    limit keepalives_count: Option<u32> = |_| None;
    "DB_KEEPALIVES_COUNT" [] Other Own

    /// How long what was sent over TCP may stay unacknowledged before the connection is lost.
    /// Default: `off`, as the operating system has it.
    limit tcp_user_timeout: Option<Duration> = |_| None;
    "DB_TCP_USER_TIMEOUT" [] Other Own

    /// How long a caller waits for a connection of the pool. Default: 30 s.
    copied acquire_timeout: Duration = |_| Duration::from_secs(30);
    "DB_ACQUIRE_TIMEOUT" [] Other All

    /// How long the server works on one statement; none when `off`. A server that
    /// counts in milliseconds is told [`whole_millis_rounded_up`](crate::whole_millis_rounded_up).
    /// Default: 30 s.
    limit statement_timeout: Option<Duration> = |_| Some(Duration::from_secs(30));
    "DB_STATEMENT_TIMEOUT" [] Other All

    /// How long a connection above the minimum stays open unused; for ever when `off`.
    /// Default: 10 min.
    limit idle_timeout: Option<Duration> = |_| Some(10 * MINUTE);
    "DB_IDLE_TIMEOUT" [] Other All

    /// How old a connection grows before another takes its place; without bound when
    /// `off`. Default: 30 min.
    limit max_lifetime: Option<Duration> = |_| Some(30 * MINUTE);
    "DB_MAX_LIFETIME" ["pool_recycle"] Other All

    /// When a connection is tested before it is handed out. Default: after 500 ms idle.
    copied health_check: HealthCheck = |_| HealthCheck::default();
    "DB_HEALTH_CHECK" [] Other All

    /// How often idle connections are tested in the background; not at all when `off`.
    /// Default: 30 s.
    limit health_check_interval: Option<Duration> = |_| Some(Duration::from_secs(30));
    "DB_HEALTH_CHECK_INTERVAL" [] Other All

    /// What is undone in a session before its connection goes to the next caller: `verified`,
    /// `fast`, `clean`, `reset`, or `custom:` with statements. [`Recycling`] says what each
    /// promises. Default: `verified`.
    cloned recycling: Recycling = |_| Recycling::default();
    "DB_RECYCLING" [] Other All

    /// How often connecting is tried again after it failed. Default: 3. 0: never.
    copied max_retries: u32 = |_| 3;
    "DB_MAX_RETRIES" [] Other All

    /// How many prepared statements each connection keeps. Default: 256. 0: none;
    /// statements are unnamed, as poolers in transaction mode need it, and the start of a
    /// session does not set the default of `statement_timeout`. What somebody has set is sent.
    copied statement_cache_size: u32 = |_| 256;
    "DB_STATEMENT_CACHE_SIZE" [] Other All

    /// Whether statements outside of transactions that only read may share connections,
    /// several under way on each. Default: true. false: each has a connection of its own
    /// while it runs, as for a pooler that does not take them so.
    copied pipelining: bool = |_| true;
    "DB_PIPELINING" [] Other Own

    /// Whether the text of an error has what the server adds to its message, often with values
    /// of a row, so that it belongs in no log. Default: off.
    copied error_detail: bool = |_| false;
    "DB_ERROR_DETAIL" [] Other Own

    /// How long a statement waits for another connection's lock on the file; not at
    /// all when `off`. Default: 5 s.
    limit busy_timeout: Option<Duration> = |_| Some(Duration::from_secs(5));
    "DB_BUSY_TIMEOUT" [] Other Own

    /// Whether the file is opened for reading only; `?mode=ro` in a URL. Default: off.
    copied read_only: bool = |_| false;
    "DB_READ_ONLY" [] Other Own

    /// Whether the file is created where there is none; `?mode=rwc` in a URL. Default: off,
    /// a path without a file is an error.
    copied create: bool = |_| false;
    "DB_CREATE" [] Other Own

    /// Whether nobody changes the file while it is open, as on a read-only medium: nothing is
    /// locked, and the file is opened for reading only. Default: off.
    copied immutable: bool = |_| false;
    "DB_IMMUTABLE" [] Other Own

    /// How UUIDs are written where the declared type of the column does not decide: `text`
    /// or `blob`, 16 bytes, as rusqlite and sqlx have them. Both are read. Default: text.
    copied uuids: UuidForm = |_| UuidForm::default();
    "DB_UUIDS" [] Other Own

    /// How times are written where the declared type of the column does not decide: `text`,
    /// `offset` or `rfc3339`, as chrono's `DateTime` is written by rusqlite and sqlx, or
    /// `unix`, whole seconds. All are read. Default: text.
    copied times: TimeForm = |_| TimeForm::default();
    "DB_TIMES" [] Other Own

    /// What the service runs for. Default: development.
    copied environment: Environment = |_| Environment::default();
    "UNDERPIN_ENV" [] Other All
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_each_for_one_field() {
        for field in FIELDS {
            for key in [&field.key].into_iter().chain(field.aliases) {
                assert_eq!(Field::of_key(key).map(|found| found.key), Some(field.key));
                if field.variable.starts_with("DB_") {
                    let variable = format!("DB_{}", key.to_uppercase());
                    let found = Field::of_variable(&variable).map(|found| found.key);
                    assert_eq!(found, Some(field.key));
                }
            }
            let found = Field::of_variable(field.variable).map(|found| found.key);
            assert_eq!(found, Some(field.key));
        }
    }

    #[test]
    fn every_default_passes_its_own_check_and_reads_back() {
        let settings = Values {
            database: Some("shop".into()),
            ..Values::default()
        }
        .settle();
        for field in FIELDS {
            assert!((field.check)(&settings).is_ok(), "{}", field.key);
            let shown = (field.show)(&settings);
            if shown != "none" && field.key != "port" {
                let mut values = Values::default();
                assert!(
                    (field.read)(&mut values, &shown).is_ok(),
                    "{} = {shown}",
                    field.key
                );
                assert!((field.is_set)(&values));
            }
        }
    }
}
