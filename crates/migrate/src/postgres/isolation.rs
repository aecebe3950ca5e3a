//! What a statement changes beyond its database, on PostgreSQL: roles, other databases, and all
//! else that its servers share.

use underpin_sql::{Kind, Lexer, POSTGRES};

use crate::dialect::{Isolation, Reach};

pub(super) const ISOLATION: Isolation = Isolation {
    reach,
    check: CHECK,
    refusal: "UP001",
    role: "SELECT 1 AS found FROM pg_catalog.pg_roles WHERE rolname = $1",
};

/// A writer of a shared catalog holds its lock to the end of the transaction. Where others write
/// too, or where the lock is not kept, rows of the transaction itself are told by their xmin: they
/// are visible, and the transaction that wrote them is in progress. Without an id, nothing was
/// written. Databases and settings of the scratch database itself go with it.
const CHECK: &str = "\
DO $underpin$
DECLARE
  own CONSTANT xid8 := pg_catalog.pg_current_xact_id_if_assigned();
  here CONSTANT oid := (SELECT oid FROM pg_catalog.pg_database
    WHERE datname = pg_catalog.current_database());
  writing CONSTANT oid[] := ARRAY(SELECT l.relation FROM pg_catalog.pg_locks AS l
    WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.database = 0
      AND l.mode NOT IN ('AccessShareLock', 'RowShareLock'));
  beyond text[] := '{}';
  remote regproc;
  number bigint;
BEGIN
  IF own IS NOT NULL THEN
    IF 1260 = ANY (writing) THEN
      IF pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'SELECT') THEN
        beyond := beyond || ARRAY(SELECT 'the role ' || pg_catalog.quote_ident(a.rolname)
          FROM pg_catalog.pg_authid AS a WHERE pg_catalog.age(a.xmin) <= 0 AND pg_catalog.pg_xact_status(
            (own::text::bigint - pg_catalog.age(a.xmin))::text::xid8) = 'in progress' ORDER BY 1);
      END IF;
      IF pg_catalog.cardinality(beyond) = 0 THEN
        beyond := beyond || 'roles'::text;
      END IF;
    END IF;
    IF 1261 = ANY (writing) THEN
      beyond := beyond || 'memberships of roles'::text;
    END IF;
    IF 1213 = ANY (writing) THEN
      beyond := beyond || 'tablespaces'::text;
    END IF;
    IF 6100 = ANY (writing) THEN
      beyond := beyond || 'subscriptions'::text;
    END IF;
    beyond := beyond || ARRAY(SELECT 'the database ' || pg_catalog.quote_ident(d.datname)
      FROM pg_catalog.pg_database AS d WHERE d.oid <> here AND pg_catalog.age(d.xmin) <= 0
        AND pg_catalog.pg_xact_status(
          (own::text::bigint - pg_catalog.age(d.xmin))::text::xid8) = 'in progress' ORDER BY 1);
    SELECT pg_catalog.count(*) INTO number FROM pg_catalog.pg_db_role_setting AS s
      WHERE s.setdatabase <> here AND pg_catalog.age(s.xmin) <= 0 AND pg_catalog.pg_xact_status(
        (own::text::bigint - pg_catalog.age(s.xmin))::text::xid8) = 'in progress';
    IF number > 0 OR 2964 = ANY (writing) AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_db_role_setting AS s WHERE s.setdatabase = here) THEN
      beyond := beyond || 'settings of roles or databases'::text;
    END IF;
    SELECT pg_catalog.count(*) INTO number FROM pg_catalog.pg_shdescription AS s
      WHERE (s.classoid, s.objoid) <> (1262, here) AND pg_catalog.age(s.xmin) <= 0
        AND pg_catalog.pg_xact_status(
          (own::text::bigint - pg_catalog.age(s.xmin))::text::xid8) = 'in progress';
    IF number > 0 THEN
      beyond := beyond || 'comments on roles, databases or tablespaces'::text;
    END IF;
    SELECT pg_catalog.count(*) INTO number FROM pg_catalog.pg_shseclabel AS s
      WHERE pg_catalog.age(s.xmin) <= 0 AND pg_catalog.pg_xact_status(
        (own::text::bigint - pg_catalog.age(s.xmin))::text::xid8) = 'in progress';
    IF number > 0 THEN
      beyond := beyond || 'security labels'::text;
    END IF;
    SELECT pg_catalog.count(*) INTO number FROM pg_catalog.pg_replication_origin AS o
      WHERE pg_catalog.age(o.xmin) <= 0 AND pg_catalog.pg_xact_status(
        (own::text::bigint - pg_catalog.age(o.xmin))::text::xid8) = 'in progress';
    IF number > 0 THEN
      beyond := beyond || 'origins of replication'::text;
    END IF;
  END IF;
  SELECT p.oid::regproc INTO remote FROM pg_catalog.pg_proc AS p
    WHERE p.proname = 'postgres_fdw_get_connections' AND p.prolang = 13 LIMIT 1;
  IF remote IS NOT NULL THEN
    EXECUTE 'SELECT count(*) FROM ' || remote::text || '()' INTO number;
    IF number > 0 THEN
      beyond := beyond || 'a foreign server'::text;
    END IF;
  END IF;
  IF pg_catalog.cardinality(beyond) > 0 THEN
    RAISE EXCEPTION USING ERRCODE = 'UP001', MESSAGE = '{' || pg_catalog.array_to_string(beyond, ', ') || '}';
  END IF;
