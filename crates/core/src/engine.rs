use std::fmt;
use std::str::FromStr;
use std::sync::{PoisonError, RwLock};

/// A kind of database: a handle to its description. A program can describe further engines
/// ([`Engine::register`]). Two engines are equal if their descriptions are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Engine(&'static EngineInfo);

/// The facts about an engine that a configuration needs before connecting.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EngineInfo {
    /// The name in configuration, output and metrics, in lower case.
    pub name: &'static str,
    /// The name in sentences.
    pub title: &'static str,
    /// Other names, in lower case; they and the name are schemes of URLs.
    pub aliases: &'static [&'static str],
    /// The target of a URL.
    pub address: AddressForm,
    /// The extensions of its files, in lower case, if they identify the engine. The name of such a
    /// file is a URL without a scheme.
    pub extensions: &'static [&'static str],
    /// The configuration keys that apply to this engine, in addition to those of every engine.
    pub keys: &'static [&'static str],
    /// Default number of connections in a pool.
    pub pool_size: u32,
    /// The longest statement timeout that the engine can represent, in seconds; `None` for any.
    pub longest_statement_secs: Option<u64>,
}

/// The target of a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressForm {
    /// A server on the network.
    Server {
        /// Its usual port.
        port: u16,
        /// The default user.
        user: Option<&'static str>,
    },
    /// A file, or the memory of this process.
    File,
    /// A data source that the driver manager of this machine knows by name.
    DataSource,
}

/// The keys for the address of a server, the user, and the protection of the connection.
const SERVER_KEYS: &[&str] = &[
    "host",
    "port",
    "user",
    "password",
    "password_file",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
];

static POSTGRES: EngineInfo = EngineInfo {
    name: "postgres",
    title: "PostgreSQL",
    aliases: &["postgresql", "pg"],
    address: AddressForm::Server {
        port: 5432,
        user: Some("postgres"),
    },
    extensions: &[],
    keys: &[
        "allow_cleartext_password",
        "application_name",
        "channel_binding",
        "discovery_interval",
        "error_detail",
        "fallback_application_name",
        "hostaddr",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "max_lag_bytes",
        "max_lag_time",
        "message_limit",
        "options",
        "passfile",
        "patroni",
        "pipelining",
        "read_from",
        "ssl_max_protocol_version",
        "ssl_min_protocol_version",
        "sslcrl",
        "sslnegotiation",
        "sslsni",
        "target_session_attrs",
        "tcp_user_timeout",
        "two_primaries",
    ],
    pool_size: 20,
    // Milliseconds in a 32-bit integer.
    longest_statement_secs: Some(2_147_483),
};

static SQLITE: EngineInfo = EngineInfo {
    name: "sqlite",
    title: "SQLite",
    aliases: &["sqlite3"],
    address: AddressForm::File,
    extensions: &[],
    keys: &[
        "busy_timeout",
        "read_only",
        "create",
        "immutable",
        "uuids",
        "times",
        "attach",
    ],
    pool_size: 4,
    longest_statement_secs: None,
};

static ACCESS: EngineInfo = EngineInfo {
    name: "access",
    title: "Access",
    aliases: &["msaccess"],
    address: AddressForm::File,
    extensions: &["mdb", "accdb"],
    keys: &["password", "password_file", "read_only", "lenient"],
    pool_size: 1,
    longest_statement_secs: None,
};

static ODBC: EngineInfo = EngineInfo {
    name: "odbc",
    title: "ODBC",
    aliases: &[],
    address: AddressForm::DataSource,
    extensions: &[],
    keys: &["user", "password", "password_file"],
    pool_size: 5,
    longest_statement_secs: None,
};

/// The engines that the project knows.
const KNOWN: [Engine; 4] = [
    Engine::POSTGRES,
    Engine::SQLITE,
    Engine::ACCESS,
    Engine::ODBC,
];

/// Registered engines.
static ADDED: RwLock<Vec<Engine>> = RwLock::new(Vec::new());

impl Engine {
    /// PostgreSQL and servers with its protocol.
    pub const POSTGRES: Engine = Engine(&POSTGRES);
    /// SQLite, in a file or in memory.
    pub const SQLITE: Engine = Engine(&SQLITE);
    /// Microsoft Access, in a file.
    pub const ACCESS: Engine = Engine(&ACCESS);
    /// Any database that has an ODBC driver, by the name of a data source.
    pub const ODBC: Engine = Engine(&ODBC);

