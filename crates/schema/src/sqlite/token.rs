use underpin_sql::{self as sql, Lexer, SQLITE};

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
        for token in Lexer::new(sql, &SQLITE.lexis) {
            let (text, start) = (token.text, token.start);
            let kind = match token.kind {
                sql::Kind::Space => continue,
                // One that is not closed ends with the text.
                sql::Kind::Comment => {
                    let before = tokens.len();
                    comments.push(Comment {
                        text,
                        start,
                        before,
                    });
                    continue;
                }
                _ if !token.closed => {
                    let rest = text.to_owned();
                    return Err(SqlError::Open { rest });
                }
                sql::Kind::Word => Kind::Word,
                sql::Kind::Name => Kind::Quoted,
                sql::Kind::Text => Kind::Literal,
                sql::Kind::Number => Kind::Number,
                _ => Kind::Symbol,
            };
            tokens.push(Token { kind, text, start });
        }
        Ok(Tokens {
            sql,
            tokens,
            comments,
        })
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
                    prop_assert!(sql[at..start].trim_ascii().is_empty());
                    prop_assert_eq!(&sql[start..start + text.len()], text);
                    at = start + text.len();
                }
                prop_assert!(sql[at..].trim_ascii().is_empty());
            }
        }
    }
}
