/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// White space.
    Space,
    /// A comment with its signs; one from `--` ends before its line does.
    Comment,
    /// A keyword or a name without quotes.
    Word,
    /// A name in quotes.
    Name,
    /// A text in quotes of any form, its prefix included.
    Text,
    /// A number.
    Number,
    /// A parameter.
    Parameter,
    /// A semicolon.
    Semicolon,
    /// An opening parenthesis.
    Open,
    /// A closing parenthesis.
    Close,
    /// An operator or another sign: one character, or one of the dialect's longer signs.
    Sign,
}

/// A piece of a text. The tokens of a text lie end to end and cover all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// Whether what it opens is closed. Otherwise it ends where the text ends.
    pub closed: bool,
    /// Where it begins, in bytes.
    pub start: usize,
    /// The text itself.
    pub text: &'a str,
}

impl Token<'_> {
    /// Where it ends, in bytes.
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it is white space or a comment.
    pub fn is_blank(&self) -> bool {
        matches!(self.kind, Kind::Space | Kind::Comment)
    }

    /// Whether it is this word without quotes, in any case.
    pub fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is this sign.
    pub fn is_sign(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }
}
