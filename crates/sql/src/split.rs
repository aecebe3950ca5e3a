use std::ops::Range;

use crate::batches;
use crate::lexer::Lexer;
use crate::lexis::Lexis;
use crate::piece::Piece;
use crate::split_error::{Opened, Problem, SplitError};
use crate::token::{Kind, Token};

/// Cuts a text of SQL into statements and what lies between them.
///
/// A semicolon ends a statement unless it is within a text, a quoted name, a comment,
/// parentheses, the body of a function after `BEGIN ATOMIC`, or the body of a trigger in a
/// dialect with [`trigger_bodies`](crate::Rules::trigger_bodies). Such a body ends with an
/// `END` that follows a semicolon, so that `CASE … END` within it needs no counting.
///
/// A dialect with a [`batch_word`](crate::Rules::batch_word) is cut into batches instead, at
/// the lines that hold that word alone.
///
/// # Errors
/// [`SplitError`] where something is opened and not closed, at a command of psql, at a COPY
/// that would print its rows or whose own are not in the text below it, and for a batch that is
/// to be run a number of times that is not a number.
pub fn split(sql: &str, lexis: &Lexis) -> Result<Vec<Piece>, SplitError> {
    if let Some(word) = lexis.rules.batch_word {
        return batches::split(sql, lexis, word);
    }
    let mut splitter = Splitter {
        trigger_bodies: lexis.rules.trigger_bodies,
        pieces: Pieces::of(sql),
        current: Current::default(),
        copying: None,
    };
    let mut tokens = Lexer::new(sql, lexis).lines();
    while let Some((line, token)) = tokens.next() {
        if !token.closed {
            return Err(SplitError::unclosed(line, &token));
        }
        let end = token.end();
        splitter.take(line, token)?;
        if let Some(rows) = splitter.rows_below(end)? {
            tokens.skip_to(rows.end);
        }
    }
    splitter.finish()
}

/// The words, names in quotes, texts and signs of a statement in order, without comments;
/// what has no quotes in capitals.
pub fn words(sql: &str, lexis: &Lexis) -> Vec<String> {
    let word = |token: Token<'_>| match token.kind {
        Kind::Name | Kind::Text => token.text.to_owned(),
        _ => token.text.to_ascii_uppercase(),
    };
    let closed = Lexer::new(sql, lexis).take_while(|token| token.closed);
    closed.filter(|token| !token.is_blank()).map(word).collect()
}

/// Whether the statement begins, ends or marks a transaction.
pub fn is_transaction_control(sql: &str, lexis: &Lexis) -> bool {
    const CONTROLS: [&str; 8] = [
        "BEGIN",
        "START",
        "COMMIT",
        "END",
        "ROLLBACK",
        "ABORT",
        "SAVEPOINT",
        "RELEASE",
    ];
    let mut tokens = Lexer::new(sql, lexis).solid();
    let Some(first) = tokens.next() else {
        return false;
    };
    if first.is("PREPARE") {
        return tokens.next().is_some_and(|next| next.is("TRANSACTION"));
    }
    CONTROLS.iter().any(|word| first.is(word))
}

/// The pieces found so far.
pub(crate) struct Pieces<'a> {
    sql: &'a str,
    found: Vec<Piece>,
    /// Where the last piece ends.
    covered: usize,
}

impl<'a> Pieces<'a> {
    pub(crate) fn of(sql: &'a str) -> Self {
        Pieces {
            sql,
            found: Vec::new(),
            covered: 0,
        }
    }

    pub(crate) fn statement(&mut self, range: Range<usize>, line: usize, times: u32) {
        self.between(range.start);
        self.covered = range.end;
        self.found.push(Piece::Statement { range, line, times });
    }

    fn rows(&mut self, range: Range<usize>) {
        self.between(range.start);
        self.covered = range.end;
        self.found.push(Piece::Rows { range });
    }

    fn between(&mut self, end: usize) {
        if end > self.covered {
            let range = self.covered..end;
            self.found.push(Piece::Between { range });
        }
    }

    pub(crate) fn finish(mut self) -> Vec<Piece> {
        self.between(self.sql.len());
        self.found
    }
}

struct Splitter<'a> {
    trigger_bodies: bool,
    pieces: Pieces<'a>,
    current: Current<'a>,
    /// The line of a COPY that has just ended, and whose rows come next.
    copying: Option<usize>,
}

/// Which way the rows of a COPY go that a client has to take part in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Copies {
    In,
    Out,
}

/// The statement that is being read.
#[derive(Default)]
struct Current<'a> {
    /// From its first token to its last so far; `None` before the first.
    range: Option<Range<usize>>,
    line: usize,
    /// Its first words, up to the first token that is none.
    head: Vec<&'a str>,
    head_ended: bool,
    /// The lines of the parentheses that are open.
    parentheses: Vec<usize>,
    block: Option<Block>,
    last: Last<'a>,
    copies: Option<Copies>,
}

/// A body whose semicolons end no statement.
struct Block {
    line: usize,
    name: &'static str,
}

/// The last token that is neither space nor comment.
#[derive(Default)]
enum Last<'a> {
    #[default]
    Other,
    Word(&'a str, usize),
    Semicolon,
}

/// The longest head that matters is CREATE OR REPLACE FUNCTION.
const HEAD: usize = 4;

/// What the body of a trigger begins with.
const IN_TRIGGERS: &[&str] = &[
    "SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "VALUES",
];

