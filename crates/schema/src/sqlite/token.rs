use super::error::SqlError;

/// What a token is, as far as SQLite's own tokenizer tells things apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword or a name without quotes.
    Word,
    /// A name in `"…"`, `[…]` or backticks; the first may be a string all the same.
    Quoted,
    /// A string in `'…'`, or a blob.
    Literal,
    Number,
    /// A parenthesis, a comma, an operator.
    Symbol,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'s> {
    pub(super) kind: Kind,
    pub(super) text: &'s str,
    /// Where it begins.
    pub(super) start: usize,
}

impl Token<'_> {
    /// Where it ends.
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it is this keyword, written in any case.
    pub(super) fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is this parenthesis, comma or operator.
    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }

    /// The name that it stands for; a string can stand for one too.
    pub(super) fn name(&self) -> Option<String> {
        let inside = || &self.text[1..self.text.len() - 1];
        Some(match (self.kind, self.text.as_bytes()[0]) {
            (Kind::Word, _) => self.text.to_owned(),
            (Kind::Quoted, b'[') => inside().to_owned(),
            (Kind::Quoted, b'`') => inside().replace("``", "`"),
            (Kind::Quoted, _) => inside().replace("\"\"", "\""),
            (Kind::Literal, b'\'') => inside().replace("''", "'"),
            _ => return None,
        })
    }
}

/// A comment, with its signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Comment<'s> {
    pub(super) text: &'s str,
    pub(super) start: usize,
    /// The number of the token that follows it.
    pub(super) before: usize,
}

impl Comment<'_> {
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// A text cut into tokens, with the comments between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tokens<'s> {
    pub(super) sql: &'s str,
    pub(super) tokens: Vec<Token<'s>>,
    pub(super) comments: Vec<Comment<'s>>,
}

