use std::ops::Range;

use underpin_core::Engine;

/// What a run of bytes is, as far as finding the ends of statements needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Space,
    Comment,
    /// A keyword or a name that is not quoted.
    Word,
    /// A string or a name within its quotes, of whatever sort.
    Quoted,
    Semicolon,
    Open,
    Close,
    Backslash,
    /// A number, a parameter, or one character of an operator.
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) range: Range<usize>,
    /// The line that it begins on, counted from 1.
    pub(crate) line: usize,
}

/// What was opened and never closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Opened {
    Text,
    Name(char),
    DollarQuote(String),
    Comment,
    Parenthesis,
    Block(&'static str),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unterminated {
    pub(crate) opened: Opened,
    pub(crate) line: usize,
}

/// Cuts SQL into tokens that lie end to end and cover all of it. Text that is for every
/// engine is read as PostgreSQL reads it, with SQLite's `names` in backticks besides.
pub(crate) struct Lexer<'a> {
    sql: &'a str,
    engine: Option<Engine>,
    at: usize,
    line: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(sql: &'a str, engine: Option<Engine>) -> Self {
        Lexer {
            sql,
            engine,
            at: 0,
            line: 1,
        }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.sql.as_bytes().get(at).copied()
    }

    /// Where the run of bytes from `at` ends for which `belongs` holds.
    fn run(&self, at: usize, belongs: impl Fn(u8) -> bool) -> usize {
        let bytes = &self.sql.as_bytes()[at..];
        let length = bytes.iter().position(|&byte| !belongs(byte));
        at + length.unwrap_or(bytes.len())
    }

    /// The token that begins at `at`, and where it ends.
    fn cut(&self, at: usize, first: u8) -> Result<(Kind, usize), Opened> {
        let (postgres, sqlite) = (
            self.engine != Some(Engine::SQLITE),
            self.engine == Some(Engine::SQLITE),
        );
        let second = self.byte(at + 1);
        Ok(match first {
            _ if is_space(first) => (Kind::Space, self.run(at, is_space)),
            b'-' if second == Some(b'-') => (Kind::Comment, self.line_end(at)),
            b'/' if second == Some(b'*') => (Kind::Comment, self.comment(at, postgres)?),
            b'\'' => (Kind::Quoted, self.quoted(at, b'\'').ok_or(Opened::Text)?),
            b'"' => (Kind::Quoted, self.name(at, b'"')?),
            b'`' if self.engine != Some(Engine::POSTGRES) => (Kind::Quoted, self.name(at, b'`')?),
            b'[' if sqlite => (Kind::Quoted, self.bracketed(at)?),
            b'$' if postgres => self.dollar(at)?,
            b'e' | b'E' if postgres && second == Some(b'\'') => {
                (Kind::Quoted, self.escaped(at + 1).ok_or(Opened::Text)?)
            }
            b'0'..=b'9' => (Kind::Other, self.run(at, |b| is_word(b) && b != b'$')),
            _ if is_word(first) && first != b'$' => (Kind::Word, self.run(at, is_word)),
            b';' => (Kind::Semicolon, at + 1),
            b'(' => (Kind::Open, at + 1),
            b')' => (Kind::Close, at + 1),
            b'\\' => (Kind::Backslash, at + 1),
            _ => (Kind::Other, at + 1),
        })
    }

    /// Where the line ends; PostgreSQL ends a comment at a lone carriage return too.
    fn line_end(&self, at: usize) -> usize {
        let sqlite = self.engine == Some(Engine::SQLITE);
        self.run(at, |b| b != b'\n' && (sqlite || b != b'\r'))
    }

    fn comment(&self, at: usize, nests: bool) -> Result<usize, Opened> {
        let (mut at, mut depth) = (at + 2, 1_usize);
        while depth > 0 {
            let first = self.byte(at).ok_or(Opened::Comment)?;
            at += match (first, self.byte(at + 1)) {
                (b'*', Some(b'/')) => {
                    depth -= 1;
                    2
                }
                (b'/', Some(b'*')) if nests => {
                    depth += 1;
                    2
                }
                _ => 1,
            };
        }
        Ok(at)
    }

    /// Where the text ends that `quote` opens at `at`; a doubled quote stands for itself.
    fn quoted(&self, at: usize, quote: u8) -> Option<usize> {
        let mut at = at + 1;
        loop {
            at = self.run(at, |b| b != quote) + 1;
            if at > self.sql.len() {
                return None;
            }
            if self.byte(at) != Some(quote) {
                return Some(at);
            }
            at += 1;
        }
    }

    fn name(&self, at: usize, quote: u8) -> Result<usize, Opened> {
        let opened = Opened::Name(char::from(quote));
        self.quoted(at, quote).ok_or(opened)
    }

    fn bracketed(&self, at: usize) -> Result<usize, Opened> {
        let end = self.run(at, |b| b != b']');
        self.byte(end).map(|_| end + 1).ok_or(Opened::Name('['))
    }

    /// A dollar quote, a parameter such as `$1`, or a lone dollar.
    fn dollar(&self, at: usize) -> Result<(Kind, usize), Opened> {
        let end = self.run(at + 1, |b| is_word(b) && b != b'$');
        let number = self.byte(at + 1).is_some_and(|b| b.is_ascii_digit());
        if number {
            return Ok((Kind::Other, self.run(at + 1, |b| b.is_ascii_digit())));
        }
        if self.byte(end) != Some(b'$') {
            return Ok((Kind::Other, at + 1));
        }
        let delimiter = &self.sql[at..=end];
        match self.sql[end + 1..].find(delimiter) {
            Some(length) => Ok((Kind::Quoted, end + 1 + length + delimiter.len())),
            None => Err(Opened::DollarQuote(delimiter.to_owned())),
        }
    }

    /// Where a text with backslash escapes ends whose quote is at `quote`. It goes on
    /// in another pair of quotes where only white space with a line end lies between.
    fn escaped(&self, quote: usize) -> Option<usize> {
        let mut at = quote + 1;
        loop {
            at += match (self.byte(at)?, self.byte(at + 1)) {
                (b'\\', _) | (b'\'', Some(b'\'')) => 2,
                (b'\'', _) => match self.continuation(at + 1) {
                    Some(next) => next + 1 - at,
                    None => return Some(at + 1),
                },
                _ => 1,
            };
        }
    }

    fn continuation(&self, end: usize) -> Option<usize> {
        let mut at = end;
        loop {
            match (self.byte(at)?, self.byte(at + 1)) {
                (b'-', Some(b'-')) => at = self.line_end(at),
                (b, _) if is_space(b) => at += 1,
                (b'\'', _) => {
                    let between = &self.sql[end..at];
                    return between.contains(['\n', '\r']).then_some(at);
                }
                _ => return None,
            }
        }
    }
}

impl Iterator for Lexer<'_> {
    type Item = Result<Token, Unterminated>;

    fn next(&mut self) -> Option<Self::Item> {
        let (at, line) = (self.at, self.line);
        let first = self.byte(at)?;
        match self.cut(at, first) {
            Ok((kind, end)) => {
                let range = at..end;
                self.line += self.sql[range.clone()].matches('\n').count();
                self.at = end;
                Some(Ok(Token { kind, range, line }))
            }
            Err(opened) => {
                self.at = self.sql.len();
                Some(Err(Unterminated { opened, line }))
            }
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0b' | b'\x0c')
}

/// Whether the byte can be within a name that is not quoted, in both engines.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii()
}
