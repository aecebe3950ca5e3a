use std::fmt;

use underpin_core::{Class, Error};

/// An error in the answers of the catalog. It is the source of an
/// [`underpin_core::Error`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CatalogError {
    /// There are not as many answers as statements.
    Answers {
        /// How many statements there are.
        statements: usize,
        /// How many answers came.
        answers: usize,
    },
    /// The server is older than what the statements are for.
    Version {
        /// Its `server_version_num`.
        version: i32,
    },
    /// A code of the catalog means nothing that is known here.
    Code {
        /// The column of the catalog.
        column: &'static str,
        /// The code.
        code: String,
        /// The object.
        of: String,
    },
    /// An object refers to one that was not read.
    Missing {
        /// The unread object, by its number.
        what: String,
        /// The object that refers to it.
        of: String,
    },
    /// A text that the server rendered is not of the form that is expected.
    Text {
        /// Its kind.
        what: &'static str,
        /// The text.
        text: String,
    },
}

impl fmt::Display for CatalogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CatalogError::Answers {
                statements,
                answers,
            } => write!(
                f,
                "The schema is read by {statements} statements, but there are {answers} answers."
            ),
            CatalogError::Version { version } => write!(
                f,
                "A schema can be read from PostgreSQL 12 on; this server is of version {version}."
            ),
            CatalogError::Code { column, code, of } => write!(
                f,
                "The catalog says {code:?} in {column} of {of}, which has no known meaning."
            ),
            CatalogError::Missing { what, of } => {
                write!(
                    f,
                    "The catalog's {of} refers to {what}, which was not read."
                )
            }
            CatalogError::Text { what, text } => {
                write!(f, "The server's text of {what} cannot be read: {text}")
            }
        }
    }
}

impl std::error::Error for CatalogError {}

impl From<CatalogError> for Error {
    fn from(error: CatalogError) -> Self {
        let class = match error {
            CatalogError::Answers { .. } => Class::Config,
            CatalogError::Version { .. } => Class::Unsupported,
            _ => Class::Data,
        };
        Error::new(class, error.to_string()).with_source(error)
    }
}
