use std::error::Error as StdError;
use std::fmt;

/// The result of every fallible call of Underpin.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error: a sentence for people, and the facts that a program acts on: [`class`](Error::class),
/// [`effect`](Error::effect), [`code`](Error::code), and the names and places that the engine
/// reports, such as [`constraint`](Error::constraint), [`table`](Error::table) and
/// [`row`](Error::row). The driver's own error is kept unchanged as the [source](StdError::source).
///
/// The sentences are for people, and may be in the server's language. A program must not decide by
/// them.
///
/// ```
/// use underpin_core::{Class, Effect, Error};
///
/// let error = Error::new(Class::Busy, "The file shop.db is in use by another process.")
///     .with_effect(Effect::RolledBack)
///     .with_hint("Try again later.");
/// assert_eq!((error.class(), error.effect()), (Class::Busy, Effect::RolledBack));
/// assert_eq!(
///     error.to_string(),
///     "The file shop.db is in use by another process. Try again later."
/// );
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    message: String,
    /// Number of bytes of the message that are context, and not the reason.
    context: usize,
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    facts: Facts,
}

/// The facts for programs.
#[derive(Clone)]
struct Facts {
    class: Class,
    effect: Effect,
    code: Option<Code>,
    existence: Option<Existence>,
    constraint_kind: Option<ConstraintKind>,
    constraint: Option<Box<str>>,
    namespace: Option<Box<str>>,
    table: Option<Box<str>>,
    column: Option<Box<str>>,
    data_type: Option<Box<str>>,
    detail: Option<Box<str>>,
    row: Option<u64>,
    position: Option<usize>,
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
    /// The requested row does not exist.
    NotFound,
    /// A database, a schema, a table, a file or another object that is named does not exist: a
    /// migration may be missing, or the configuration is wrong.
    Missing,
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
        /// The wait that took too long.
        stage: Stage,
    },
    /// The statement was canceled by another session or by the caller.
    Canceled,
    /// The statement cannot be parsed, or names something that does not exist.
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
    /// The peer does not speak the engine's protocol.
    Protocol,
    /// The server failed in any other way.
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

/// Whether the statement that failed may have taken effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It was not sent.
    NotSent,
    /// It did not take effect: it was rolled back, or did not begin.
    RolledBack,
    /// It took effect, and something failed afterwards. Within a transaction, it took effect there,
    /// and lasts if the transaction commits.
    Applied,
    /// It was sent, and no answer arrived: it may have taken effect or not.
    Unknown,
}

/// Whether a named object exists, if the statement failed because of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Existence {
    /// The statement creates it, and it exists already.
    Exists,
    /// The statement needs it, and it does not exist.
    Missing,
}

/// The kind of a constraint that was violated, the same on every engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConstraintKind {
    /// A primary key, or another key or index that takes each value once.
    Unique,
    /// A reference to a row that does not exist, or from a row that still refers to this one.
    ForeignKey,
    /// A condition on the values of a row.
    Check,
    /// A column that takes no NULL.
    NotNull,
    /// PostgreSQL's `EXCLUDE`: a row that conflicts with another.
    Exclusion,
}

/// The engine's own code for the failure: a SQLSTATE, as on PostgreSQL, a number, as on SQLite, or
/// both.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Code {
    sqlstate: Option<Box<str>>,
    number: Option<i64>,
}

impl Code {
    /// A code of five characters, as the SQL standard has them.
    pub fn from_sqlstate(state: impl Into<Box<str>>) -> Self {
        Code {
            sqlstate: Some(state.into()),
            number: None,
        }
    }

    /// A number, such as an extended result code of SQLite.
    pub fn from_number(number: i64) -> Self {
        Code {
            sqlstate: None,
            number: Some(number),
        }
    }

    /// The same code with a SQLSTATE beside its number.
    #[must_use]
    pub fn with_sqlstate(mut self, state: impl Into<Box<str>>) -> Self {
        self.sqlstate = Some(state.into());
        self
    }

