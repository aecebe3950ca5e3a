/// The types that the rows below name.
pub(crate) mod types {
    pub(crate) use std::net::IpAddr;
    pub(crate) use std::path::PathBuf;
    pub(crate) use std::time::Duration;

    pub(crate) use underpin_core::{
        ChannelBinding, Engine, HealthCheck, ReadFrom, Recycling, Secret, SessionTarget, TimeForm,
        TlsMode, TlsNegotiation, TlsVersion, TwoPrimaries, UuidForm,
    };

    pub(crate) use crate::ahead::Ahead;
    pub(crate) use crate::environment::Environment;
    pub(crate) use crate::hosts::{Addresses, Hosts, Ports};
}

/// Passes all fields of the configuration to a macro, one row for each: how the field is handed
/// out, its name, its type, and its default given the fields above it; then its variable, its
/// aliases, its part, and whether all engines have it or only those that list it as their own.
macro_rules! with_fields {
    ($callback:ident) => {
        $callback! {
        /// Kind of database. Default: PostgreSQL.
        copied engine: Engine = |_| Engine::POSTGRES;
        "DB_TYPE" ["type"] Place All

        /// Host name, address or directory of Unix sockets of the server; several are separated by
        /// commas. Default: `localhost`.
        hidden host: Hosts = |_| Hosts(vec![Host { name: "localhost".into(), port: None }]);
        "DB_HOST" ["hosts"] Place Own

        /// Port of the server; with several hosts, one port for all or one for each, separated by
        /// commas. Default: 5432.
        hidden port: Ports = |_| Ports(Vec::new());
        "DB_PORT" [] Place Own

        /// Addresses to connect to instead of looking up the hosts' names, in the order of the hosts; an
        /// empty one is looked up. Certificates are checked for the hosts' names. Default: none.
        addresses hostaddr: Addresses = |_| Addresses::default();
        "DB_HOSTADDR" [] Place Own

        /// Which of the servers a connection may use: `any`, `read-write` or `primary`. Default: none,
        /// which is the primary if there are several hosts, and the one server otherwise.
        limit target_session_attrs: Option<SessionTarget> = |_| None;
        "DB_TARGET_SESSION_ATTRS" [] Place Own

        /// URLs of the REST interfaces of Patroni's nodes, separated by commas. The members are the ones
        /// that Patroni lists, and until it answers those that `host` names. Default: none.
        text patroni: Option<String> = |_| None;
        "DB_PATRONI" [] Place Own

        /// The time between two lookups of the members: the addresses of the hosts' names, if there are
        /// several hosts or `target_session_attrs` asks for one of several servers, and Patroni's list.
        /// While there is no primary, they are looked up once a second. Default: 10 s. `off`: the members
        /// are those that `host` names, each reached at any address of its name.
        limit discovery_interval: Option<Duration> = |_| Some(Duration::from_secs(10));
        "DB_DISCOVERY_INTERVAL" [] Other Own

        /// User name. Default: `postgres` on PostgreSQL, none on SQLite.
        text user: Option<String> = |v| v.usual_user();
        "DB_USER" ["username"] Place Own

        /// Name of the database; on SQLite the path of its file, or `:memory:`.
        /// Default: the user name on PostgreSQL, an error on SQLite.
        name database: String = |v| v.user.clone().flatten().unwrap_or_default();
        "DB_NAME" ["dbname"] Place All

        /// Password. Default: empty, which means none.
        secret password: Secret = |_| Secret::default();
        "DB_PASSWORD" ["pass"] Place Own

        /// File that holds the password, as containers mount secrets; a line end at its end is not part
        /// of the password. Default: none.
        hidden password_file: Option<PathBuf> = |_| None;
        "DB_PASSWORD_FILE" [] Place Own

        /// Password file in libpq's form (`host:port:database:user:password`). Default: `~/.pgpass`.
        hidden passfile: Option<PathBuf> = |_| None;
        "DB_PASSFILE" [] Place Own

        /// How connections are encrypted, if set; [`Config::tls`] returns what applies to an endpoint.
        /// Default: none, which is `verify-full`, except on loopback, where it is `prefer`.
        limit sslmode: Option<TlsMode> = |_| None;
        "DB_SSLMODE" [] Tls Own

        /// PEM file of trusted certificate authorities; `system` means those of the operating system, and
        /// allows no mode below `verify-full`. Default: none, which trusts those of the operating system.
        path sslrootcert: Option<PathBuf> = |_| None;
        "DB_SSLROOTCERT" [] Tls Own

        /// PEM file with this client's certificate. Default: none.
        path sslcert: Option<PathBuf> = |_| None;
        "DB_SSLCERT" [] Tls Own

        /// PEM file with the key of this client's certificate. Default: none.
        path sslkey: Option<PathBuf> = |_| None;
        "DB_SSLKEY" [] Tls Own

        /// PEM file with the certificates that their authorities have revoked. Default: none.
        path sslcrl: Option<PathBuf> = |_| None;
        "DB_SSLCRL" [] Tls Own

        /// How encryption begins: `postgres` asks the server first; `direct` saves that round trip and
        /// requires PostgreSQL 17 and an `sslmode` of at least `require`. Default: `postgres`.
        copied sslnegotiation: TlsNegotiation = |_| TlsNegotiation::default();
        "DB_SSLNEGOTIATION" [] Tls Own

        /// Whether a login is tied to its encrypted connection: `disable`, `prefer`, or `require`, which
        /// refuses a server that does not offer it. Default: `prefer`.
        copied channel_binding: ChannelBinding = |_| ChannelBinding::default();
        "DB_CHANNEL_BINDING" [] Tls Own

        /// Oldest version of TLS to use, `TLSv1.2` or `TLSv1.3`. Default: none, which means 1.2.
        limit ssl_min_protocol_version: Option<TlsVersion> = |_| None;
        "DB_SSL_MIN_PROTOCOL_VERSION" [] Tls Own

        /// Newest version of TLS to use, `TLSv1.2` or `TLSv1.3`. Default: none, which means 1.3.
        limit ssl_max_protocol_version: Option<TlsVersion> = |_| None;
        "DB_SSL_MAX_PROTOCOL_VERSION" [] Tls Own

        /// Whether the server is told the requested host name in clear text, as servers behind a shared
        /// address require. Default: true.
        copied sslsni: bool = |_| true;
        "DB_SSLSNI" [] Tls Own

        /// Name under which the server lists the connections. Default: none.
        text application_name: Option<String> = |_| None;
        "DB_APPLICATION_NAME" [] Other Own

        /// Name under which the server lists the connections if `application_name` is not set.
        /// Default: none.
        text fallback_application_name: Option<String> = |_| None;
        "DB_FALLBACK_APPLICATION_NAME" [] Other Own

        /// Options for the start of a session on the server, as in libpq:
        /// `-c search_path=shop`. Default: none.
        text options: Option<String> = |_| None;
        "DB_OPTIONS" [] Other Own

        /// Maximum number of connections in a pool, at least 1. Default: 20 on PostgreSQL; 4 on SQLite,
        /// where it counts the readers beside the one writer. A database in memory has exactly one
        /// connection, whatever is set.
        copied pool_max_size: u32 = |v| v.usual_pool_size();
        "DB_POOL_MAX_SIZE" [] Other All

        /// Number of connections that a pool keeps open. Default: 5, or the maximum if that is less. 0:
        /// all may close when idle.
        copied pool_min_size: u32 = |v| v.pool_max_size.map_or(5, |max| max.min(5));
        "DB_POOL_MIN_SIZE" [] Other All

        /// Number of connections that a pool may open beyond the maximum under load; they are closed when
        /// they are returned. Default: 0.
        copied max_overflow: u32 = |_| 0;
        "DB_MAX_OVERFLOW" [] Other All

        /// Maximum number of callers waiting for a connection, at least 1; further callers fail
        /// immediately. Default: `off`, any number.
        limit pool_max_waiting: Option<u32> = |_| None;
        "DB_POOL_MAX_WAITING" [] Other All

        /// Longest wait for a connection while callers ask for more than the pool can provide; longer waits
        /// fail then, so that the others stay short. Default: `off`, each caller waits for its whole time.
        limit shed_target: Option<Duration> = |_| None;
        "DB_SHED_TARGET" [] Other All

        /// How long at least one caller must have been waiting at all times before `shed_target` applies;
        /// not less than `shed_target`. Default: 100 ms.
        copied shed_interval: Duration = |_| Duration::from_millis(100);
        "DB_SHED_INTERVAL" [] Other All

        /// How long a caller may hold a connection before a warning is logged, once, with the line of code
        /// that asked for it. Default: `off`, no warning.
        limit leak_threshold: Option<Duration> = |_| None;
        "DB_LEAK_THRESHOLD" [] Other All

        /// How long opening one connection may take. Default: 10 s.
        copied connection_timeout: Duration = |_| Duration::from_secs(10);
        "DB_CONNECTION_TIMEOUT" ["connect_timeout"] Other All

        /// Whether the operating system probes a silent TCP connection. Default: true.
        copied keepalives: bool = |_| true;
        "DB_KEEPALIVES" [] Other Own

        /// How long a TCP connection is silent before it is probed. Default: `off`, the operating system's
        /// own value.
        limit keepalives_idle: Option<Duration> = |_| None;
        "DB_KEEPALIVES_IDLE" [] Other Own

        /// How long a probe waits for its answer before the next one is sent. Default: `off`, the operating
        /// system's own value.
        limit keepalives_interval: Option<Duration> = |_| None;
        "DB_KEEPALIVES_INTERVAL" [] Other Own

        /// How many probes may stay unanswered before the connection is lost. Default: `off`, the operating
        /// system's own value.
        limit keepalives_count: Option<u32> = |_| None;
        "DB_KEEPALIVES_COUNT" [] Other Own

        /// How long data sent over TCP may stay unacknowledged before the connection is lost.
        /// Default: `off`, the operating system's own value.
        limit tcp_user_timeout: Option<Duration> = |_| None;
        "DB_TCP_USER_TIMEOUT" [] Other Own

        /// How long a caller waits for a connection from the pool. Default: 30 s.
        copied acquire_timeout: Duration = |_| Duration::from_secs(30);
        "DB_ACQUIRE_TIMEOUT" [] Other All

        /// How long the server works on one statement; `off` means no limit. A server that counts in
        /// milliseconds is told [`whole_millis_rounded_up`](crate::whole_millis_rounded_up). Default: 30 s.
        limit statement_timeout: Option<Duration> = |_| Some(Duration::from_secs(30));
        "DB_STATEMENT_TIMEOUT" [] Other All

        /// How long a connection above the minimum stays open unused; `off` means forever.
        /// Default: 10 min.
        limit idle_timeout: Option<Duration> = |_| Some(10 * MINUTE);
        "DB_IDLE_TIMEOUT" [] Other All

        /// Age at which a connection is replaced; `off` means never. Default: 30 min.
        limit max_lifetime: Option<Duration> = |_| Some(30 * MINUTE);
        "DB_MAX_LIFETIME" ["pool_recycle"] Other All

        /// When a connection is tested before it is handed out. Default: after 500 ms idle.
        copied health_check: HealthCheck = |_| HealthCheck::default();
        "DB_HEALTH_CHECK" [] Other All

        /// How often idle connections are tested in the background; `off` means never.
        /// Default: 30 s.
        limit health_check_interval: Option<Duration> = |_| Some(Duration::from_secs(30));
        "DB_HEALTH_CHECK_INTERVAL" [] Other All

        /// What is undone in a session before its connection goes to the next caller: `verified`,
        /// `fast`, `clean`, `reset`, or `custom:` with statements. [`Recycling`] says what each
        /// promises. Default: `verified`.
        cloned recycling: Recycling = |_| Recycling::default();
        "DB_RECYCLING" [] Other All

        /// How often connecting is retried after a failure. Default: 3. 0: never.
        copied max_retries: u32 = |_| 3;
        "DB_MAX_RETRIES" [] Other All

        /// Number of prepared statements that each connection keeps. Default: 256. 0: none; statements are
        /// unnamed, as poolers in transaction mode require, and the start of a session does not set the
        /// default of `statement_timeout`. A value that is set explicitly is sent.
        copied statement_cache_size: u32 = |_| 256;
        "DB_STATEMENT_CACHE_SIZE" [] Other All

        /// Whether statements outside of transactions that only read may share connections, several in
        /// flight on each. Default: true. false: each has a connection of its own while it runs, for
        /// poolers that do not support it.
        copied pipelining: bool = |_| true;
        "DB_PIPELINING" [] Other Own

        /// Hosts that serve reads, of several: `all` in turns, the `replicas` in turns, the `least_busy`,
        /// or the `nearest` as measured. If no such host can, the primary does. Default: all.
        copied read_from: ReadFrom = |_| ReadFrom::default();
        "DB_READ_FROM" [] Other Own

        /// Maximum lag of a replica that serves reads, in bytes of the primary's history. Default:
        /// `off`, any number.
        limit max_lag_bytes: Option<u32> = |_| None;
        "DB_MAX_LAG_BYTES" [] Other Own

        /// Maximum age of the latest change that a replica has replayed, if it has not replayed
        /// everything and serves reads. Default: `off`, any age.
        limit max_lag_time: Option<Duration> = |_| None;
        "DB_MAX_LAG_TIME" [] Other Own

        /// What happens if two hosts take writes on the same timeline, so that writes to either may
        /// be lost: `refuse` uses neither until one of them withdraws, `keep` continues with the one in
        /// use. Default: refuse.
        copied two_primaries: TwoPrimaries = |_| TwoPrimaries::default();
        "DB_TWO_PRIMARIES" [] Other Own

        /// Whether the text of an error includes what the server adds to its message. That often holds values
        /// of a row, so it does not belong in a log. Default: off.
        copied error_detail: bool = |_| false;
        "DB_ERROR_DETAIL" [] Other Own

        /// Bytes of the longest message that is accepted from the server, which may be one row; a
        /// longer one ends the connection before any memory is reserved for it. Default: 1073741824, the
        /// longest that PostgreSQL sends. At least 65536.
        copied message_limit: u32 = |_| 1 << 30;
        "DB_MESSAGE_LIMIT" [] Other Own

        /// Whether the password may be sent in clear text over a TCP connection that is not encrypted,
        /// if the server asks for that. Default: off.
        copied allow_cleartext_password: bool = |_| false;
        "DB_ALLOW_CLEARTEXT_PASSWORD" [] Other Own

        /// How long a statement waits for another connection's lock on the file; `off` means it does not
        /// wait. Default: 5 s.
        limit busy_timeout: Option<Duration> = |_| Some(Duration::from_secs(5));
        "DB_BUSY_TIMEOUT" [] Other Own

        /// Whether the file is opened for reading only; `?mode=ro` in a URL. Default: off.
        copied read_only: bool = |_| false;
        "DB_READ_ONLY" [] Other Own

        /// Whether the file is created if it does not exist; `?mode=rwc` in a URL. Default: off, a path
        /// without a file is an error.
        copied create: bool = |_| false;
        "DB_CREATE" [] Other Own

        /// Whether the file does not change while it is open, as on a read-only medium: it is not locked, and
        /// is opened for reading only. Default: off.
        copied immutable: bool = |_| false;
        "DB_IMMUTABLE" [] Other Own

        /// Whether rows that cannot be read are left out and values that cannot be read are NULL, with a
        /// warning in the log; otherwise they are errors. Default: off.
        copied lenient: bool = |_| false;
        "DB_LENIENT" [] Other Own

        /// How UUIDs are written if the declared type of the column does not decide: `text`, or `blob`,
        /// 16 bytes, as rusqlite and sqlx write them. Both are read. Default: text.
        copied uuids: UuidForm = |_| UuidForm::default();
        "DB_UUIDS" [] Other Own

        /// How times are written if the declared type of the column does not decide: `text`; `offset` or
        /// `rfc3339`, as rusqlite and sqlx write chrono's `DateTime`; or `unix`, whole seconds. All are read.
        /// Default: text.
        copied times: TimeForm = |_| TimeForm::default();
        "DB_TIMES" [] Other Own

        /// Whether statements may attach other database files. false: no statement opens any file
        /// but the database's own. Default: true.
        copied attach: bool = |_| true;
        "DB_ATTACH" [] Other Own

        /// URL that migrations connect to instead, for a database that is otherwise reached through a
        /// pooler in transaction mode; it says the whole place, with user and password. Default: none.
        url migrate_url: Secret = |_| Secret::default();
        "MIGRATE_DATABASE_URL" [] Other All

        /// URL of a database on whose server scratch databases are made, in which schemas and revisions
        /// are tried. Default: none, the server of the database itself.
        url scratch_url: Secret = |_| Secret::default();
        "SCRATCH_DATABASE_URL" [] Other All

        /// What a run of migrations does if the database has revisions that the program does not know:
        /// `error` refuses, `ignore` warns and leaves them as they are, for an application that was rolled
        /// back. Default: error.
        copied migrate_ahead: Ahead = |_| Ahead::default();
        "DB_MIGRATE_AHEAD" [] Other All

        /// Environment that the service runs in. Default: development.
        copied environment: Environment = |_| Environment::default();
        "UNDERPIN_ENV" [] Other All
        }
    };
}

pub(crate) use with_fields;