impl<'s> Tokens<'s> {
    /// Cuts SQL as SQLite does.
    pub(super) fn of(sql: &'s str) -> Result<Self, SqlError> {
        let (mut tokens, mut comments) = (Vec::new(), Vec::new());
        let mut at = 0;
        while let Some(&first) = sql.as_bytes().get(at) {
            if is_space(first) {
                at += 1;
                continue;
            }
            let end = match comment_end(sql, at) {
                Some(end) => {
                    comments.push(Comment {
                        text: &sql[at..end],
                        start: at,
                        before: tokens.len(),
                    });
                    end
                }
                None => {
                    let (kind, end) = cut(sql, at, first).ok_or_else(|| SqlError::Open {
                        rest: sql[at..].to_owned(),
                    })?;
                    tokens.push(Token {
                        kind,
                        text: &sql[at..end],
                        start: at,
                    });
                    end
                }
            };
            at = end;
        }
        Ok(Tokens {
            sql,
            tokens,
            comments,
        })
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

/// Where the run of bytes from `at` ends for which `belongs` holds.
fn run(sql: &str, at: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let bytes = &sql.as_bytes()[at..];
    let length = bytes.iter().position(|&byte| !belongs(byte));
    at + length.unwrap_or(bytes.len())
}

/// Where the comment that begins here ends, if one does. One that is not closed ends with the
/// text.
fn comment_end(sql: &str, at: usize) -> Option<usize> {
    let rest = &sql[at..];
    if rest.starts_with("--") {
        return Some(run(sql, at, |byte| byte != b'\n'));
    }
    let inside = rest.strip_prefix("/*")?;
    let length = inside.find("*/").map_or(inside.len(), |end| end + 2);
    Some(at + 2 + length)
}

/// The kind of the token that begins at `at`, and its end; none where a quote is not closed.
fn cut(sql: &str, at: usize, first: u8) -> Option<(Kind, usize)> {
    let second = sql.as_bytes().get(at + 1).copied();
    Some(match first {
        b'\'' => (Kind::Literal, quoted(sql, at, first)?),
        b'"' | b'`' => (Kind::Quoted, quoted(sql, at, first)?),
        b'[' => (Kind::Quoted, at + sql[at..].find(']')? + 1),
        b'x' | b'X' if second == Some(b'\'') => (Kind::Literal, quoted(sql, at + 1, b'\'')?),
        b'0'..=b'9' => (Kind::Number, number(sql, at)),
        b'.' if second.is_some_and(|byte| byte.is_ascii_digit()) => (Kind::Number, number(sql, at)),
        _ if is_word(first) => (Kind::Word, run(sql, at, is_word)),
        _ => (Kind::Symbol, at + symbol(&sql[at..])),
    })
}

/// The end of what is between two quotes, a doubled one being part of it.
fn quoted(sql: &str, at: usize, quote: u8) -> Option<usize> {
    let bytes = sql.as_bytes();
    let mut at = at + 1;
    loop {
        at = run(sql, at, |byte| byte != quote) + 1;
        match bytes.get(at) {
            Some(&byte) if byte == quote => at += 1,
            _ if at <= bytes.len() => return Some(at),
            _ => return None,
        }
    }
}

/// The end of a number: an exponent can have a sign.
fn number(sql: &str, at: usize) -> usize {
    let belongs = |byte| is_word(byte) || byte == b'.';
    let end = run(sql, at, belongs);
    let hexadecimal = sql[at..end].to_ascii_lowercase().starts_with("0x");
    let exponent = !hexadecimal && sql[at..end].ends_with(['e', 'E']);
    match sql.as_bytes()[end..] {
        [b'+' | b'-', digit, ..] if exponent && digit.is_ascii_digit() => {
            run(sql, end + 1, belongs)
        }
        _ => end,
    }
}

/// How long the operator is with which the text begins.
fn symbol(text: &str) -> usize {
    const LONG: [&str; 9] = ["->>", "->", "||", "<<", ">>", "<=", ">=", "==", "!="];
    let long = LONG.iter().find(|one| text.starts_with(**one));
    match long {
        Some(long) => long.len(),
        None if text.starts_with("<>") => 2,
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(sql: &str) -> Vec<&str> {
        let tokens = Tokens::of(sql).unwrap();
        tokens.tokens.iter().map(|token| token.text).collect()
    }

    #[test]
    fn text_is_cut_as_sqlite_cuts_it() {
        assert_eq!(
            texts("a->>'$.b'||x'0f' -1.5e-3<>0x1F+.5"),
            [
                "a", "->>", "'$.b'", "||", "x'0f'", "-", "1.5e-3", "<>", "0x1F", "+", ".5"
            ]
        );
        assert_eq!(texts("[a]]b`c``d`"), ["[a]", "]", "b", "`c``d`"]);
        assert_eq!(texts("0x1e+5, größe$1"), ["0x1e", "+", "5", ",", "größe$1"]);
    }

    #[test]
    fn comments_are_kept_apart() {
        let of = Tokens::of("a -- '\n/* \" */ b /* open").unwrap();
        let comments: Vec<_> = of
            .comments
            .iter()
            .map(|one| (one.text, one.before))
            .collect();
        assert_eq!(comments, [("-- '", 1), ("/* \" */", 1), ("/* open", 2)]);
        assert_eq!(of.tokens.len(), 2);
    }

    #[test]
    fn names_lose_their_quotes() {
        let of = Tokens::of("a \"b\"\"\" [c\"] `d``` 'e''' 5").unwrap();
        let names: Vec<_> = of.tokens.iter().map(Token::name).collect();
        let expected = ["a", "b\"", "c\"", "d`", "e'"].map(|name| Some(name.to_owned()));
        assert_eq!(names[..5], expected);
        assert_eq!(names[5], None);
        for open in ["'a", "\"a\"\"", "[a", "`", "x'0"] {
            assert!(Tokens::of(open).is_err(), "{open}");
        }
    }

    proptest! {
        #[test]
        fn no_byte_but_space_is_lost(sql in "[a-z'\"`\\[\\]/*\\- \n().,0-9xeö=<>|]{0,40}") {
            if let Ok(of) = Tokens::of(&sql) {
                let mut parts: Vec<(usize, &str)> = of.tokens.iter().map(|one| (one.start, one.text)).collect();
                parts.extend(of.comments.iter().map(|one| (one.start, one.text)));
                parts.sort_unstable();
                let mut at = 0;
                for (start, text) in parts {
                    prop_assert!(sql[at..start].bytes().all(is_space));
                    prop_assert_eq!(&sql[start..start + text.len()], text);
                    at = start + text.len();
                }
                prop_assert!(sql[at..].bytes().all(is_space));
            }
        }
    }
}
