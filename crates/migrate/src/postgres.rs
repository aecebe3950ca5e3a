use std::time::Duration;

use crate::dialect::Dialect;

pub(crate) const DIALECT: Dialect = Dialect {
    begin: "BEGIN",
    find_history: "\
SELECT pg_catalog.current_schema()::text AS current,
  (SELECT n.nspname::text FROM pg_catalog.pg_class AS c
     JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.oid = pg_catalog.to_regclass('underpin_migrations')) AS found",
    create_history: "\
CREATE TABLE IF NOT EXISTS {table} (
  id text PRIMARY KEY,
  message text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  duration_ms bigint NOT NULL,
  version text NOT NULL,
  direction text CHECK (direction IN ('up', 'down')),
  statements_done bigint,
  statement_begun boolean NOT NULL DEFAULT false
)",
};

/// `underpin` as a number. An advisory lock belongs to one database of the server as it
/// is, so that the key need not tell databases apart.
pub(crate) const LOCK_KEY: i64 = i64::from_be_bytes(*b"underpin");

/// Takes the lock if it is free, and does not wait: whoever waited would do so within a
/// statement, and CREATE INDEX CONCURRENTLY waits for every statement that is under way.
pub(crate) const TRY_LOCK: &str = "SELECT pg_catalog.pg_try_advisory_lock($1) AS taken";

pub(crate) const UNLOCK: &str = "SELECT pg_catalog.pg_advisory_unlock($1) AS freed";

/// What a run needs of its session.
pub(crate) const SETTINGS: [&str; 2] = [
    "SET statement_timeout = 0",
    "SET idle_in_transaction_session_timeout = 0",
];

/// What is good to have, and not there on every version and system. With the last, the
/// server soon ends the statement, and frees the lock, of a run that was killed.
pub(crate) const GOOD_SETTINGS: [&str; 2] = [
    "SET transaction_timeout = 0",
    "SET client_connection_check_interval = 1000",
];

/// A lock timeout of zero is none, so that a shorter one than the unit is rounded up.
pub(crate) fn lock_timeout(limit: Option<Duration>) -> String {
    let millis = limit.map_or(0, |limit| limit.as_nanos().div_ceil(1_000_000).max(1));
    format!("SET lock_timeout = {}", millis.min(i32::MAX as u128))
}

/// Indexes that a CREATE INDEX CONCURRENTLY which failed has left behind.
pub(crate) const INVALID_INDEXES: &str = "\
SELECT n.nspname::text AS schema, c.relname::text AS name
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE NOT i.indisvalid ORDER BY 1, 2";
