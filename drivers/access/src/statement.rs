//! What the text of a statement says: whether it writes, and what it names.

use underpin_core::{Class, Effect, Error};
use underpin_sql::{Kind, Lexer, Piece, SQLITE, Token, split};

/// Words that a statement begins with that changes something.
const WRITES: [&str; 14] = [
    "ALTER", "ANALYZE", "ATTACH", "CREATE", "DELETE", "DETACH", "DROP", "INSERT", "REINDEX",
    "REPLACE", "TRUNCATE", "UPDATE", "VACUUM", "MERGE",
];

/// Whether a statement would change something.
pub(crate) fn writes(sql: &str) -> bool {
    let mut words = Lexer::new(sql, &SQLITE.lexis)
        .solid()
        .filter(|token| token.kind == Kind::Word || is_bracket(token));
    let Some(first) = words.next() else {
        return false;
    };
    let is = |token: &Token<'_>, word: &str| token.text.eq_ignore_ascii_case(word);
    if WRITES.iter().any(|word| is(&first, word)) {
        return true;
    }
    if !is(&first, "WITH") {
        return false;
    }
    // What follows the last of the common table expressions.
    let mut depth = 0_usize;
    for token in words {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            _ if is(&token, "SELECT") || is(&token, "VALUES") => return false,
            _ if ["INSERT", "REPLACE", "UPDATE", "DELETE"]
                .iter()
                .any(|word| is(&token, word)) =>
            {
                return true;
            }
            _ => {}
        }
    }
    false
}

fn is_bracket(token: &Token<'_>) -> bool {
    matches!(token.kind, Kind::Open | Kind::Close)
}

/// Whether one of several statements would change something.
pub(crate) fn any_writes(sql: &str) -> bool {
    match split(sql, &SQLITE.lexis) {
        Ok(pieces) => pieces.iter().any(|piece| match piece {
            Piece::Statement { range, .. } => writes(&sql[range.clone()]),
            Piece::Rows { .. } | Piece::Between { .. } => false,
        }),
        Err(_) => writes(sql),
    }
}

/// Whether a statement names something, in quotes or without.
pub(crate) fn names(sql: &str, name: &str) -> bool {
    let mut tokens = Lexer::new(sql, &SQLITE.lexis).solid();
    tokens.any(|token| {
        let text = match token.kind {
            Kind::Word => token.text.to_owned(),
            Kind::Name => plain(token.text),
            _ => return false,
        };
        text.eq_ignore_ascii_case(name)
    })
}

/// A name without its quotes.
fn plain(name: &str) -> String {
    let mut inside = name.chars();
    let first = inside.next();
    inside.next_back();
    let inside = inside.as_str();
    match first {
        Some('[') => inside.to_owned(),
        Some(quote) => inside.replace(&format!("{quote}{quote}"), &quote.to_string()),
        None => String::new(),
    }
}

/// The error of whatever would change an Access file.
pub(crate) fn read_only(what: &str) -> Error {
    Error::new(
        Class::Unsupported,
        format!("{what} was not run: Access files are read, and not written."),
    )
    .with_effect(Effect::NotSent)
    .with_hint(
        "To write, use Access itself or its ODBC driver on Windows (odbc://DSN, with the feature \
         `odbc`), or copy the tables to another engine with `underpin copy`.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_something_is_known_by_its_words() {
        for sql in [
            "INSERT INTO t VALUES (1)",
            "/* x */ update t set a = 1",
            "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
            "WITH a(x) AS (SELECT 1), b AS (SELECT 2) DELETE FROM t",
            "create temp table t (a)",
        ] {
            assert!(writes(sql), "{sql}");
        }
        for sql in [
            "SELECT 'DELETE'",
            "WITH a AS (SELECT 1) SELECT * FROM a",
            "WITH a AS (SELECT 1 AS \"delete\") SELECT \"delete\" FROM a",
            "VALUES (1)",
            "EXPLAIN DELETE FROM t",
            "SELEKT 1",
            "",
        ] {
            assert!(!writes(sql), "{sql}");
        }
        assert!(any_writes("SELECT 1; DELETE FROM t"));
        assert!(!any_writes("SELECT 1; SELECT 'a;b'"));
    }

    #[test]
    fn names_are_found_in_quotes_and_without() {
        let sql = "SELECT a FROM [Order Details] JOIN \"Old \"\"x\"\"\" ON Orders.id = 'Invoices'";
        for name in ["order details", "ORDERS", "Old \"x\""] {
            assert!(names(sql, name), "{name}");
        }
        assert!(!names(sql, "Invoices"));
    }
}
