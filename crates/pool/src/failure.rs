use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use underpin_core::{Class, Effect, Error, Stage};

/// The error for one caller after attempts to connect have failed. One failed attempt may concern
/// many callers: each gets an error of its own, of the same class, with the shared failure as its
/// source.
pub(crate) fn connecting_failed(name: &str, error: &Arc<Error>, attempts: u32) -> Error {
    let how_often = match attempts {
        0 | 1 => String::new(),
        more => format!(" in {more} attempts"),
    };
    let message = format!(
        "No connection to {name} could be opened{how_often}: {}",
        error.message()
    );
    error
        .restated(message)
        .with_effect(Effect::NotSent)
        .with_source(Shared(Arc::clone(error)))
}

/// The error of an attempt that exceeded its time limit.
pub(crate) fn connecting_took_too_long(name: &str, limit: std::time::Duration) -> Error {
    Error::new(
        Class::Timeout {
            stage: Stage::Connect,
        },
        format!("Connecting to {name} timed out after {limit:?}, the limit for one attempt."),
    )
}

pub(crate) fn closed(name: &str, runtime_ended: bool) -> Error {
    if runtime_ended {
        let message =
            format!("The pool of {name} is closed: the Tokio runtime it was opened in has ended.");
        return Error::new(Class::Closed, message)
            .with_hint("Open a database in each runtime that uses one, such as that of a test.");
    }
    Error::new(Class::Closed, format!("The pool of {name} is closed."))
}

/// An error that is the source of several callers' errors.
struct Shared(Arc<Error>);

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl StdError for Shared {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use underpin_core::Code;

    #[test]
    fn sharing_a_failure_loses_nothing_of_it() {
        let cause = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let first = Arc::new(
            Error::new(Class::Connect, "Nothing listens on db1:5432.")
                .with_hint("Start the server.")
                .with_code(Code::from_number(111))
                .with_source(cause),
        );
        let error = connecting_failed("db1:5432/shop", &first, 4);
        assert_eq!(
            error.to_string(),
            "No connection to db1:5432/shop could be opened in 4 attempts: \
             Nothing listens on db1:5432. Start the server."
        );
        assert_eq!(
            (error.class(), error.code()),
            (Class::Connect, first.code())
        );
        let mut cause = error.source();
        while let Some(source) = cause {
            if source.is::<std::io::Error>() {
                return;
            }
            cause = source.source();
        }
        panic!("the driver's own error is not among the sources");
    }
}
