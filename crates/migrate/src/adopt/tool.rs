use std::fmt;
use std::str::FromStr;

use underpin_core::{Class, Error};

/// A tool whose migrations can be adopted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Tool {
    /// Alembic, of SQLAlchemy.
    Alembic,
    /// The migrations of sqlx.
    Sqlx,
    /// The migrations of Diesel.
    Diesel,
    /// refinery.
    Refinery,
    /// Flyway.
    Flyway,
    /// golang-migrate.
    GolangMigrate,
}

impl Tool {
    /// All of them.
    pub const ALL: [Tool; 6] = [
        Tool::Alembic,
        Tool::Sqlx,
        Tool::Diesel,
        Tool::Refinery,
        Tool::Flyway,
        Tool::GolangMigrate,
    ];

    /// The name, as it is written on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Tool::Alembic => "alembic",
            Tool::Sqlx => "sqlx",
            Tool::Diesel => "diesel",
            Tool::Refinery => "refinery",
            Tool::Flyway => "flyway",
            Tool::GolangMigrate => "golang-migrate",
        }
    }

    /// Where its migrations are unless a person says otherwise.
    pub fn directory(self) -> &'static str {
        match self {
            Tool::Alembic => "alembic/versions",
            Tool::Flyway => "src/main/resources/db/migration",
            _ => "migrations",
        }
    }

    /// The table in which it keeps what is applied, unless a person says otherwise.
    pub fn table(self) -> &'static str {
        match self {
            Tool::Alembic => "alembic_version",
            Tool::Sqlx => "_sqlx_migrations",
            Tool::Diesel => "__diesel_schema_migrations",
            Tool::Refinery => "refinery_schema_history",
            Tool::Flyway => "flyway_schema_history",
            Tool::GolangMigrate => "schema_migrations",
        }
    }

    /// Reads the table, in the order of its application where that counts; `{table}` stands
    /// for its name, `{checksum_in_hex}` for a checksum of bytes as text. Each
    /// tool's rows have the same columns, as text.
    pub(crate) fn select(self) -> &'static str {
        match self {
            Tool::Alembic => {
                "SELECT CAST(version_num AS text) AS version, CAST(NULL AS text) AS name, \
                 CAST(NULL AS text) AS checksum, CAST(NULL AS text) AS kind, \
                 CAST('1' AS text) AS sound, CAST(NULL AS text) AS applied_at FROM {table} ORDER BY 1"
            }
            Tool::Sqlx => {
                "SELECT CAST(version AS text) AS version, CAST(description AS text) AS name, \
                 {checksum_in_hex} AS checksum, CAST(NULL AS text) AS kind, \
                 CASE WHEN success THEN '1' ELSE '0' END AS sound, CAST(installed_on AS text) AS applied_at FROM {table} ORDER BY version"
            }
            Tool::Diesel => {
                "SELECT CAST(version AS text) AS version, CAST(NULL AS text) AS name, \
                 CAST(NULL AS text) AS checksum, CAST(NULL AS text) AS kind, \
                 CAST('1' AS text) AS sound, CAST(run_on AS text) AS applied_at FROM {table} ORDER BY 1"
            }
            Tool::Refinery => {
                "SELECT CAST(version AS text) AS version, CAST(name AS text) AS name, \
                 CAST(checksum AS text) AS checksum, CAST(NULL AS text) AS kind, \
                 CAST('1' AS text) AS sound, CAST(applied_on AS text) AS applied_at FROM {table} ORDER BY version"
            }
            Tool::Flyway => {
                "SELECT CAST(version AS text) AS version, CAST(script AS text) AS name, \
                 CAST(checksum AS text) AS checksum, CAST(type AS text) AS kind, \
                 CASE WHEN success THEN '1' ELSE '0' END AS sound, CAST(installed_on AS text) AS applied_at FROM {table} \
                 ORDER BY installed_rank"
            }
            Tool::GolangMigrate => {
                "SELECT CAST(version AS text) AS version, CAST(NULL AS text) AS name, \
                 CAST(NULL AS text) AS checksum, CAST(NULL AS text) AS kind, \
                 CASE WHEN dirty THEN '0' ELSE '1' END AS sound, CAST(NULL AS text) AS applied_at FROM {table}"
            }
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Tool {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let named = |tool: &Tool| tool.name() == text;
        Tool::ALL.into_iter().find(named).ok_or_else(|| {
            let names: Vec<&str> = Tool::ALL.iter().map(|tool| tool.name()).collect();
            let message = format!("`{}` is not a tool to adopt from.", text.escape_debug());
            Error::new(Class::Config, message).with_hint(format!("Known are {}.", names.join(", ")))
        })
    }
}