END
$underpin$";

/// What a server has beside its databases, and its databases.
const BEYOND: [&str; 5] = [
    "DATABASE",
    "TABLESPACE",
    "SYSTEM",
    "SUBSCRIPTION",
    "PARAMETER",
];

const ROLES: [&str; 3] = ["ROLE", "USER", "GROUP"];

/// Functions whose effects no rollback undoes, or that reach other servers and files.
const UNDONE_BY_NOTHING: [&str; 24] = [
    "DBLINK",
    "DBLINK_CONNECT",
    "DBLINK_CONNECT_U",
    "DBLINK_EXEC",
    "DBLINK_OPEN",
    "DBLINK_SEND_QUERY",
    "LO_EXPORT",
    "PG_CANCEL_BACKEND",
    "PG_COPY_LOGICAL_REPLICATION_SLOT",
    "PG_COPY_PHYSICAL_REPLICATION_SLOT",
    "PG_CREATE_LOGICAL_REPLICATION_SLOT",
    "PG_CREATE_PHYSICAL_REPLICATION_SLOT",
    "PG_CREATE_RESTORE_POINT",
    "PG_DROP_REPLICATION_SLOT",
    "PG_FILE_RENAME",
    "PG_FILE_UNLINK",
    "PG_FILE_WRITE",
    "PG_PROMOTE",
    "PG_RELOAD_CONF",
    "PG_ROTATE_LOGFILE",
    "PG_SWITCH_WAL",
    "PG_TERMINATE_BACKEND",
    "PG_WAL_REPLAY_PAUSE",
    "PG_WAL_REPLAY_RESUME",
];

fn reach(words: &[String]) -> Reach {
    let all: Vec<&str> = words.iter().map(String::as_str).collect();
    match &all[..] {
        ["CREATE" | "ALTER" | "DROP", "USER", "MAPPING", ..] => Reach::Within,
        ["CREATE" | "ALTER", what, name, ..] if ROLES.contains(what) => role(name),
        ["DROP", what, ..] if ROLES.contains(what) => Reach::Beyond,
        ["CREATE" | "ALTER" | "DROP", what, ..] if BEYOND.contains(what) => Reach::Beyond,
        ["COMMENT", "ON", what, ..] if BEYOND.contains(what) || ROLES.contains(what) => {
            Reach::Beyond
        }
        ["GRANT" | "REVOKE", rest @ ..] => grant(rest),
        ["COPY", rest @ ..] => copy(rest),
        ["DO", ..] if words.iter().any(|word| body_reaches(word)) => Reach::Refused,
        rest if runs(rest) && reaches(rest) => Reach::Refused,
        _ => Reach::Within,
    }
}

/// Of the role that the session has, and of all roles, there is no name to look for.
fn role(name: &str) -> Reach {
    match name {
        "ALL" | "CURRENT_USER" | "CURRENT_ROLE" | "SESSION_USER" => Reach::Beyond,
        quoted if quoted.starts_with('"') => {
            Reach::Role(quoted.trim_matches('"').replace("\"\"", "\""))
        }
        plain => Reach::Role(plain.to_lowercase()),
    }
}

/// A membership names no object, after ON.
fn grant(words: &[&str]) -> Reach {
    let object = words.iter().position(|word| *word == "ON");
    let object = object.and_then(|at| words.get(at + 1));
    match object {
        None => Reach::Beyond,
        Some(what) if BEYOND.contains(what) => Reach::Beyond,
        Some(_) => Reach::Within,
    }
}

/// Of a file or program of the server, unless it is the client.
fn copy(words: &[&str]) -> Reach {
    let mut ways = words.windows(2);
    let place = ways.rfind(|pair| ["FROM", "TO"].contains(&pair[0]) && is_place(pair[1]));
    match place {
        Some(["TO", _]) => Reach::Beyond,
        Some(_) => Reach::Refused,
        None => Reach::Within,
    }
}

fn is_place(word: &str) -> bool {
    word == "PROGRAM" || word.starts_with('\'') || word.starts_with("E'")
}

