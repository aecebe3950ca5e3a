//! SQLite's rules for a run of revisions.

use underpin_sql::SQLITE;

use crate::dialect::{AdoptionRules, ForeignKeyGuard, MigrationDialect, RunLock};

/// The particulars of SQLite in a run of revisions.
pub const DIALECT: MigrationDialect = MigrationDialect {
    sql: &SQLITE,
    now: "(strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
    find_history: "\
SELECT 'main' AS current,
  (SELECT 'main' FROM main.sqlite_schema WHERE type = 'table' AND name = 'underpin_migrations') AS found,
  EXISTS (SELECT 1 FROM pragma_table_info('underpin_migrations', 'main') WHERE name = 'statements_ran') AS complete",
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
  statements_ran text,
  statement_begun integer NOT NULL DEFAULT 0
)",
    lock: RunLock::File {
        database: "SELECT file FROM pragma_database_list WHERE name = 'main'",
        suffix: "-underpin-lock",
    },
    reset: None,
    own_role: None,
    transaction: None,
    isolation: None,
    settings: &[],
    optional_settings: &[],
    lock_timeout: None,
    creates_databases: true,
    foreign_keys: Some(ForeignKeyGuard {
        is_on: "SELECT foreign_keys FROM pragma_foreign_keys",
        off: "PRAGMA foreign_keys = OFF",
        on: "PRAGMA foreign_keys = ON",
        orphans: ORPHANS,
    }),
    concurrent: None,
    adoption: Some(AdoptionRules {
        find_table: "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name = $1",
        finds_qualified: false,
        checksum_in_hex: "lower(hex(checksum))",
    }),
};

/// Rows whose parent is missing, counted by table and parent.
const ORPHANS: &str = "\
SELECT \"table\" AS child, parent, count(*) AS rows FROM pragma_foreign_key_check
  GROUP BY 1, 2 ORDER BY 1, 2";