    /// The same code with a number beside its SQLSTATE.
    #[must_use]
    pub fn with_number(mut self, number: i64) -> Self {
        self.number = Some(number);
        self
    }

    /// The SQLSTATE, if the engine has one.
    pub fn sqlstate(&self) -> Option<&str> {
        self.sqlstate.as_deref()
    }

    /// The number, if the engine has one.
    pub fn number(&self) -> Option<i64> {
        self.number
    }
}

impl Error {
    /// An error of this class. `message` is one or more full sentences that say what
    /// was wrong and where. The effect is [`Effect::NotSent`] until another is given.
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        let facts = Facts {
            class,
            effect: Effect::NotSent,
            code: None,
            existence: None,
            constraint_kind: None,
            constraint: None,
            namespace: None,
            table: None,
            column: None,
            data_type: None,
            detail: None,
            row: None,
            position: None,
        };
        Error::with_facts(facts, message.into())
    }

    fn with_facts(facts: Facts, message: String) -> Self {
        Error(Box::new(Inner {
            message,
            context: 0,
            hint: None,
            source: None,
            facts,
        }))
    }

    /// An error with another message and all facts of this one. It has no source; this error can
    /// become its source.
    #[must_use]
    pub fn restated(&self, message: impl Into<String>) -> Self {
        let mut restated = Error::with_facts(self.0.facts.clone(), message.into());
        restated.0.hint.clone_from(&self.0.hint);
        restated
    }

    /// The kind of failure.
    pub fn class(&self) -> Class {
        self.0.facts.class
    }

    /// Whether the statement may have taken effect.
    pub fn effect(&self) -> Effect {
        self.0.facts.effect
    }

    /// The engine's own code.
    pub fn code(&self) -> Option<&Code> {
        self.0.facts.code.as_ref()
    }

    /// The SQLSTATE, if the engine has one.
    pub fn sqlstate(&self) -> Option<&str> {
        self.code().and_then(Code::sqlstate)
    }

    /// The engine's number for the failure, if it has one.
    pub fn number(&self) -> Option<i64> {
        self.code().and_then(Code::number)
    }

    /// Whether a table, a column or another object that the statement names exists, if that is the
    /// reason of the failure. `None` for a missing row.
    pub fn existence(&self) -> Option<Existence> {
        self.0.facts.existence
    }

    /// The kind of the violated constraint, if the failure is a violation.
    pub fn constraint_kind(&self) -> Option<ConstraintKind> {
        self.0.facts.constraint_kind
    }

    /// The name of the violated constraint, if the engine reports it. A constraint without a name
    /// of its own has the name that PostgreSQL would choose.
    pub fn constraint(&self) -> Option<&str> {
        self.0.facts.constraint.as_deref()
    }

    /// The namespace of the [`table`](Error::table), or of the [`data_type`](Error::data_type), if
    /// the engine reports it.
    pub fn namespace(&self) -> Option<&str> {
        self.0.facts.namespace.as_deref()
    }

    /// The bare name of the table that the failure is about, if the engine reports it.
    pub fn table(&self) -> Option<&str> {
        self.0.facts.table.as_deref()
    }

    /// The column that the failure is about, if it is about a single one and it is known.
    pub fn column(&self) -> Option<&str> {
        self.0.facts.column.as_deref()
    }

    /// The data type that the failure is about, such as a domain, if the engine reports it.
    pub fn data_type(&self) -> Option<&str> {
        self.0.facts.data_type.as_deref()
    }

    /// The engine's addition to its message, in the server's language. It often contains values of
    /// the row, so no text of this error contains it unless the setting `error_detail` enables
    /// that.
    pub fn detail(&self) -> Option<&str> {
        self.0.facts.detail.as_deref()
    }

    /// The row of a bulk insert, or of a result, that the failure is about, if it is known. Counted
    /// from 1.
    pub fn row(&self) -> Option<u64> {
        self.0.facts.row
    }

    /// The position of the mistake in the statement: the number of the character, counted from 1.
    pub fn position(&self) -> Option<usize> {
        self.0.facts.position
    }

    /// Combines the failures of all attempted servers into one error that contains each of them.
    /// Its class is theirs if they all have the same class, and [`Class::Connect`] otherwise. A
    /// single failure is returned unchanged.
    pub fn of_servers(mut failures: Vec<Error>) -> Error {
        if failures.len() == 1 {
            return failures.remove(0);
        }
        let class = failures.first().map_or(Class::Config, Error::class);
        let same = failures.iter().all(|failure| failure.class() == class);
        let each: Vec<&str> = failures.iter().map(Error::message).collect();
        let message = format!(
            "No server of the {} could be used. {}",
            failures.len(),
            each.join(" ")
        );
        let all = Error::new(if same { class } else { Class::Connect }, message);
        let all = match failures.iter().find_map(Error::hint) {
            Some(hint) => all.with_hint(hint.to_owned()),
            None => all,
        };
        match failures.pop() {
            Some(last) => all.with_source(last),
            None => all,
        }
    }

    /// The sentences that say what was wrong and where, without the advice.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The message without the sentences that [`with_context`](Error::with_context) put before it.
    pub fn reason(&self) -> &str {
        &self.0.message[self.0.context..]
    }

    /// Advice, if there is any.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The same error with another effect.
    #[must_use]
    pub fn with_effect(mut self, effect: Effect) -> Self {
        self.0.facts.effect = effect;
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
        self.0.facts.code = Some(code);
        self
    }

    /// The same error for an object that already exists, or does not exist.
    #[must_use]
    pub fn with_existence(mut self, existence: Existence) -> Self {
        self.0.facts.existence = Some(existence);
        self
    }

    /// The same error with the kind of the violated constraint.
    #[must_use]
    pub fn with_constraint_kind(mut self, kind: ConstraintKind) -> Self {
        self.0.facts.constraint_kind = Some(kind);
        self
    }

    /// The same error with the name of the violated constraint.
    #[must_use]
    pub fn with_constraint(mut self, name: impl Into<Box<str>>) -> Self {
        self.0.facts.constraint = Some(name.into());
        self
    }

    /// The same error with the namespace of the table or the data type.
    #[must_use]
    pub fn with_namespace(mut self, name: impl Into<Box<str>>) -> Self {
        self.0.facts.namespace = Some(name.into());
        self
    }

    /// The same error with the table that it is about.
    #[must_use]
    pub fn with_table(mut self, name: impl Into<Box<str>>) -> Self {
        self.0.facts.table = Some(name.into());
        self
    }

    /// The same error with the column that it is about.
    #[must_use]
    pub fn with_column(mut self, name: impl Into<Box<str>>) -> Self {
        self.0.facts.column = Some(name.into());
        self
    }

    /// The same error with the data type that it is about.
    #[must_use]
    pub fn with_data_type(mut self, name: impl Into<Box<str>>) -> Self {
        self.0.facts.data_type = Some(name.into());
        self
    }

    /// The same error with the engine's addition to its message.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Box<str>>) -> Self {
        self.0.facts.detail = Some(detail.into());
        self
    }

    /// The same error with the number of the row that it is about, counted from 1.
    #[must_use]
    pub fn with_row(mut self, row: u64) -> Self {
        self.0.facts.row = Some(row);
        self
    }

    /// The same error with the place in the statement, in characters counted from 1.
    #[must_use]
    pub fn with_position(mut self, position: usize) -> Self {
        self.0.facts.position = Some(position);
        self
    }

    /// The same error with the failure that caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same error, with its message preceded by `what`, a full sentence that says what the
    /// program was doing.
    #[must_use]
    pub fn with_context(mut self, what: impl fmt::Display) -> Self {
        let message = format!("{what} {}", self.0.message);
        self.0.context += message.len() - self.0.message.len();
        self.0.message = message;
        self
    }

    /// Whether a time limit ended the call.
    pub fn is_timeout(&self) -> bool {
        matches!(self.class(), Class::Timeout { .. })
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
        let Facts {
            class,
            effect,
            code,
            existence,
            constraint_kind,
            constraint,
            namespace,
            table,
            column,
            data_type,
            detail,
            row,
            position,
        } = &self.0.facts;
        let shown = detail
            .as_deref()
            .map(|detail| match self.0.message.contains(detail) {
                true => detail,
                false => "***",
            });
        f.debug_struct("Error")
            .field("class", class)
            .field("effect", effect)
            .field("message", &self.0.message)
            .field("hint", &self.0.hint)
            .field("code", code)
            .field("existence", existence)
            .field("constraint_kind", constraint_kind)
            .field("constraint", constraint)
            .field("namespace", namespace)
            .field("table", table)
            .field("column", column)
            .field("data_type", data_type)
            // It may contain values of a row.
            .field("detail", &shown)
            .field("row", row)
            .field("position", position)
            .field("source", &self.0.source)
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
        match (&self.sqlstate, self.number) {
            (Some(state), Some(number)) => write!(f, "{number} (SQLSTATE {state})"),
            (Some(state), None) => f.write_str(state),
            (None, Some(number)) => write!(f, "{number}"),
            (None, None) => Ok(()),
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
        let error = Error::new(Class::Constraint, "The row already exists.")
            .with_effect(Effect::RolledBack)
            .with_constraint("users_email_key")
            .with_code(Code::from_sqlstate("23505"))
            .with_source(std::io::Error::other("cause"))
            .with_hint("Choose another e-mail address.")
            .with_context("Line 3 could not be imported.");
        assert_eq!(
            error.to_string(),
            "Line 3 could not be imported. The row already exists. Choose another e-mail address."
        );
        assert_eq!(error.constraint(), Some("users_email_key"));
        assert_eq!(error.sqlstate(), Some("23505"));
        assert_eq!(error.effect(), Effect::RolledBack);
        assert_eq!(error.source().unwrap().to_string(), "cause");
    }

    #[test]
    fn a_restated_error_says_another_thing_and_means_the_same() {
        let error = Error::new(Class::Constraint, "No.")
            .with_effect(Effect::RolledBack)
            .with_code(Code::from_number(2627).with_sqlstate("23000"))
            .with_existence(Existence::Exists)
            .with_constraint("users_email_key")
            .with_namespace("shop")
            .with_table("users")
            .with_column("email")
            .with_data_type("address")
            .with_detail("Key (email)=(a@b.c) already exists.")
            .with_row(3)
            .with_position(12)
            .with_hint("Choose another.")
            .with_source(std::io::Error::other("cause"));
        let restated = error.restated("It failed.");
        assert_eq!(restated.to_string(), "It failed. Choose another.");
        assert!(restated.source().is_none());
        let said = |error: &Error| {
            let without = format!("{error:?}");
            let without = without.replace("No.", "It failed.");
            without.split("source").next().map(str::to_owned)
        };
        assert_eq!(said(&restated), said(&error));
        assert_eq!(restated.row(), Some(3));
        assert_eq!(restated.number(), Some(2627));
        assert_eq!(
            restated.code().unwrap().to_string(),
            "2627 (SQLSTATE 23000)"
        );
    }

    #[test]
    fn the_reason_is_the_message_without_its_contexts() {
        let error = Error::new(Class::Data, "Ä is not a number.");
        assert_eq!(error.reason(), "Ä is not a number.");
        let error = error.with_context("Row 2 is wrong.").with_context("Ü: no.");
        assert_eq!(error.message(), "Ü: no. Row 2 is wrong. Ä is not a number.");
        assert_eq!(error.reason(), "Ä is not a number.");
    }
}
