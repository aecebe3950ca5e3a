use underpin_core::{Class, Error};

/// A line of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct SourceLine<'a> {
    pub(super) name: &'a str,
    pub(super) line: usize,
}

impl SourceLine<'_> {
    pub(super) fn on(&self, line: usize) -> Self {
        SourceLine { line, ..*self }
    }

    /// A mistake on this line; `message` is a full sentence.
    pub(super) fn error(&self, message: impl std::fmt::Display) -> Error {
        let SourceLine { name, line } = self;
        Error::new(Class::Config, format!("{name}, line {line}: {message}"))
    }
}
