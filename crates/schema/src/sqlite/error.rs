use std::fmt;

use underpin_core::{Class, Error};

/// An error in SQLite's account of a schema, or in a schema that SQLite is to
/// hold. It is the source of an [`underpin_core::Error`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SqlError {
    /// There are not as many answers as statements.
    Answers {
        /// How many statements there are.
        statements: usize,
        /// How many answers came.
        answers: usize,
    },
    /// A quote is opened and never closed.
    Open {
        /// The text from there on.
        rest: String,
    },
    /// Stored SQL goes on in a way that is not known.
    Unexpected {
        /// The expected text.
        expected: &'static str,
        /// The text from there on.
        rest: String,
    },
    /// The SQL of an object cannot be read.
    Object {
        /// Its kind and name.
        object: String,
        /// Why.
        why: String,
    },
    /// The columns of a table are not those that its SQL has.
    Columns {
        /// The table.
        table: String,
    },
    /// SQLite has nothing of the kind.
    Unsupported {
        /// The request, and its object.
        what: String,
        /// The advice.
        instead: &'static str,
    },
}

impl SqlError {
    /// The same, of this object.
    pub(super) fn of(self, kind: &str, name: &str) -> Self {
        SqlError::Object {
            object: format!("{kind} {name:?}"),
            why: self.to_string(),
        }
    }
}

/// The beginning of a text, so that an error stays readable.
fn beginning(text: &str) -> &str {
    let end = text.char_indices().nth(60).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SqlError::Answers {
                statements,
                answers,
            } => write!(
                f,
                "The schema is read by {statements} statements, but there are {answers} answers."
            ),
            SqlError::Open { rest } => {
                write!(f, "A quote is not closed: {:?}.", beginning(rest))
            }
            SqlError::Unexpected { expected, rest } if rest.is_empty() => {
                write!(f, "The SQL ends where {expected} is expected.")
            }
            SqlError::Unexpected { expected, rest } => {
                write!(f, "Instead of {expected} there is {:?}.", beginning(rest))
            }
            SqlError::Object { object, why } => {
                write!(f, "The stored SQL of {object} cannot be read. {why}")
            }
            SqlError::Columns { table } => write!(
                f,
                "The columns of table {table:?} are not those of its stored SQL. Was the schema edited by hand?"
            ),
            SqlError::Unsupported { what, instead } => {
                write!(f, "SQLite cannot have {what}. {instead}")
            }
        }
    }
}

impl std::error::Error for SqlError {}

impl From<SqlError> for Error {
    fn from(error: SqlError) -> Self {
        let class = match error {
            SqlError::Answers { .. } => Class::Config,
            SqlError::Unsupported { .. } => Class::Unsupported,
            _ => Class::Data,
        };
        Error::new(class, error.to_string()).with_source(error)
    }
}