    /// Registers an engine under its names, so that configurations and URLs can name it. An engine
    /// whose name is already taken is not added; the one with that name is returned.
    pub fn register(info: &'static EngineInfo) -> Engine {
        let mut added = ADDED.write().unwrap_or_else(PoisonError::into_inner);
        let mut known = KNOWN.iter().chain(added.iter());
        if let Some(taken) = known.find(|known| known.has_name(info.name)) {
            return *taken;
        }
        added.push(Engine(info));
        Engine(info)
    }

    /// Every engine that is known, in the order in which messages list them.
    pub fn all() -> Vec<Engine> {
        let added = ADDED.read().unwrap_or_else(PoisonError::into_inner);
        KNOWN.iter().chain(added.iter()).copied().collect()
    }

    /// Its description.
    pub fn info(self) -> &'static EngineInfo {
        self.0
    }

    /// The name used in configuration, output and metrics.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// The engine whose files have the extension of this name.
    pub fn of_file_name(name: &str) -> Option<Engine> {
        let (_, extension) = name.rsplit_once('.')?;
        let extension = extension.to_ascii_lowercase();
        let mut all = Engine::all().into_iter();
        all.find(|engine| engine.0.extensions.contains(&extension.as_str()))
    }

    /// Whether a configuration key that not every engine has applies to this one.
    pub fn has_key(self, key: &str) -> bool {
        let of_servers = matches!(self.0.address, AddressForm::Server { .. });
        (of_servers && SERVER_KEYS.contains(&key)) || self.0.keys.contains(&key)
    }

    fn has_name(self, name: &str) -> bool {
        self.0.name == name || self.0.aliases.contains(&name)
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Engine({})", self.name())
    }
}

impl FromStr for Engine {
    type Err = UnknownEngine;

    /// Parses an engine's name, its aliases (`postgresql`, `sqlite3`) and the `dialect+driver` form
    /// of SQLAlchemy, in any case. With the driver `odbc` (`access+odbc`) it is the engine ODBC.
    fn from_str(name: &str) -> Result<Self, UnknownEngine> {
        let lower = name.to_ascii_lowercase();
        let dialect = match lower.split_once('+') {
            Some((_, driver)) if ODBC.name == driver => driver,
            Some((dialect, _)) => dialect,
            None => lower.as_str(),
        };
        let mut all = Engine::all().into_iter();
        all.find(|engine| engine.has_name(dialect))
            .ok_or(UnknownEngine)
    }
}

/// The error for a name that is not that of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownEngine;

impl fmt::Display for UnknownEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "this is not the name of an engine; the engines are {}",
            Engine::list()
        )
    }
}

impl Engine {
    /// The names of all engines, as a list in a sentence.
    pub fn list() -> String {
        let names: Vec<&str> = Engine::all().into_iter().map(Engine::name).collect();
        match names.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => names.concat(),
        }
    }
}

impl std::error::Error for UnknownEngine {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_aliases_and_sqlalchemy_forms() {
        for name in ["postgres", "PostgreSQL", "postgresql+psycopg2"] {
            assert_eq!(name.parse(), Ok(Engine::POSTGRES), "{name}");
        }
        assert_eq!("sqlite+pysqlite".parse(), Ok(Engine::SQLITE));
        assert_eq!("Access+ODBC".parse(), Ok(Engine::ODBC));
        assert_eq!("oracle".parse::<Engine>(), Err(UnknownEngine));
        for engine in Engine::all() {
            assert_eq!(engine.name().parse(), Ok(engine));
        }
    }

    #[test]
    fn another_engine_is_known_once_it_is_registered() {
        static RIVER: EngineInfo = EngineInfo {
            name: "river",
            title: "River",
            aliases: &["riverdb"],
            address: AddressForm::File,
            extensions: &["river"],
            keys: &["read_only"],
            pool_size: 2,
            longest_statement_secs: None,
        };
        let river = Engine::register(&RIVER);
        assert_eq!("RiverDB".parse(), Ok(river));
        assert_eq!(Engine::register(&RIVER), river);
        assert_eq!(
            Engine::all()
                .iter()
                .filter(|known| **known == river)
                .count(),
            1
        );
        assert!(river.has_key("read_only") && !river.has_key("host"));
        assert_eq!(Engine::of_file_name("a/b.RIVER"), Some(river));
        assert_eq!(
            Engine::of_file_name("c:\\old.x.AccDB"),
            Some(Engine::ACCESS)
        );
        assert_eq!(Engine::of_file_name("accdb"), None);
        assert!(Engine::POSTGRES.has_key("host") && !Engine::SQLITE.has_key("host"));
    }
}
