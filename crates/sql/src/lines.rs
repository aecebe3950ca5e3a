use crate::lexer::Lexer;
use crate::token::Token;

/// The tokens of a text, each with the line that it begins on, counted from 1.
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    lexer: Lexer<'a>,
    line: usize,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(lexer: Lexer<'a>) -> Self {
        Lines { lexer, line: 1 }
    }

    /// Passes over the text up to this place, where a token has yet to begin.
    pub(crate) fn skip_to(&mut self, at: usize) {
        self.line += self.lexer.skip_to(at).matches('\n').count();
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = (usize, Token<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let token = self.lexer.next()?;
        let line = self.line;
        self.line += token.text.bytes().filter(|&byte| byte == b'\n').count();
        Some((line, token))
    }
}
