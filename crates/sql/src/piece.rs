use std::ops::Range;

/// A part of a text of SQL. The pieces of a text lie end to end and cover all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A statement or a batch, from its first token to its last, without what separates it
    /// from the next.
    Statement {
        /// Where it is in the text.
        range: Range<usize>,
        /// The line that its first token is on, counted from 1.
        line: usize,
        /// How many times it is to be run: more than once only before `GO` with a count.
        times: u32,
    },
    /// What lies between statements: semicolons, comments, white space, `GO`.
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
