//! Where statements end, as PostgreSQL and SQLite see it: quotes, comments and dollar quotes
//! hide a semicolon.

/// The offset of the first character that belongs to a statement, not to white space or to a
/// comment.
pub(crate) fn first_word(sql: &str) -> Option<usize> {
    let mut at = 0;
    while at < sql.len() {
        let rest = &sql[at..];
        let blank = rest.len()
            - rest
                .trim_start_matches(|c: char| c.is_whitespace() || c == ';')
                .len();
        let skipped = blank.max(comment(rest));
        if skipped == 0 {
            return Some(at);
        }
        at += skipped;
    }
    None
}

/// The offset of a second statement, where there is one.
pub(crate) fn second_statement(sql: &str) -> Option<usize> {
    let first = first_word(sql)?;
    let end = first + end(&sql[first..])?;
    first_word(&sql[end..]).map(|at| end + at)
}

/// The offset of the semicolon that ends a statement.
fn end(sql: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(next) = sql[at..].chars().next() {
        let rest = &sql[at..];
        if next == ';' {
            return Some(at);
        }
        at += match next {
            '\'' => quoted(rest, '\'', escapes(&sql[..at])),
            '"' | '`' => quoted(rest, next, false),
            '$' if !sql[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') => {
                dollar_quoted(rest)
            }
            '-' | '/' => comment(rest).max(1),
            _ => next.len_utf8(),
        };
    }
    None
}

/// Whether a quote after this text begins a string in which a backslash escapes: `E'…'`.
fn escapes(before: &str) -> bool {
    let Some(rest) = before.strip_suffix(['e', 'E']) else {
        return false;
    };
    !rest.ends_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// The length of the comment that the text begins with, which may hold others.
fn comment(sql: &str) -> usize {
    if sql.starts_with("--") {
        return sql.find('\n').map_or(sql.len(), |end| end + 1);
    }
    if !sql.starts_with("/*") {
        return 0;
    }
    let (mut at, mut depth) = (2, 1);
    while depth > 0 {
        let Some(next) = sql[at..].find(['*', '/']).map(|next| at + next) else {
            return sql.len();
        };
        let (step, deeper) = match &sql.as_bytes()[next..] {
            [b'*', b'/', ..] => (2, -1),
            [b'/', b'*', ..] => (2, 1),
            _ => (1, 0),
        };
        depth += deeper;
        at = next + step;
    }
    at
}

/// The length of what is quoted; a doubled quote is two that follow each other.
fn quoted(sql: &str, quote: char, escapes: bool) -> usize {
    let mut escaped = false;
    for (at, character) in sql.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if escapes && character == '\\' {
            escaped = true;
        } else if character == quote {
            return at + 1;
        }
    }
    sql.len()
}

/// The length of `$tag$ … $tag$`, or of the dollar alone, as before the number of a parameter.
fn dollar_quoted(sql: &str) -> usize {
    let inner = &sql[1..];
    let tag = inner
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(inner.len());
    if !inner[tag..].starts_with('$') || inner.starts_with(|c: char| c.is_ascii_digit()) {
        return 1;
    }
    let quote = &sql[..tag + 2];
    let body = &sql[quote.len()..];
    body.find(quote)
        .map_or(sql.len(), |end| quote.len() + end + quote.len())
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
