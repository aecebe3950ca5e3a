use underpin_core::Engine;
use underpin_migrate::words;
use underpin_schema::{SchemaDialect, Use};

/// What becomes of a statement in a scratch database.
pub(super) fn use_of(sql: &str, engine: Engine, dialect: &SchemaDialect) -> Use {
    let words = words(sql, Some(engine));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match &words[..] {
        ["BEGIN" | "START", ..] => Use::Begin,
        ["ROLLBACK", rest @ ..] if rest.contains(&"TO") => Use::Run,
        ["COMMIT" | "END" | "ROLLBACK" | "ABORT", ..] => Use::End,
        words => (dialect.use_of)(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn use_of(sql: &str, engine: Engine) -> Use {
        super::use_of(sql, engine, SchemaDialect::of(engine).unwrap())
    }

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
            ("ALTER TABLE public.users OWNER TO app", Use::Access),
            (
                "/* all */ ALTER FUNCTION f(a int) OWNER TO \"App\"",
                Use::Access,
            ),
            ("GRANT SELECT ON users TO app", Use::Access),
            (
                "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO app",
                Use::Access,
            ),
            ("GRANT admin TO app", Use::PassOver),
            ("REVOKE CONNECT ON DATABASE shop FROM PUBLIC", Use::PassOver),
            ("CREATE ROLE app", Use::Refuse),
            ("drop database shop", Use::Refuse),
            ("COPY users TO PROGRAM 'cat'", Use::Refuse),
            ("COMMENT ON DATABASE shop IS 'x'", Use::Refuse),
        ] {
            assert_eq!(use_of(sql, Engine::POSTGRES), expected, "{sql}");
        }
        for (sql, expected) in [
            ("CREATE TABLE sqlite_sequence(name,seq)", Use::PassOver),
            ("ATTACH 'other.db' AS other", Use::Refuse),
            ("VACUUM INTO 'other.db'", Use::Refuse),
            ("VACUUM", Use::Run),
            ("CREATE TABLE role (id int)", Use::Run),
        ] {
            assert_eq!(use_of(sql, Engine::SQLITE), expected, "{sql}");
        }
    }
}
