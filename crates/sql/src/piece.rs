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
    /// The rows of the `COPY … FROM STDIN` before it: the lines below its semicolon, up to and
    /// with the line `\.` that ends them.
    Rows {
        /// Where they are in the text.
        range: Range<usize>,
    },
    /// What lies between statements: semicolons, comments, white space, `GO`.
    Between {
        /// Where it is in the text.
        range: Range<usize>,
    },
}

impl Piece {
    /// The rows in the text of a [`Piece::Rows`], without the line that ends them.
    pub fn rows(text: &str) -> &str {
        let lines = text.trim_end_matches(['\r', '\n']);
        lines.strip_suffix("\\.").unwrap_or(text)
    }

    /// Where it is in the text.
    pub fn range(&self) -> Range<usize> {
        match self {
            Piece::Statement { range, .. } | Piece::Rows { range } | Piece::Between { range } => {
                range.clone()
            }
        }
    }
}
