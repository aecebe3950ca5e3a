use std::fmt;

use crate::token::{Kind, Token};

/// Why a text cannot be split into statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitError {
    line: usize,
    problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    Unclosed(Opened),
    Meta(String),
    Copy,
    /// Rows of a COPY that no line ends.
    Rows,
    /// What stands where the number of times of a batch should be.
    Times(String),
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

impl Opened {
    /// What a token opens that is not closed.
    fn by(token: &Token<'_>) -> Self {
        let first = token.text.chars().next().unwrap_or_default();
        match token.kind {
            Kind::Comment => Opened::Comment,
            Kind::Name => Opened::Name(first),
            _ if first == '$' => {
                let tag = token.text[1..].find('$').map_or(0, |length| length + 2);
                Opened::DollarQuote(token.text[..tag].to_owned())
            }
            _ => Opened::Text,
        }
    }
}

impl SplitError {
    pub(crate) fn new(line: usize, problem: Problem) -> Self {
        SplitError { line, problem }
    }

    /// That the token, which begins on this line, is not closed.
    pub(crate) fn unclosed(line: usize, token: &Token<'_>) -> Self {
        SplitError::new(line, Problem::Unclosed(Opened::by(token)))
    }

    /// The line that it is about, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Whether it is about a command of psql.
    pub fn is_meta(&self) -> bool {
        matches!(self.problem, Problem::Meta(_))
    }

    /// Whether it is about a COPY whose rows would be in the text, or printed.
    pub fn is_copy(&self) -> bool {
        matches!(self.problem, Problem::Copy | Problem::Rows)
    }

    /// What was wrong on that line, in a full sentence.
    pub fn message(&self) -> String {
        let opened = match &self.problem {
            Problem::Meta(command) => {
                return format!("`{command}` is a command of psql, not SQL.");
            }
            Problem::Copy => {
                return "This COPY needs a client that sends or receives its rows, which is not \
                        possible here."
                    .to_owned();
            }
            Problem::Rows => {
                return "The rows of this COPY are not ended by a line `\\.`.".to_owned();
            }
            Problem::Times(text) => {
                return format!("A batch cannot be run `{text}` times.");
            }
            Problem::Unclosed(opened) => opened,
        };
        match opened {
            Opened::Text => "The string that begins here with ' is not closed.".to_owned(),
            Opened::Name(quote) => {
                format!("The quoted name that begins here with {quote} is not closed.")
            }
            Opened::DollarQuote(delimiter) => {
                format!("The dollar quote that begins here with {delimiter} is not closed.")
            }
            Opened::Comment => "The comment that begins here with /* is not closed.".to_owned(),
            Opened::Parenthesis => "The parenthesis that is opened here is not closed.".to_owned(),
            Opened::Block(name) => {
                format!("The body that begins here with {name} has no END.")
            }
        }
    }

    /// What to do about it, where that is not plain.
    pub fn hint(&self) -> Option<&'static str> {
        match &self.problem {
            Problem::Meta(_) => Some("Only psql itself supports its commands; leave it out."),
            Problem::Copy => Some(
                "Write the rows on the lines below its semicolon, and a line `\\.` below them; or \
                 use INSERT.",
            ),
            Problem::Rows => Some("Write a line with `\\.` alone below its last row."),
            Problem::Times(_) => Some("Write a number from 1 to 10000, or none."),
            Problem::Unclosed(Opened::Comment) => {
                Some("On PostgreSQL comments nest, and each /* needs its */.")
            }
            Problem::Unclosed(Opened::Block(_)) => {
                Some("The END must follow the semicolon of the body's last statement.")
            }
            Problem::Unclosed(_) => None,
        }
    }
}

impl fmt::Display for SplitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line {}: {}", self.line, self.message())
    }
}

impl std::error::Error for SplitError {}
