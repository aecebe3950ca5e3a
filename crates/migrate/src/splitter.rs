use std::fmt;
use std::ops::Range;

use underpin_core::Engine;

use crate::lexer::{Kind, Lexer, Opened, Token, Unterminated};

/// A part of a text of SQL. The pieces of a text lie end to end and cover all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A statement, from its first token to its last, without the semicolon.
    Statement {
        /// Where it is in the text.
        range: Range<usize>,
        /// The line that its first token is on, counted from 1.
        line: usize,
    },
    /// What lies between statements: semicolons, comments, white space.
    Between {
        /// Where it is in the text.
        range: Range<usize>,
    },
}

impl Piece {
    /// Where it is in the text.
    pub fn range(&self) -> Range<usize> {
        match self {
            Piece::Statement { range, .. } | Piece::Between { range } => range.clone(),
        }
    }
}

/// Why a text cannot be split into statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitError {
    line: usize,
    problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Problem {
    Unterminated(Opened),
    Meta(String),
    Copy,
}

/// Cuts a text of SQL into statements and what lies between them.
///
/// A semicolon ends a statement unless it is within a string, a quoted name, a comment,
/// a dollar quote, parentheses, the body of a function after `BEGIN ATOMIC`, or the body
/// of a SQLite trigger. Such a body ends with an `END` that follows a semicolon, so that
/// `CASE … END` within it needs no counting.
///
/// The engines disagree about some of it: on PostgreSQL comments nest, and there are
/// dollar quotes and `E'…'`; on SQLite `` `name` `` and `[name]` are quoted names. Text
/// that is for every engine (`None`) is read as PostgreSQL reads it, and with backticks
/// and SQLite's triggers besides.
///
/// # Errors
/// [`SplitError`] where something is opened and not closed, at a command of psql, and at
/// a COPY that would read its rows from the text or print them.
pub fn split(sql: &str, engine: Option<Engine>) -> Result<Vec<Piece>, SplitError> {
    let mut splitter = Splitter {
        sql,
        engine,
        pieces: Vec::new(),
        covered: 0,
        current: Current::default(),
    };
    for token in Lexer::new(sql, engine) {
        splitter.take(&token?)?;
    }
    splitter.finish()
}

/// The words, names in quotes, strings and signs of a statement in order, without comments;
/// what has no quotes in capitals.
pub fn words(sql: &str, engine: Option<Engine>) -> Vec<String> {
    let tokens = Lexer::new(sql, engine).filter_map(Result::ok);
    let said = tokens.filter(|token| !matches!(token.kind, Kind::Space | Kind::Comment));
    let word = |token: Token| match token.kind {
        Kind::Quoted => sql[token.range].to_owned(),
        _ => sql[token.range].to_ascii_uppercase(),
    };
    said.map(word).collect()
}

/// Whether the statement begins, ends or marks a transaction.
pub fn is_transaction_control(sql: &str) -> bool {
    let mut words = words(sql, None).into_iter();
    match words.next().as_deref() {
        Some(
            "BEGIN" | "START" | "COMMIT" | "END" | "ROLLBACK" | "ABORT" | "SAVEPOINT" | "RELEASE",
        ) => true,
        Some("PREPARE") => words.next().as_deref() == Some("TRANSACTION"),
        _ => false,
    }
}

struct Splitter<'a> {
    sql: &'a str,
    engine: Option<Engine>,
    pieces: Vec<Piece>,
    /// Where the last piece ends.
    covered: usize,
    current: Current,
}

/// The statement that is being read.
#[derive(Default)]
struct Current {
    /// From its first token to its last so far; `None` before the first.
    range: Option<Range<usize>>,
    line: usize,
    /// Its first words, in capitals, up to the first token that is none.
    head: Vec<String>,
    head_ended: bool,
    /// The lines of the parentheses that are open.
    parentheses: Vec<usize>,
    block: Option<Block>,
    last: Last,
    copies: bool,
}

/// A body whose semicolons end no statement.
struct Block {
    line: usize,
    name: &'static str,
}

/// The last token that is neither space nor comment.
#[derive(Default)]
enum Last {
    #[default]
    Other,
    Word(String, usize),
    Semicolon,
}

/// The longest head that matters is CREATE OR REPLACE FUNCTION.
const HEAD: usize = 4;

