//! PostgreSQL's rules for a run of revisions.

use std::time::Duration;

use underpin_sql::POSTGRES;

use crate::dialect::{AdoptionRules, Concurrent, MigrationDialect, RunLock, SessionLock};

mod isolation;

/// The particulars of PostgreSQL in a run of revisions.
pub const DIALECT: MigrationDialect = MigrationDialect {
    sql: &POSTGRES,
    now: "pg_catalog.clock_timestamp()",
    find_history: "\
SELECT pg_catalog.current_schema()::text AS current,
  (SELECT n.nspname::text FROM pg_catalog.pg_class AS c
     JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.oid = pg_catalog.to_regclass('underpin_migrations')) AS found,
  EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
     WHERE a.attrelid = pg_catalog.to_regclass('underpin_migrations')
       AND a.attname = 'statements_ran' AND NOT a.attisdropped) AS complete",
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
  statements_ran text,
  statement_begun boolean NOT NULL DEFAULT false
)",
    // An advisory lock belongs to one database of the server as it is, so that the key need not
    // tell databases apart. A session that waited would do so within a statement, and CREATE INDEX
    // CONCURRENTLY waits for every statement that is under way.
    lock: RunLock::Session(SessionLock {
        take: "SELECT pg_catalog.pg_try_advisory_lock($1) AS taken",
        free: "SELECT pg_catalog.pg_advisory_unlock($1) AS freed",
        held: HELD,
        holder: HOLDER,
        session: SESSION,
    }),
    reset: Some(RESET),
    own_role: Some("SET SESSION AUTHORIZATION DEFAULT; RESET ROLE"),
    transaction: Some("SELECT pg_catalog.pg_current_xact_id()::text AS transaction"),
    isolation: Some(isolation::ISOLATION),
    settings: &[
        "SET statement_timeout = 0",
        "SET idle_in_transaction_session_timeout = 0",
    ],
    // With the last, the server soon ends the statement, and frees the lock, of a run that was
    // killed.
    optional_settings: &[
        "SET transaction_timeout = 0",
        "SET client_connection_check_interval = 1000",
    ],
    lock_timeout: Some(lock_timeout),
    creates_databases: false,
    foreign_keys: None,
    concurrent: Some(Concurrent {
        word: "concurrently",
        invalid_indexes: INVALID_INDEXES,
    }),
    adoption: Some(AdoptionRules {
        find_table: "SELECT 1 WHERE pg_catalog.to_regclass($1) IS NOT NULL",
        finds_qualified: true,
        checksum_in_hex: "encode(checksum, 'hex')",
    }),
};

/// What DISCARD ALL does, but for the advisory locks, and where a login has another role than its
/// own, that.
const RESET: &str = "\
CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ROLE; RESET ALL; UNLISTEN *; DEALLOCATE ALL; \
DISCARD TEMP; DISCARD SEQUENCES";

const HELD: &str = "\
SELECT EXISTS (SELECT FROM pg_catalog.pg_locks AS l
  WHERE l.locktype = 'advisory' AND l.granted AND l.pid = pg_catalog.pg_backend_pid()
    AND l.objsubid = 1 AND ((l.classid::bigint << 32) | l.objid::bigint) = $1) AS held";

const HOLDER: &str = "\
SELECT l.pid::bigint AS process, pg_catalog.host(a.client_addr) AS host,
  nullif(a.application_name, '') AS application
  FROM pg_catalog.pg_locks AS l
  JOIN pg_catalog.pg_database AS d ON d.oid = l.database
  LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
  WHERE l.locktype = 'advisory' AND l.granted AND d.datname = pg_catalog.current_database()
    AND l.objsubid = 1 AND ((l.classid::bigint << 32) | l.objid::bigint) = $1";

/// A number of a process may come again, and with it another time of its start.
const SESSION: &str = "\
SELECT a.pid::bigint AS process,
  a.pid::text || ' ' || extract(epoch FROM a.backend_start)::text AS session
  FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) AS a";

/// A lock timeout of zero is none, so that a shorter one than the unit is rounded up.
fn lock_timeout(limit: Option<Duration>) -> String {
    let millis = limit.map_or(0, |limit| limit.as_nanos().div_ceil(1_000_000).max(1));
    format!("SET lock_timeout = {}", millis.min(i32::MAX as u128))
}

/// Indexes that a CREATE INDEX CONCURRENTLY which failed has left behind.
const INVALID_INDEXES: &str = "\
SELECT n.nspname::text AS schema, c.relname::text AS name
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE NOT i.indisvalid ORDER BY 1, 2";
