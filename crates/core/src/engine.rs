use std::fmt;
use std::str::FromStr;
use std::sync::{PoisonError, RwLock};

/// A kind of database: a handle to its description. Anybody can describe another
/// ([`Engine::register`]); two are the same where their descriptions are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Engine(&'static EngineInfo);

/// What a configuration has to know of an engine before anything is connected.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EngineInfo {
    /// The name in configuration, output and metrics, in lower case.
    pub name: &'static str,
    /// The name in sentences.
    pub title: &'static str,
    /// Other names, in lower case; they and the name are schemes of URLs.
    pub aliases: &'static [&'static str],
    /// What a URL leads to.
    pub address: AddressForm,
    /// The keys of the configuration that mean something for this engine, beside those that
    /// every engine has.
    pub keys: &'static [&'static str],
    /// Connections in a pool where nothing is said.
    pub pool_size: u32,
    /// The longest limit on a statement that the engine can keep, in seconds; `None` for any.
    pub longest_statement_secs: Option<u64>,
}

/// What a URL leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressForm {
    /// A server on the network.
    Server {
        /// The port that it listens on by custom.
        port: u16,
        /// The user's name where nothing is said.
        user: Option<&'static str>,
    },
    /// A file, or the memory of this process.
    File,
}

/// The keys that say where a server is, who asks and how the way there is protected.
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
    keys: &[
        "allow_cleartext_password",
        "application_name",
        "channel_binding",
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

/// The engines that the project knows.
const KNOWN: [Engine; 2] = [Engine::POSTGRES, Engine::SQLITE];

/// Engines beside those.
static ADDED: RwLock<Vec<Engine>> = RwLock::new(Vec::new());

impl Engine {
    /// PostgreSQL and what speaks its protocol.
    pub const POSTGRES: Engine = Engine(&POSTGRES);
    /// SQLite, in a file or in memory.
    pub const SQLITE: Engine = Engine(&SQLITE);

    /// Makes an engine known by its names, so that configurations and URLs can ask for it. An
    /// engine whose name is taken already is not added; the one that has the name is returned.
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

    /// Whether a key of the configuration that not every engine has means something for this
    /// one.
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

    /// Reads an engine's name, its aliases (`postgresql`, `sqlite3`) and the
    /// `dialect+driver` form of SQLAlchemy, whatever the case.
    fn from_str(name: &str) -> Result<Self, UnknownEngine> {
        let lower = name.to_ascii_lowercase();
        let dialect = lower
            .split_once('+')
            .map_or(lower.as_str(), |(dialect, _)| dialect);
        let mut all = Engine::all().into_iter();
        all.find(|engine| engine.has_name(dialect))
            .ok_or(UnknownEngine)
    }
}

/// A name that stands for no engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownEngine;

impl fmt::Display for UnknownEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "this names no engine; the engines are {}",
            Engine::list()
        )
    }
}

impl Engine {
    /// The names of all engines, as a sentence lists them.
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
        assert!(Engine::POSTGRES.has_key("host") && !Engine::SQLITE.has_key("host"));
    }
}
