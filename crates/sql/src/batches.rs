use std::ops::Range;

use crate::lexer::Lexer;
use crate::lexis::Lexis;
use crate::piece::Piece;
use crate::split::Pieces;
use crate::split_error::{Problem, SplitError};
use crate::token::{Kind, Token};

/// How often a batch can be run, at most.
const MOST: u32 = 10_000;

/// Cuts a text into batches, at each line that holds the word, perhaps a number, and nothing
/// else but comments.
pub(crate) fn split(sql: &str, lexis: &Lexis, word: &str) -> Result<Vec<Piece>, SplitError> {
    let mut tokens = Lexer::new(sql, lexis).lines().peekable();
    let mut pieces = Pieces::of(sql);
    let mut batch: Option<(usize, Range<usize>)> = None;
    let mut last_line = 0;
    while let Some((line, token)) = tokens.next() {
        if !token.closed {
            return Err(SplitError::unclosed(line, &token));
        }
        if token.is_blank() {
            continue;
        }
        if line > last_line && token.is(word) {
            let mut rest: Vec<Token<'_>> = Vec::new();
            while let Some((_, token)) = tokens.next_if(|(on, _)| *on == line) {
                rest.extend((!token.is_blank()).then_some(token));
            }
            let times = times(line, &rest)?;
            if let Some((line, range)) = batch.take() {
                pieces.statement(range, line, times);
            }
            last_line = line;
            continue;
        }
        match &mut batch {
            Some((_, range)) => range.end = token.end(),
            None => batch = Some((line, token.start..token.end())),
        }
        // A text can end on a later line than it begins on.
        last_line = line + token.text.matches('\n').count();
    }
    if let Some((line, range)) = batch {
        pieces.statement(range, line, 1);
    }
    Ok(pieces.finish())
}

fn times(line: usize, rest: &[Token<'_>]) -> Result<u32, SplitError> {
    let number = match rest {
        [] => return Ok(1),
        [one] if one.kind == Kind::Number => one.text.parse().ok(),
        _ => None,
    };
    let wrong = || {
        let texts: Vec<&str> = rest.iter().map(|token| token.text).collect();
        SplitError::new(line, Problem::Times(texts.join(" ")))
    };
    let number = number.filter(|number| (1..=MOST).contains(number));
    number.ok_or_else(wrong)
}
