use super::error::SqlError;
use super::expression::closing;
use super::token::{Kind, Token, Tokens};

/// A place among the tokens of a statement.
pub(super) struct Cursor<'t, 's> {
    pub(super) of: &'t Tokens<'s>,
    /// The number of the next token.
    pub(super) at: usize,
}

impl<'t, 's> Cursor<'t, 's> {
    pub(super) fn over(of: &'t Tokens<'s>) -> Self {
        Cursor { of, at: 0 }
    }

    pub(super) fn peek(&self) -> Option<&'t Token<'s>> {
        self.of.tokens.get(self.at)
    }

    /// Whether these words come next.
    pub(super) fn sees(&self, words: &[&str]) -> bool {
        let next = self.of.tokens[self.at..].iter();
        next.len() >= words.len() && next.zip(words).all(|(token, word)| token.is(word))
    }

    /// Passes these words if they come next.
    pub(super) fn eat(&mut self, words: &[&str]) -> bool {
        let seen = self.sees(words);
        if seen {
            self.at += words.len();
        }
        seen
    }

    /// Passes this symbol if it comes next.
    pub(super) fn eat_symbol(&mut self, symbol: &str) -> bool {
        let seen = self.peek().is_some_and(|token| token.is_symbol(symbol));
        self.at += usize::from(seen);
        seen
    }

    pub(super) fn expect(&mut self, word: &'static str) -> Result<(), SqlError> {
        match self.eat(&[word]) {
            true => Ok(()),
            false => Err(self.unexpected(word)),
        }
    }

    pub(super) fn expect_symbol(&mut self, symbol: &'static str) -> Result<(), SqlError> {
        match self.eat_symbol(symbol) {
            true => Ok(()),
            false => Err(self.unexpected(symbol)),
        }
    }

    /// The next token, if it can be a name.
    pub(super) fn name(&mut self) -> Result<String, SqlError> {
        let name = self.peek().and_then(Token::name);
        let name = name.ok_or_else(|| self.unexpected("a name"))?;
        self.at += 1;
        Ok(name)
    }

    /// The name of an object, without the database that may stand before it.
    pub(super) fn object(&mut self) -> Result<String, SqlError> {
        let name = self.name()?;
        match self.eat_symbol(".") {
            true => self.name(),
            false => Ok(name),
        }
    }

    /// The tokens in the parentheses that come next.
    pub(super) fn group(&mut self) -> Result<&'t [Token<'s>], SqlError> {
        let rest = &self.of.tokens[self.at..];
        let open = rest.first().is_some_and(|token| token.is_symbol("("));
        let end = closing(rest).filter(|_| open);
        let end = end.ok_or_else(|| self.unexpected("a group in parentheses"))?;
        self.at += end + 1;
        Ok(&rest[1..end])
    }

    /// The names in the parentheses that come next.
    pub(super) fn names(&mut self) -> Result<Vec<String>, SqlError> {
        let parts = split(self.group()?);
        let names = parts.into_iter().map(|part| match part {
            [one] => one.name(),
            _ => None,
        });
        let names: Option<Vec<String>> = names.collect();
        names.ok_or_else(|| self.unexpected("names"))
    }

    pub(super) fn unexpected(&self, expected: &'static str) -> SqlError {
        let rest = self.peek().map_or("", |token| &self.of.sql[token.start..]);
        SqlError::Unexpected {
            expected,
            rest: rest.to_owned(),
        }
    }
}

/// The parts between commas that are in no parentheses.
pub(super) fn split<'t, 's>(tokens: &'t [Token<'s>]) -> Vec<&'t [Token<'s>]> {
    let mut depth = 0usize;
    let parts = tokens.split(|token| {
        if token.kind == Kind::Symbol {
            match token.text {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        depth == 0 && token.is_symbol(",")
    });
    parts.collect()
}
