//! Default values that are constants, which every engine can have.

use underpin_sql::{Kind as TokenKind, Lexer, Lexis, Token};

/// A default value that does not depend on an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// NULL.
    Null,
    /// True or false.
    Bool(bool),
    /// A number, as it is written.
    Number(String),
    /// A text.
    Text(String),
    /// The time of the statement or transaction.
    Now,
}

/// The functions and keywords that give the present.
const PRESENT: [&str; 8] = [
    "now",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtimestamp",
    "transaction_timestamp",
    "statement_timestamp",
    "clock_timestamp",
];

/// Reads a default value: a constant, perhaps in parentheses and with a cast (`'a'::text`), or the
/// present.
pub(crate) fn literal(sql: &str, lexis: &Lexis) -> Option<Literal> {
    let tokens: Vec<Token<'_>> = Lexer::new(sql, lexis).solid().collect();
    let mut rest = &tokens[..];
    while let [first, inner @ .., last] = rest
        && first.kind == TokenKind::Open
        && last.kind == TokenKind::Close
    {
        rest = inner;
    }
    let (negative, rest) = match rest {
        [sign, rest @ ..] if sign.is_sign("-") => (true, rest),
        rest => (false, rest),
    };
    let (first, rest) = rest.split_first()?;
    // A constant in parentheses of its own: `(0)::numeric`.
    let (first, rest) = match (first.kind, rest) {
        (TokenKind::Open, [inner, close, rest @ ..]) if close.kind == TokenKind::Close => {
            (inner, rest)
        }
        _ => (first, rest),
    };
    let literal = match first.kind {
        TokenKind::Number => {
            let sign = if negative { "-" } else { "" };
            Literal::Number(format!("{sign}{}", first.text))
        }
        _ if negative => return None,
        TokenKind::Text => Literal::Text(text(first.text)?),
        TokenKind::Word => {
            let word = first.text.to_ascii_lowercase();
            match word.as_str() {
                "null" => Literal::Null,
                "true" => Literal::Bool(true),
                "false" => Literal::Bool(false),
                _ if PRESENT.contains(&word.as_str()) => Literal::Now,
                _ => return None,
            }
        }
        _ => return None,
    };
    let rest = match (&literal, rest) {
        (Literal::Now, [open, close, rest @ ..])
            if open.kind == TokenKind::Open && close.kind == TokenKind::Close =>
        {
            rest
        }
        (_, rest) => rest,
    };
    is_cast(rest).then_some(literal)
}

/// The text within plain quotes.
fn text(token: &str) -> Option<String> {
    let inner = token.strip_prefix('\'')?.strip_suffix('\'')?;
    Some(inner.replace("''", "'"))
}

/// Whether this is nothing, or casts.
fn is_cast(tokens: &[Token<'_>]) -> bool {
    let Some((first, rest)) = tokens.split_first() else {
        return true;
    };
    let of_type = |token: &Token<'_>| match token.kind {
        TokenKind::Word | TokenKind::Name | TokenKind::Number => true,
        TokenKind::Open | TokenKind::Close => true,
        TokenKind::Sign => ["::", ":", ".", ",", "[", "]", "[]"].contains(&token.text),
        _ => false,
    };
    first.kind == TokenKind::Sign && first.text.starts_with(':') && rest.iter().all(of_type)
}

#[cfg(test)]
mod tests {
    use underpin_sql::{POSTGRES, SQLITE};

    use super::*;

    #[test]
    fn constants_are_read_with_their_casts() {
        let number = |text: &str| Some(Literal::Number(text.to_owned()));
        let text = |text: &str| Some(Literal::Text(text.to_owned()));
        for (sql, expected) in [
            ("0", number("0")),
            ("(-1.50)", number("-1.50")),
            ("(0)::numeric", number("0")),
            ("'it''s'::character varying(20)", text("it's")),
            ("'{}'::text[]", text("{}")),
            ("'a'::public.mood", text("a")),
            ("'a'::public.\"Mood\"", text("a")),
            ("now()", Some(Literal::Now)),
            ("CURRENT_DATE", Some(Literal::Now)),
            ("('now'::text)::date", None),
            ("true", Some(Literal::Bool(true))),
            ("NULL::integer", Some(Literal::Null)),
            ("nextval('t_id_seq'::regclass)", None),
            ("1 + 1", None),
            ("a", None),
            ("'a' || 'b'", None),
            ("E'a\\n'", None),
            ("gen_random_uuid()", None),
            ("", None),
        ] {
            assert_eq!(literal(sql, &POSTGRES.lexis), expected, "{sql}");
        }
        assert_eq!(literal("x'00'", &SQLITE.lexis), None);
        assert_eq!(literal("'a'", &SQLITE.lexis), text("a"));
    }
}
