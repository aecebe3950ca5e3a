use std::error::Error as StdError;
use std::fmt;

/// What every fallible call of Underpin returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in a sentence for the person who reads it, and in the terms that
/// a program acts on: [`class`](Error::class), [`effect`](Error::effect),
/// [`constraint`](Error::constraint) and [`code`](Error::code). The driver's own error
/// is kept whole as the [source](StdError::source).
pub struct Error(Box<Inner>);

struct Inner {
    class: Class,
    effect: Effect,
    message: String,
    hint: Option<String>,
    code: Option<Code>,
    constraint: Option<String>,
    position: Option<usize>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The kind of a failure, the same for every engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// The endpoint could not be reached, or the connection to it was lost.
    Connect,
    /// The server refused the user, the password or the certificate.
    Auth,
    /// The user may not do this.
    Permission,
    /// A database, a table, a file, or the one row asked for is not there.
    NotFound,
    /// The server or the file is in use by others; trying again later may succeed.
    Busy,
    /// A serialization failure or a deadlock; running the whole transaction again may succeed.
    Conflict,
    /// A constraint of the schema forbids the row; [`Error::constraint`] names it.
    Constraint,
    /// The endpoint takes no writes: a replica, a read-only transaction or file.
    ReadOnly,
    /// A time limit passed.
    Timeout {
        /// Which wait it was that took too long.
        stage: Stage,
    },
    /// Somebody cancelled the statement.
    Canceled,
    /// The statement cannot be understood, or names what is not there.
    Syntax,
    /// A value does not fit: out of range, of another type, or more rows than one.
    Data,
    /// The configuration is wrong.
    Config,
    /// The engine, or this build, cannot do this.
    Unsupported,
    /// The database, the connection or the transaction was closed before the call.
    Closed,
    /// The server ran out of something: disk, memory, connections.
    Resource,
    /// The file or the data in it is damaged.
    Corrupt,
    /// The other side does not speak the engine's protocol.
    Protocol,
    /// The server failed in a way that is none of the others.
    Server,
}

/// The wait that a time limit cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Waiting for a connection of the pool.
    Queue,
    /// Opening a connection.
    Connect,
    /// Testing a connection before it is handed out.
    Validate,
    /// Running a statement.
    Statement,
    /// Waiting for a lock within a statement.
    Lock,
    /// Closing the database.
    Close,
}

/// Whether the statement that failed may have taken hold all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Nothing of it ever left this side.
    NotSent,
    /// Whatever it did has been undone, or never began.
    RolledBack,
    /// It took hold, and something failed after. Within a transaction: it took hold
    /// there, and lasts if the transaction commits.
    Applied,
    /// It was sent, and no answer came: it may have taken hold or not.
    Unknown,
}

/// The engine's own name for the failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// Five characters, as the SQL standard and PostgreSQL have them.
    SqlState(String),
    /// A number, as SQLite (extended result codes) and others have it.
    Number(i64),
}

impl Error {
    /// An error of this class. `message` is one or more full sentences that say what
    /// was wrong and where. The effect is [`Effect::NotSent`] until another is given.
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            class,
            effect: Effect::NotSent,
            message: message.into(),
            hint: None,
            code: None,
            constraint: None,
            position: None,
            source: None,
        }))
    }

    /// The kind of failure.
    pub fn class(&self) -> Class {
        self.0.class
    }

    /// Whether the statement may have taken hold.
    pub fn effect(&self) -> Effect {
        self.0.effect
    }

    /// The name of the constraint that was violated, where the engine tells it.
    pub fn constraint(&self) -> Option<&str> {
        self.0.constraint.as_deref()
    }

    /// Where in the statement the engine found the mistake: the number of the character,
    /// counted from 1.
    pub fn position(&self) -> Option<usize> {
        self.0.position
    }

    /// The engine's own code.
    pub fn code(&self) -> Option<&Code> {
        self.0.code.as_ref()
    }

    /// The SQLSTATE, where the engine has one.
    pub fn sqlstate(&self) -> Option<&str> {
        match &self.0.code {
            Some(Code::SqlState(state)) => Some(state),
            _ => None,
        }
    }

    /// The sentences that say what was wrong and where, without the advice.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The same error with another effect.
    #[must_use]
    pub fn with_effect(mut self, effect: Effect) -> Self {
        self.0.effect = effect;
        self
    }

    /// The same error with the advice `hint`, a full sentence.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The same error with the engine's code.
    #[must_use]
    pub fn with_code(mut self, code: Code) -> Self {
        self.0.code = Some(code);
        self
    }

    /// The same error with the name of the violated constraint.
    #[must_use]
    pub fn with_constraint(mut self, name: impl Into<String>) -> Self {
        self.0.constraint = Some(name.into());
        self
    }

    /// The same error with the place in the statement, in characters counted from 1.
    #[must_use]
    pub fn with_position(mut self, position: usize) -> Self {
        self.0.position = Some(position);
        self
    }

    /// The same error with the failure that caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same error, its message led by `what`, a full sentence that says what was
    /// being done.
    #[must_use]
    pub fn with_context(mut self, what: impl fmt::Display) -> Self {
        self.0.message = format!("{what} {}", self.0.message);
        self
    }

    /// Whether a limit of time is what ended the call.
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.class, Class::Timeout { .. })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match &self.0.hint {
            Some(hint) => write!(f, " {hint}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        f.debug_struct("Error")
            .field("class", &inner.class)
            .field("effect", &inner.effect)
            .field("message", &inner.message)
            .field("hint", &inner.hint)
            .field("code", &inner.code)
            .field("constraint", &inner.constraint)
            .field("position", &inner.position)
            .field("source", &inner.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Code::SqlState(state) => f.write_str(state),
            Code::Number(number) => write!(f, "{number}"),
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Queue => "waiting for a connection of the pool",
            Stage::Connect => "connecting",
            Stage::Validate => "testing a connection",
            Stage::Statement => "running a statement",
            Stage::Lock => "waiting for a lock",
            Stage::Close => "closing",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_wide_and_whole() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        let error = Error::new(Class::Constraint, "The row is there already.")
            .with_effect(Effect::RolledBack)
            .with_constraint("users_email_key")
            .with_code(Code::SqlState("23505".into()))
            .with_source(std::io::Error::other("cause"))
            .with_hint("Choose another e-mail address.")
            .with_context("Line 3 could not be read in.");
        assert_eq!(
            error.to_string(),
            "Line 3 could not be read in. The row is there already. Choose another e-mail address."
        );
        assert_eq!(error.constraint(), Some("users_email_key"));
        assert_eq!(error.sqlstate(), Some("23505"));
        assert_eq!(error.effect(), Effect::RolledBack);
        assert_eq!(error.source().unwrap().to_string(), "cause");
    }
}
