use std::borrow::Cow;
use std::fmt;

use crate::token::{Kind, Token};

/// How a dialect cuts a text into tokens: its [`Rules`], prepared for the lexer.
#[derive(Clone, Copy)]
pub struct Lexis {
    pub(crate) rules: Rules,
    /// How a token goes on that begins with the byte.
    pub(crate) first: [First; 256],
    /// Whether the byte can be within a word.
    pub(crate) word: [bool; 256],
}

/// What a dialect reads as what.
///
/// In every dialect a text is in single quotes, `--` and `/*` begin comments, and letters,
/// digits, underscores and all characters beyond ASCII are parts of words. [`Rules::STANDARD`]
/// has nothing else but names in double quotes.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The quotes around names.
    pub names: &'static [Quotes],
    /// Letters that belong to the text when its quote follows directly: `x'00'`, `N'…'`.
    pub text_prefixes: &'static [u8],
    /// Whether a backslash escapes the next character within `E'…'`, which goes on in further
    /// quotes after white space with a line end.
    pub escape_texts: bool,
    /// Whether texts can be in `$tag$ … $tag$`.
    pub dollar_quotes: bool,
    /// Whether each `/*` within a comment needs a `*/` of its own.
    pub nested_comments: bool,
    /// Whether a lone carriage return ends a comment from `--`, as a line feed does.
    pub carriage_return_ends_comment: bool,
    /// Whether letters that follow a number directly belong to it, rather than being a word.
    pub number_letters: bool,
    /// Signs that can be within a word, but do not begin one.
    pub word_signs: &'static [u8],
    /// Signs that begin a word too.
    pub word_first_signs: &'static [u8],
    /// What is a parameter.
    pub parameters: &'static [Parameter],
    /// Signs of more than one character, each before those that it begins with.
    pub signs: &'static [&'static str],
    /// Whether a trigger has a body from `BEGIN` to `END` whose semicolons end no statement.
    pub trigger_bodies: bool,
    /// The word that ends a batch where it is alone on a line, in place of semicolons.
    pub batch_word: Option<&'static str>,
}

/// Quotes around a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotes {
    /// The opening quote.
    pub open: u8,
    /// The closing quote.
    pub close: u8,
    /// Whether a doubled closing quote is a part of the name.
    pub doubled: bool,
}

impl Quotes {
    /// The same quote on both sides, doubled within the name.
    pub const fn of(quote: u8) -> Self {
        Quotes {
            open: quote,
            close: quote,
            doubled: true,
        }
    }
}

/// A form of parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// The sign that it begins with.
    pub sign: u8,
    /// What follows the sign.
    pub form: ParameterForm,
}

/// What follows the sign of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterForm {
    /// A number: `$1`.
    Number,
    /// A number, or nothing: `?1`, `?`.
    NumberOrNothing,
    /// A word: `@name`.
    Name,
    /// A name of Tcl, as SQLite reads it: `$name`, `:ns::name`, `$name(key)`.
    TclName,
}

/// How a token goes on, by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum First {
    Space,
    Word,
    /// A letter that may be the prefix of a text.
    Prefix,
    Digit,
    Period,
    Quote,
    Name,
    Dash,
    Slash,
    /// A dollar quote, or a parameter.
    Dollar,
    Parameter,
    Semicolon,
    Open,
    Close,
    Sign,
    /// The first character of one of the longer signs.
    LongSign,
}

impl Rules {
    /// What all dialects have in common.
    pub const STANDARD: Rules = Rules {
        names: &[Quotes::of(b'"')],
        text_prefixes: b"",
        escape_texts: false,
        dollar_quotes: false,
        nested_comments: false,
        carriage_return_ends_comment: false,
        number_letters: false,
        word_signs: b"",
        word_first_signs: b"",
        parameters: &[],
        signs: &[],
        trigger_bodies: false,
        batch_word: None,
    };

    const fn first(&self, byte: u8) -> First {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b'\x0b' | b'\x0c' => First::Space,
            b'\'' => First::Quote,
            b';' => First::Semicolon,
            b'(' => First::Open,
            b')' => First::Close,
            b'-' => First::Dash,
            b'/' => First::Slash,
            b'.' => First::Period,
            b'0'..=b'9' => First::Digit,
            b'e' | b'E' if self.escape_texts => First::Prefix,
            _ if has(self.text_prefixes, byte) => First::Prefix,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => First::Word,
            b'$' if self.dollar_quotes => First::Dollar,
            _ => self.first_of_sign(byte),
        }
    }

    const fn first_of_sign(&self, byte: u8) -> First {
        let mut at = 0;
        while at < self.names.len() {
            if self.names[at].open == byte {
                return First::Name;
            }
            at += 1;
        }
        at = 0;
        while at < self.parameters.len() {
            if self.parameters[at].sign == byte {
                return First::Parameter;
            }
            at += 1;
        }
        if has(self.word_first_signs, byte) {
            return First::Word;
        }
        at = 0;
        while at < self.signs.len() {
            if self.signs[at].as_bytes()[0] == byte {
                return First::LongSign;
            }
            at += 1;
        }
        First::Sign
    }
}

impl Lexis {
    /// Prepares the rules of a dialect.
    pub const fn new(rules: Rules) -> Self {
        let mut first = [First::Sign; 256];
        let mut word = [false; 256];
        let mut byte = 0;
        while byte < 256 {
            let of = byte as u8;
            first[byte] = rules.first(of);
            word[byte] = of.is_ascii_alphanumeric()
                || of == b'_'
                || of >= 0x80
                || has(rules.word_signs, of)
                || has(rules.word_first_signs, of);
            byte += 1;
        }
        Lexis { rules, first, word }
    }

    /// The quotes that a name in quotes begins with.
    pub(crate) fn quotes(&self, open: u8) -> Quotes {
        let found = self.rules.names.iter().find(|quotes| quotes.open == open);
        found.copied().unwrap_or(Quotes::of(open))
    }

    /// The name that a token stands for, without its quotes and as it is written; none where
    /// the token is not a word or a name.
    pub fn name<'a>(&self, token: &Token<'a>) -> Option<Cow<'a, str>> {
        match token.kind {
            Kind::Word => Some(token.text.into()),
            Kind::Name => {
                let quotes = self.quotes(token.text.as_bytes()[0]);
                let close = char::from(quotes.close);
                let inside = &token.text[1..];
                let inside = match token.closed {
                    true => &inside[..inside.len() - 1],
                    false => inside,
                };
                if !quotes.doubled || !inside.contains(close) {
                    return Some(inside.into());
                }
                let twice = String::from_iter([close, close]);
                Some(
                    inside
                        .replace(&twice, close.encode_utf8(&mut [0; 4]))
                        .into(),
                )
            }
            _ => None,
        }
    }
}

impl fmt::Debug for Lexis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lexis").field(&self.rules).finish()
    }
}

const fn has(bytes: &[u8], byte: u8) -> bool {
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == byte {
            return true;
        }
        at += 1;
    }
    false
}