/// Whether the statement runs the functions that it names, and does not only define something.
fn runs(words: &[&str]) -> bool {
    const RUNNING: [&str; 8] = [
        "CALL", "DELETE", "INSERT", "MERGE", "SELECT", "UPDATE", "VALUES", "WITH",
    ];
    const FILLED: [&str; 5] = ["MATERIALIZED", "TABLE", "TEMP", "TEMPORARY", "UNLOGGED"];
    match words {
        [first, ..] if RUNNING.contains(first) => true,
        ["CREATE", what, rest @ ..] => FILLED.contains(what) && rest.contains(&"AS"),
        _ => false,
    }
}

fn reaches(words: &[&str]) -> bool {
    let calls = words.windows(2);
    let mut calls = calls.filter(|pair| pair[1] == "(");
    calls.any(|pair| UNDONE_BY_NOTHING.contains(&pair[0].trim_matches('"')))
}

/// Whether the body of a DO calls what no rollback undoes. What else it reaches is seen when it has
/// run.
fn body_reaches(text: &str) -> bool {
    let body = match text.strip_prefix('$').and_then(|rest| rest.split_once('$')) {
        Some((_, body)) => body.to_owned(),
        None => text.trim_matches('\'').replace("''", "'"),
    };
    let words: Vec<String> = Lexer::new(&body, &POSTGRES.lexis)
        .solid()
        .take_while(|token| token.closed)
        .map(|token| match token.kind {
            Kind::Text => token.text.to_owned(),
            _ => token.text.to_ascii_uppercase(),
        })
        .collect();
    let all: Vec<&str> = words.iter().map(String::as_str).collect();
    let files = all.iter().position(|word| *word == "COPY");
    let files = files.is_some_and(|at| copy(&all[at..]) != Reach::Within);
    let ends = all.windows(2).any(|pair| pair == ["COMMIT", ";"]);
    let shared = all.windows(2).any(|pair| {
        ["CREATE", "ALTER", "DROP"].contains(&pair[0])
            && (BEYOND.contains(&pair[1]) || ROLES.contains(&pair[1]))
    });
    reaches(&all) || files || (ends && shared)
}

#[cfg(test)]
mod tests {
    use underpin_core::Engine;

    use super::*;
    use crate::sql::words;

    fn of(sql: &str) -> Reach {
        reach(&words(sql, Some(Engine::POSTGRES)))
    }

    #[test]
    fn the_reach_of_a_statement() {
        let role = |name: &str| Reach::Role(name.to_owned());
        for (sql, expected) in [
            ("CREATE TABLE role (database int)", Reach::Within),
            ("CREATE USER MAPPING FOR app SERVER s", Reach::Within),
            ("CREATE ROLE App LOGIN", role("app")),
            ("create user \"App\"\"s\"", role("App\"s")),
            ("ALTER ROLE app PASSWORD 'x'", role("app")),
            ("ALTER ROLE CURRENT_USER PASSWORD 'x'", Reach::Beyond),
            ("ALTER ROLE ALL SET work_mem = '1MB'", Reach::Beyond),
            ("DROP ROLE IF EXISTS app", Reach::Beyond),
            ("ALTER DATABASE shop SET search_path = x", Reach::Beyond),
            ("ALTER SYSTEM SET work_mem = '1GB'", Reach::Beyond),
            ("DROP DATABASE old", Reach::Beyond),
            ("COMMENT ON ROLE app IS 'x'", Reach::Beyond),
            ("COMMENT ON TABLE t IS 'role'", Reach::Within),
            ("GRANT admin TO app", Reach::Beyond),
            ("GRANT SELECT ON users TO app", Reach::Within),
            ("GRANT CONNECT ON DATABASE shop TO app", Reach::Beyond),
            ("REVOKE ALL ON FUNCTION f() FROM PUBLIC", Reach::Within),
            ("COPY t FROM STDIN", Reach::Within),
            ("COPY t (a) FROM STDIN WITH (FORMAT csv)", Reach::Within),
            ("COPY t TO '/tmp/rows'", Reach::Beyond),
            ("COPY t FROM PROGRAM 'cat'", Reach::Refused),
            (
                "SELECT dblink_exec('host=db1', 'DROP TABLE t')",
                Reach::Refused,
            ),
            (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
                Reach::Refused,
            ),
            ("CREATE TABLE t AS SELECT pg_reload_conf()", Reach::Refused),
            (
                "CREATE VIEW v AS SELECT pg_terminate_backend(1)",
                Reach::Within,
            ),
            (
                "DO $$ BEGIN PERFORM dblink_exec('a', 'b'); END $$",
                Reach::Refused,
            ),
            ("DO 'BEGIN COPY t TO PROGRAM ''cat''; END'", Reach::Refused),
            (
                "DO $x$ BEGIN EXECUTE 'CREATE ROLE a'; END $x$",
                Reach::Within,
            ),
            ("DO $$ BEGIN CREATE ROLE a; COMMIT; END $$", Reach::Refused),
            (
                "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ SELECT pg_reload_conf() $$",
                Reach::Within,
            ),
        ] {
            assert_eq!(of(sql), expected, "{sql}");
        }
    }
}
