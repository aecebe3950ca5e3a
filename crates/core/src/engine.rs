use std::fmt;
use std::str::FromStr;

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Engine {
    /// PostgreSQL and what speaks its protocol.
    Postgres,
    /// SQLite, in a file or in memory.
    Sqlite,
}

impl Engine {
    /// Every engine, in the order in which messages list them.
    pub const ALL: [Engine; 2] = [Engine::POSTGRES, Engine::SQLITE];

    /// The name used in configuration, output and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Engine::POSTGRES => "postgres",
            Engine::SQLITE => "sqlite",
        }
    }

    /// The port a server of this engine listens on by custom; none for a file.
    pub fn default_port(self) -> Option<u16> {
        match self {
            Engine::POSTGRES => Some(5432),
            Engine::SQLITE => None,
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
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
        match dialect {
            "postgres" | "postgresql" | "pg" => Ok(Engine::POSTGRES),
            "sqlite" | "sqlite3" => Ok(Engine::SQLITE),
            _ => Err(UnknownEngine),
        }
    }
}

/// A name that stands for no engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownEngine;

impl fmt::Display for UnknownEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this names no engine; the engines are postgres and sqlite")
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
        for engine in Engine::ALL {
            assert_eq!(engine.name().parse(), Ok(engine));
        }
    }
}
