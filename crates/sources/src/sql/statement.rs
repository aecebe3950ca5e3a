use underpin_core::Engine;
use underpin_migrate::words;

/// What becomes of a statement in a scratch database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Run,
    /// Run, and a transaction is open from here on.
    Begin,
    /// Run, and no transaction is open from here on.
    End,
    /// It is about owners or privileges, or the engine does it by itself.
    PassOver,
    /// It would reach beyond the database.
    Refuse,
}

/// What is not in one database but on its server.
const BEYOND: [&str; 8] = [
    "DATABASE",
    "ROLE",
    "USER",
    "GROUP",
    "TABLESPACE",
    "SYSTEM",
    "SUBSCRIPTION",
    "OWNED",
];

pub(super) fn use_of(sql: &str, engine: Engine) -> Use {
    let words = words(sql, Some(engine));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let last = words.len().saturating_sub(3);
    match (engine, &words[..]) {
        (_, ["BEGIN" | "START", ..]) => Use::Begin,
        (_, ["ROLLBACK", rest @ ..]) if rest.contains(&"TO") => Use::Run,
        (_, ["COMMIT" | "END" | "ROLLBACK" | "ABORT", ..]) => Use::End,
        (Engine::Postgres, ["CREATE" | "ALTER" | "DROP", "USER", "MAPPING", ..]) => Use::Run,
        (Engine::Postgres, ["GRANT" | "REVOKE", ..]) => Use::PassOver,
        // Of or to a file or program of the server.
        (Engine::Postgres, ["COPY", ..]) => Use::Refuse,
        (Engine::Postgres, ["ALTER", "DEFAULT", "PRIVILEGES", ..]) => Use::PassOver,
        (Engine::Postgres, ["CREATE" | "ALTER" | "DROP" | "REASSIGN", what, ..])
            if BEYOND.contains(what) =>
        {
            Use::Refuse
        }
        (Engine::Postgres, ["COMMENT", "ON", what, ..]) if BEYOND.contains(what) => Use::Refuse,
        (Engine::Postgres, ["ALTER", ..]) if words[last..].starts_with(&["OWNER", "TO"]) => {
            Use::PassOver
        }
        (Engine::Sqlite, ["ATTACH" | "DETACH", ..]) => Use::Refuse,
        (Engine::Sqlite, ["VACUUM", rest @ ..]) if rest.contains(&"INTO") => Use::Refuse,
        // The shell prints the engine's own tables too.
        (Engine::Sqlite, ["CREATE", "TABLE", name, ..]) if name.starts_with("SQLITE_") => {
            Use::PassOver
        }
        _ => Use::Run,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_becomes_of_a_statement() {
        for (sql, expected) in [
            ("CREATE TABLE users (id int)", Use::Run),
            ("CREATE USER MAPPING FOR app SERVER s", Use::Run),
            ("CREATE TABLE owner (\"to\" text)", Use::Run),
            ("begin", Use::Begin),
            ("START TRANSACTION", Use::Begin),
            ("COMMIT", Use::End),
            ("ROLLBACK TO SAVEPOINT a", Use::Run),
            ("ALTER TABLE public.users OWNER TO app", Use::PassOver),
            (
                "/* all */ ALTER FUNCTION f(a int) OWNER TO \"App\"",
                Use::PassOver,
            ),
            ("GRANT SELECT ON users TO app", Use::PassOver),
            (
                "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO app",
                Use::PassOver,
            ),
            ("CREATE ROLE app", Use::Refuse),
            ("drop database shop", Use::Refuse),
            ("COPY users TO PROGRAM 'cat'", Use::Refuse),
            ("COMMENT ON DATABASE shop IS 'x'", Use::Refuse),
        ] {
            assert_eq!(use_of(sql, Engine::Postgres), expected, "{sql}");
        }
        for (sql, expected) in [
            ("CREATE TABLE sqlite_sequence(name,seq)", Use::PassOver),
            ("ATTACH 'other.db' AS other", Use::Refuse),
            ("VACUUM INTO 'other.db'", Use::Refuse),
            ("VACUUM", Use::Run),
            ("CREATE TABLE role (id int)", Use::Run),
        ] {
            assert_eq!(use_of(sql, Engine::Sqlite), expected, "{sql}");
        }
    }
}