impl Splitter<'_> {
    fn take(&mut self, token: &Token) -> Result<(), SplitError> {
        match token.kind {
            Kind::Space | Kind::Comment => return Ok(()),
            Kind::Backslash => return Err(self.meta(token)),
            Kind::Semicolon if self.current.is_whole() => return self.end_statement(),
            _ => {}
        }
        let current = &mut self.current;
        match &mut current.range {
            Some(range) => range.end = token.range.end,
            none => {
                *none = Some(token.range.clone());
                current.line = token.line;
            }
        }
        current.head_ended |= token.kind != Kind::Word;
        let last = match token.kind {
            Kind::Word => {
                let word = self.sql[token.range.clone()].to_ascii_uppercase();
                current.word(&word, self.engine);
                Last::Word(word, token.line)
            }
            Kind::Open => {
                current.parentheses.push(token.line);
                Last::Other
            }
            Kind::Close => {
                current.parentheses.pop();
                Last::Other
            }
            Kind::Semicolon => Last::Semicolon,
            _ => Last::Other,
        };
        current.last = last;
        Ok(())
    }

    fn end_statement(&mut self) -> Result<(), SplitError> {
        let Current {
            range,
            line,
            copies,
            ..
        } = std::mem::take(&mut self.current);
        if copies {
            let problem = Problem::Copy;
            return Err(SplitError { line, problem });
        }
        if let Some(range) = range {
            self.between(range.start);
            self.covered = range.end;
            self.pieces.push(Piece::Statement { range, line });
        }
        Ok(())
    }

    fn between(&mut self, end: usize) {
        if end > self.covered {
            let range = self.covered..end;
            self.pieces.push(Piece::Between { range });
        }
    }

    fn finish(mut self) -> Result<Vec<Piece>, SplitError> {
        if let Some(unterminated) = self.current.unterminated() {
            return Err(unterminated.into());
        }
        self.end_statement()?;
        self.between(self.sql.len());
        Ok(self.pieces)
    }

    fn meta(&self, token: &Token) -> SplitError {
        let rest = &self.sql[token.range.start..];
        let command = rest.split_whitespace().next().unwrap_or("\\");
        SplitError {
            line: token.line,
            problem: Problem::Meta(command.chars().take(20).collect()),
        }
    }
}

impl Current {
    /// Whether a semicolon here would end the statement.
    fn is_whole(&self) -> bool {
        self.parentheses.is_empty() && self.block.is_none()
    }

    fn word(&mut self, word: &str, engine: Option<Engine>) {
        if !self.head_ended && self.head.len() < HEAD {
            self.head.push(word.to_owned());
        }
        if !self.parentheses.is_empty() {
            return;
        }
        if self.block.is_some() {
            let first = match &self.last {
                Last::Semicolon => true,
                Last::Word(last, _) => last == "ATOMIC",
                Last::Other => false,
            };
            if word == "END" && first {
                self.block = None;
            }
            return;
        }
        let Last::Word(last, line) = &self.last else {
            return;
        };
        let name = match (last.as_str(), word) {
            ("BEGIN", "ATOMIC") if self.creates_routine() => "BEGIN ATOMIC",
            (
                "BEGIN",
                "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "REPLACE" | "WITH" | "VALUES",
            ) if engine != Some(Engine::POSTGRES) && self.creates_trigger() => "BEGIN",
            ("FROM", "STDIN") | ("TO", "STDOUT") if self.is_copy() => {
                self.copies = true;
                return;
            }
            _ => return,
        };
        let line = *line;
        self.block = Some(Block { line, name });
    }

    fn head(&self) -> Vec<&str> {
        self.head.iter().map(String::as_str).collect()
    }

    fn creates_routine(&self) -> bool {
        matches!(
            self.head()[..],
            ["CREATE", "FUNCTION" | "PROCEDURE", ..]
                | ["CREATE", "OR", "REPLACE", "FUNCTION" | "PROCEDURE", ..]
        )
    }

    fn creates_trigger(&self) -> bool {
        matches!(
            self.head()[..],
            ["CREATE", "TRIGGER", ..] | ["CREATE", "TEMP" | "TEMPORARY", "TRIGGER", ..]
        )
    }

    fn is_copy(&self) -> bool {
        self.head.first().is_some_and(|word| word == "COPY")
    }

    /// What is still open. A parenthesis comes before the body that it is in.
    fn unterminated(&self) -> Option<Unterminated> {
        let block = self.block.as_ref().map(|block| Unterminated {
            opened: Opened::Block(block.name),
            line: block.line,
        });
        let parenthesis = self.parentheses.first().map(|&line| Unterminated {
            opened: Opened::Parenthesis,
            line,
        });
        parenthesis.or(block)
    }
}

impl From<Unterminated> for SplitError {
    fn from(unterminated: Unterminated) -> Self {
        SplitError {
            line: unterminated.line,
            problem: Problem::Unterminated(unterminated.opened),
        }
    }
}

impl SplitError {
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
        self.problem == Problem::Copy
    }

    /// What was wrong on that line, in a full sentence.
    pub fn message(&self) -> String {
        let opened = match &self.problem {
            Problem::Meta(command) => {
                return format!("`{command}` is a command of psql and no SQL.");
            }
            Problem::Copy => {
                return "This COPY needs a client that feeds it or prints what it gives, and here \
                        is none."
                    .to_owned();
            }
            Problem::Unterminated(opened) => opened,
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
            Problem::Meta(_) => Some("Only psql itself reads its commands; leave it out."),
            Problem::Copy => Some("Write INSERT, or do it in Rust code."),
            Problem::Unterminated(Opened::Comment) => {
                Some("On PostgreSQL comments nest, and each /* needs its */.")
            }
            Problem::Unterminated(Opened::Block(_)) => {
                Some("The END has to follow the semicolon of the body's last statement.")
            }
            Problem::Unterminated(_) => None,
        }
    }
}

impl fmt::Display for SplitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line {}: {}", self.line, self.message())
    }
}

impl std::error::Error for SplitError {}

#[cfg(test)]
mod tests;
