//! Where statements begin, as PostgreSQL and SQLite see it: quotes, comments and dollar quotes
//! hide a semicolon.

use underpin_sql::{COMMON, Kind, Lexer, Token};

/// The offset of the first character that belongs to a statement, not to white space or to a
/// comment.
pub(crate) fn first_word(sql: &str) -> Option<usize> {
    let mut tokens = Lexer::new(sql, &COMMON).solid();
    first(&mut tokens)
}

/// The offset of a second statement, where there is one.
pub(crate) fn second_statement(sql: &str) -> Option<usize> {
    let mut tokens = Lexer::new(sql, &COMMON).solid();
    first(&mut tokens)?;
    tokens.find(|token| token.kind == Kind::Semicolon)?;
    first(&mut tokens)
}

fn first<'a>(tokens: &mut impl Iterator<Item = Token<'a>>) -> Option<usize> {
    let first = tokens.find(|token| token.kind != Kind::Semicolon);
    first.map(|token| token.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_second_statement_is_one() {
        for one in [
            "",
            "SELECT 1",
            "-- a; b\nSELECT 1; -- that is; all\n/* so; */ ;",
            "SELECT ';', \"a;b\", 'it''s; one'",
            "SELECT E'\\'; one', $1 || $2",
            "SELECT $$a; b$$, $x$ $y$ ; $x$",
            "/* a /* b; */ c; */ SELECT 1",
            "SELECT a - b / c",
            "SELECT 1 -- one\r; -- and no more",
        ] {
            assert_eq!(second_statement(one), None, "{one}");
        }
        for (two, at) in [
            ("SELECT 1; SELECT 2", 10),
            ("SELECT 'a\\'; SELECT 2", 13),
            ("SELECT $1; $2", 11),
            ("/* */ a; -- c\nb", 14),
        ] {
            assert_eq!(second_statement(two), Some(at), "{two}");
        }
    }

    #[test]
    fn what_is_only_a_comment_is_no_statement() {
        assert_eq!(first_word(" -- a\n/* b */ ; "), None);
        assert_eq!(first_word(" -- a\nSELECT"), Some(6));
    }
}
