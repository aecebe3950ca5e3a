use crate::lexis::{First, Lexis, ParameterForm, Quotes};
use crate::lines::Lines;
use crate::token::{Kind, Token};

/// Cuts a text of SQL into tokens that lie end to end and cover all of it, in time linear in
/// the length of the text and without recursion.
///
/// Any text can be cut. A quote or comment that is not closed reaches to the end of the text,
/// and its token says so; a character that the dialect does not know is a sign.
#[derive(Debug, Clone)]
pub struct Lexer<'a> {
    lexis: &'a Lexis,
    sql: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    /// The tokens of a text, as the dialect cuts it.
    pub fn new(sql: &'a str, lexis: &'a Lexis) -> Self {
        Lexer { lexis, sql, at: 0 }
    }

    /// Passes over the text up to this place, which is returned.
    pub(crate) fn skip_to(&mut self, at: usize) -> &'a str {
        let from = std::mem::replace(&mut self.at, at);
        &self.sql[from..at]
    }

    /// The same tokens, each with its line.
    pub fn lines(self) -> Lines<'a> {
        Lines::new(self)
    }

    /// The tokens without white space and comments.
    pub fn solid(mut self) -> impl Iterator<Item = Token<'a>> {
        std::iter::from_fn(move || {
            loop {
                // Most blanks are white space, of which no token need be made.
                self.at = self.run(self.at, is_space);
                let token = self.next()?;
                if token.kind != Kind::Comment {
                    return Some(token);
                }
            }
        })
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.sql.as_bytes().get(at).copied()
    }

    /// Where the run of bytes from `at` ends for which `belongs` holds.
    #[inline]
    fn run(&self, at: usize, belongs: impl Fn(u8) -> bool) -> usize {
        let bytes = self.sql.as_bytes();
        let mut end = at;
        while end < bytes.len() && belongs(bytes[end]) {
            end += 1;
        }
        looked_at(end - at + 1);
        end
    }

    fn word_end(&self, at: usize) -> usize {
        self.run(at, |byte| self.lexis.word[usize::from(byte)])
    }

    /// The token that begins at `at`, and where it ends; no end where it is not closed.
    fn cut(&self, at: usize, first: u8) -> (Kind, Option<usize>) {
        let rules = &self.lexis.rules;
        let second = || self.byte(at + 1);
        let one = Some(at + 1);
        match self.lexis.first[usize::from(first)] {
            First::Space => (Kind::Space, Some(self.run(at + 1, is_space))),
            First::Word => (Kind::Word, Some(self.word_end(at + 1))),
            First::Prefix if second() != Some(b'\'') => (Kind::Word, Some(self.word_end(at + 1))),
            First::Prefix if rules.escape_texts && matches!(first, b'e' | b'E') => {
                (Kind::Text, self.escaped(at + 1))
            }
            First::Prefix => (Kind::Text, self.quoted(at + 1, Quotes::of(b'\''))),
            First::Quote => (Kind::Text, self.quoted(at, Quotes::of(first))),
            First::Name => (Kind::Name, self.quoted(at, self.lexis.quotes(first))),
            First::Period if !second().is_some_and(|byte| byte.is_ascii_digit()) => {
                (Kind::Sign, one)
            }
            First::Digit | First::Period => (Kind::Number, Some(self.number_end(at))),
            First::Dash if second() == Some(b'-') => (Kind::Comment, Some(self.line_end(at + 2))),
            First::Slash if second() == Some(b'*') => (Kind::Comment, self.comment_end(at + 2)),
            First::Dollar => self.dollar(at),
            First::Parameter => self.parameter(at, first),
            First::Semicolon => (Kind::Semicolon, one),
            First::Open => (Kind::Open, one),
            First::Close => (Kind::Close, one),
            First::Sign => (Kind::Sign, one),
            First::Dash | First::Slash | First::LongSign => (Kind::Sign, Some(self.sign(at))),
        }
    }

    /// Where the number ends that begins at `at` with a digit, or with a period and a digit.
    fn number_end(&self, mut at: usize) -> usize {
        let digits = |at| self.run(at, |byte| byte.is_ascii_digit() || byte == b'_');
        let is_hex = |at| self.byte(at).is_some_and(|byte| byte.is_ascii_hexdigit());
        if self.byte(at) == Some(b'0')
            && matches!(self.byte(at + 1), Some(b'x' | b'X'))
            && is_hex(at + 2)
        {
            at = self.run(at + 2, |byte| byte.is_ascii_hexdigit() || byte == b'_');
            return self.number_letters(at);
        }
        at = digits(at);
        if self.byte(at) == Some(b'.') && self.byte(at + 1) != Some(b'.') {
            at = digits(at + 1);
        }
        if matches!(self.byte(at), Some(b'e' | b'E')) {
            let signed = matches!(self.byte(at + 1), Some(b'+' | b'-'));
            let first = at + 1 + usize::from(signed);
            if self.byte(first).is_some_and(|byte| byte.is_ascii_digit()) {
                at = digits(first);
            }
        }
        self.number_letters(at)
    }

    fn number_letters(&self, at: usize) -> usize {
        match self.lexis.rules.number_letters {
            true => self.word_end(at),
            false => at,
        }
    }

    fn sign(&self, at: usize) -> usize {
        let rest = &self.sql.as_bytes()[at..];
        let signs = self.lexis.rules.signs.iter();
        let mut long = signs.filter(|sign| rest.starts_with(sign.as_bytes()));
        at + long.next().map_or(1, |sign| sign.len())
    }

    fn line_end(&self, at: usize) -> usize {
        let returns = self.lexis.rules.carriage_return_ends_comment;
        self.run(at, |byte| byte != b'\n' && !(returns && byte == b'\r'))
    }

    /// Where the comment ends whose opening sign is before `at`.
    fn comment_end(&self, mut at: usize) -> Option<usize> {
        let nests = self.lexis.rules.nested_comments;
        let mut depth = 1_usize;
        while depth > 0 {
            at = self.run(at, |byte| byte != b'*' && byte != b'/');
            at += match (self.byte(at)?, self.byte(at + 1)) {
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
        Some(at)
    }

    /// Where what the quote at `at` opens is closed.
    fn quoted(&self, at: usize, quotes: Quotes) -> Option<usize> {
        let mut at = at + 1;
        loop {
            at = self.run(at, |byte| byte != quotes.close) + 1;
            if at > self.sql.len() {
                return None;
            }
            if !quotes.doubled || self.byte(at) != Some(quotes.close) {
                return Some(at);
            }
            at += 1;
        }
    }

    /// Where a text with backslash escapes ends whose quote is at `quote`.
    fn escaped(&self, quote: usize) -> Option<usize> {
        let mut at = quote + 1;
        loop {
            at = self.run(at, |byte| byte != b'\'' && byte != b'\\');
            at = match (self.byte(at)?, self.byte(at + 1)) {
                (b'\\', _) | (_, Some(b'\'')) => at + 2,
                _ => match self.continuation(at + 1) {
                    Some(next) => next + 1,
                    None => return Some(at + 1),
                },
            };
            if at > self.sql.len() {
                return None;
            }
        }
    }

    /// The quote in which a text goes on that has ended at `end`: only white space with a line
    /// end, and comments from `--`, lie between.
    fn continuation(&self, end: usize) -> Option<usize> {
        let (mut at, mut line_ended) = (end, false);
        loop {
            match (self.byte(at)?, self.byte(at + 1)) {
                (b'-', Some(b'-')) => at = self.line_end(at),
                (byte, _) if is_space(byte) => {
                    line_ended |= matches!(byte, b'\n' | b'\r');
                    looked_at(1);
                    at += 1;
                }
                (b'\'', _) => return line_ended.then_some(at),
                _ => return None,
            }
        }
    }

    /// A dollar quote, or a parameter.
    fn dollar(&self, at: usize) -> (Kind, Option<usize>) {
        if self.byte(at + 1).is_some_and(|byte| byte.is_ascii_digit()) {
            return self.parameter(at, b'$');
        }
        let end = self.run(at + 1, |byte| {
            byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
        });
        if self.byte(end) != Some(b'$') {
            return self.parameter(at, b'$');
        }
        let delimiter = &self.sql[at..=end];
        let closed = self.sql[end + 1..].find(delimiter);
        let end = closed.map(|length| end + 1 + length + delimiter.len());
        looked_at(end.unwrap_or(self.sql.len()) - at);
        (Kind::Text, end)
    }

    fn parameter(&self, at: usize, sign: u8) -> (Kind, Option<usize>) {
        let mut forms = self.lexis.rules.parameters.iter();
        let form = forms.find(|parameter| parameter.sign == sign);
        let digits = || self.run(at + 1, |byte| byte.is_ascii_digit());
        let end = match form.map(|parameter| parameter.form) {
            None => at + 1,
            Some(ParameterForm::Number) => digits(),
            Some(ParameterForm::NumberOrNothing) => return (Kind::Parameter, Some(digits())),
            Some(ParameterForm::Name) => self.word_end(at + 1),
            Some(ParameterForm::TclName) => return self.tcl_name(at),
        };
        match end > at + 1 {
            true => (Kind::Parameter, Some(end)),
            false => (Kind::Sign, Some(self.sign(at))),
        }
    }

    /// A parameter whose name is one of Tcl, or only colons.
    fn tcl_name(&self, start: usize) -> (Kind, Option<usize>) {
        let mut at = self.word_end(start + 1);
        let mut named = at > start + 1;
        while self.byte(at) == Some(b':') && self.byte(at + 1) == Some(b':') {
            let part = at + 2;
            at = self.word_end(part);
            named |= at > part;
        }
        if !named {
            return (Kind::Sign, Some(at));
        }
        if self.byte(at) != Some(b'(') {
            return (Kind::Parameter, Some(at));
        }
        let key = self.run(at + 1, |byte| byte != b')' && !is_space(byte));
        match self.byte(key) {
            Some(b')') => (Kind::Parameter, Some(key + 1)),
            // SQLite does not know it either, and reads on from here.
            _ => (Kind::Sign, Some(key)),
        }
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    #[inline]
    fn next(&mut self) -> Option<Token<'a>> {
        let start = self.at;
        let first = self.byte(start)?;
        looked_at(1);
        let (kind, end) = self.cut(start, first);
        self.at = end.unwrap_or(self.sql.len());
        Some(Token {
            kind,
            closed: end.is_some(),
            start,
            text: &self.sql[start..self.at],
        })
    }
}

/// So that a test can count the steps.
#[inline]
fn looked_at(_bytes: usize) {
    #[cfg(test)]
    tests::STEPS.set(tests::STEPS.get() + _bytes);
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0b' | b'\x0c')
}

#[cfg(test)]
mod tests;
