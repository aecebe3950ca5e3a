use crate::dialect::Dialect;

pub(crate) const DIALECT: Dialect = Dialect {
    begin: "BEGIN IMMEDIATE",
    find_history: "\
SELECT 'main' AS current,
  (SELECT 'main' FROM main.sqlite_schema WHERE type = 'table' AND name = 'underpin_migrations') AS found",
    create_history: "\
CREATE TABLE IF NOT EXISTS {table} (
  id text NOT NULL PRIMARY KEY,
  message text NOT NULL,
  checksum text NOT NULL,
  applied_at text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  duration_ms integer NOT NULL,
  version text NOT NULL,
  direction text CHECK (direction IN ('up', 'down')),
  statements_done integer,
  statement_begun integer NOT NULL DEFAULT 0
)",
};

/// The path of the database's file; empty in memory.
pub(crate) const FILE: &str = "SELECT file FROM pragma_database_list WHERE name = 'main'";

/// What the lock's file is called: the database's path with this behind it.
pub(crate) const LOCK_SUFFIX: &str = "-underpin-lock";

pub(crate) const FOREIGN_KEYS: &str = "SELECT foreign_keys FROM pragma_foreign_keys";
pub(crate) const FOREIGN_KEYS_OFF: &str = "PRAGMA foreign_keys = OFF";
pub(crate) const FOREIGN_KEYS_ON: &str = "PRAGMA foreign_keys = ON";

/// Rows whose parent is missing, counted by table and parent.
pub(crate) const ORPHANS: &str = "\
SELECT \"table\" AS child, parent, count(*) AS rows FROM pragma_foreign_key_check
  GROUP BY 1, 2 ORDER BY 1, 2";