impl<'a> Splitter<'a> {
    fn take(&mut self, line: usize, token: Token<'a>) -> Result<(), SplitError> {
        if token.is_blank() {
            return Ok(());
        }
        if token.is_sign("\\") {
            return Err(self.meta(line, &token));
        }
        if token.kind == Kind::Semicolon && self.current.is_whole() {
            if self.current.copies == Some(Copies::In) {
                self.copying = Some(self.current.line);
                self.current.copies = None;
            }
            return self.end_statement();
        }
        let current = &mut self.current;
        match &mut current.range {
            Some(range) => range.end = token.end(),
            none => {
                *none = Some(token.start..token.end());
                current.line = line;
            }
        }
        current.head_ended |= token.kind != Kind::Word;
        current.last = match token.kind {
            Kind::Word => {
                current.word(token.text, self.trigger_bodies);
                Last::Word(token.text, line)
            }
            Kind::Open => {
                current.parentheses.push(line);
                Last::Other
            }
            Kind::Close => {
                current.parentheses.pop();
                Last::Other
            }
            Kind::Semicolon => Last::Semicolon,
            _ => Last::Other,
        };
        Ok(())
    }

    fn end_statement(&mut self) -> Result<(), SplitError> {
        let current = std::mem::take(&mut self.current);
        if current.copies.is_some() {
            return Err(SplitError::new(current.line, Problem::Copy));
        }
        if let Some(range) = current.range {
            self.pieces.statement(range, current.line, 1);
        }
        Ok(())
    }

    /// Where the rows are of the COPY that has just ended with the semicolon before `at`: from the
    /// next line on.
    fn rows_below(&mut self, at: usize) -> Result<Option<Range<usize>>, SplitError> {
        let Some(line) = self.copying.take() else {
            return Ok(None);
        };
        let rest = &self.pieces.sql[at..];
        let below = rest
            .split_once('\n')
            .filter(|(own, _)| own.trim().is_empty());
        let Some((own, below)) = below else {
            return Err(SplitError::new(line, Problem::Copy));
        };
        let start = at + own.len() + 1;
        let mut end = start;
        for row in below.split_inclusive('\n') {
            end += row.len();
            if row.trim_end_matches(['\r', '\n']) == "\\." {
                self.pieces.rows(start..end);
                return Ok(Some(start..end));
            }
        }
        Err(SplitError::new(line, Problem::Rows))
    }

    fn finish(mut self) -> Result<Vec<Piece>, SplitError> {
        if let Some(unclosed) = self.current.unclosed() {
            return Err(unclosed);
        }
        self.end_statement()?;
        Ok(self.pieces.finish())
    }

    fn meta(&self, line: usize, token: &Token<'_>) -> SplitError {
        let rest = &self.pieces.sql[token.start..];
        let command = rest.split_whitespace().next().unwrap_or("\\");
        SplitError::new(line, Problem::Meta(command.chars().take(20).collect()))
    }
}

fn is(word: &str, words: &[&str]) -> bool {
    words.iter().any(|one| word.eq_ignore_ascii_case(one))
}

impl<'a> Current<'a> {
    /// Whether a semicolon here would end the statement.
    fn is_whole(&self) -> bool {
        self.parentheses.is_empty() && self.block.is_none()
    }

    fn word(&mut self, word: &'a str, trigger_bodies: bool) {
        if !self.head_ended && self.head.len() < HEAD {
            self.head.push(word);
        }
        if !self.parentheses.is_empty() {
            return;
        }
        if self.block.is_some() {
            let first = match &self.last {
                Last::Semicolon => true,
                Last::Word(last, _) => is(last, &["ATOMIC"]),
                Last::Other => false,
            };
            if first && is(word, &["END"]) {
                self.block = None;
            }
            return;
        }
        let Last::Word(last, line) = self.last else {
            return;
        };
        let begins = is(last, &["BEGIN"]);
        let name = if begins && is(word, &["ATOMIC"]) && self.creates_routine() {
            "BEGIN ATOMIC"
        } else if begins && trigger_bodies && is(word, IN_TRIGGERS) && self.creates_trigger() {
            "BEGIN"
        } else {
            let copies = match (last, word) {
                (last, word) if is(last, &["FROM"]) && is(word, &["STDIN"]) => Copies::In,
                (last, word) if is(last, &["TO"]) && is(word, &["STDOUT"]) => Copies::Out,
                _ => return,
            };
            if self.begins_with(&[&["COPY"]]) {
                self.copies = Some(copies);
            }
            return;
        };
        self.block = Some(Block { line, name });
    }

    /// Whether the first words are these, each one of several.
    fn begins_with(&self, words: &[&[&str]]) -> bool {
        let mut pairs = self.head.iter().zip(words);
        self.head.len() >= words.len() && pairs.all(|(word, words)| is(word, words))
    }

    fn creates_routine(&self) -> bool {
        const KINDS: &[&str] = &["FUNCTION", "PROCEDURE"];
        self.begins_with(&[&["CREATE"], KINDS])
            || self.begins_with(&[&["CREATE"], &["OR"], &["REPLACE"], KINDS])
    }

    fn creates_trigger(&self) -> bool {
        self.begins_with(&[&["CREATE"], &["TRIGGER"]])
            || self.begins_with(&[&["CREATE"], &["TEMP", "TEMPORARY"], &["TRIGGER"]])
    }

    /// What is still open. A parenthesis comes before the body that it is in.
    fn unclosed(&self) -> Option<SplitError> {
        let parenthesis = self.parentheses.first();
        let parenthesis = parenthesis.map(|&line| (line, Opened::Parenthesis));
        let block = self.block.as_ref();
        let block = block.map(|block| (block.line, Opened::Block(block.name)));
        let (line, opened) = parenthesis.or(block)?;
        Some(SplitError::new(line, Problem::Unclosed(opened)))
    }
}

#[cfg(test)]
mod tests;
