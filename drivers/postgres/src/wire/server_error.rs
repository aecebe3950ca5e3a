use std::borrow::Cow;
use std::fmt;

use super::body::text_until_zero;
use super::violation::Violation;

/// A server error about a statement, a login or a session that it refuses or ends, with all fields
/// of the message. The additions to the message (detail, context) may contain values of a row, and
/// are not part of this type's text; methods return them.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ServerError {
    fields: Vec<(u8, Box<str>)>,
}

/// Messages of the server that quote a value that was sent or stored.
const QUOTES_A_VALUE: &[&str] = &[
    "22003", "22007", "22008", "22009", "22015", "22030", "22032", "22P02",
];
/// Quotation marks in the languages that the server speaks.
const QUOTES: [char; 6] = ['"', '„', '“', '”', '«', '»'];

/// Maximum number of fields that are kept of one message; the protocol knows fewer.
const MOST: usize = 64;

impl ServerError {
    /// Reads the body of an ErrorResponse or a NoticeResponse.
    pub(crate) fn parse(tag: u8, mut body: &[u8]) -> Result<Self, Violation> {
        let mut fields = Vec::new();
        loop {
            match body.split_first() {
                Some((0, [])) => break,
                Some((&kind, rest)) if kind != 0 && fields.len() < MOST => {
                    let (value, rest) =
                        text_until_zero(rest).ok_or_else(|| Violation::malformed(tag))?;
                    fields.push((kind, String::from_utf8_lossy(value).into()));
                    body = rest;
                }
                _ => return Err(Violation::malformed(tag)),
            }
        }
        let error = ServerError { fields };
        let whole = error.field(b'S').is_some() && error.field(b'C').is_some();
        whole
            .then_some(error)
            .ok_or_else(|| Violation::malformed(tag))
    }

    /// A field by its letter in the protocol.
    pub fn field(&self, kind: u8) -> Option<&str> {
        let found = self.fields.iter().find(|(of, _)| *of == kind);
        found.map(|(_, value)| &**value)
    }

    /// `ERROR`, `FATAL` or `PANIC`, or the severity of a notice, in the server's language.
    pub fn severity(&self) -> &str {
        self.field(b'S').unwrap_or_default()
    }

    /// The SQLSTATE.
    pub fn code(&self) -> &str {
        self.field(b'C').unwrap_or_default()
    }

    /// The message itself.
    pub fn message(&self) -> &str {
        self.field(b'M').unwrap_or_default()
    }

    /// The message, without a value that it quotes.
    pub(crate) fn message_without_values(&self) -> Cow<'_, str> {
        let message = self.message();
        if !QUOTES_A_VALUE.contains(&self.code()) {
            return Cow::Borrowed(message);
        }
        let Some(first) = message.find(QUOTES) else {
            return Cow::Borrowed(message);
        };
        let last = message.rfind(QUOTES).unwrap_or(first);
        let before = message[..first].trim_end_matches([':', ' ']);
        let after = message[last..].trim_start_matches(QUOTES);
        match before {
            "" => Cow::Owned(format!("a value{after}")),
            before if after.is_empty() => Cow::Owned(before.to_owned()),
            before => Cow::Owned(format!("{before} …{after}")),
        }
    }

    /// Further details.
    pub fn detail(&self) -> Option<&str> {
        self.field(b'D')
    }

    /// Advice.
    pub fn hint(&self) -> Option<&str> {
        self.field(b'H')
    }

    /// The position in the statement, in characters, counted from 1.
    pub fn position(&self) -> Option<usize> {
        self.field(b'P')?.parse().ok()
    }

    /// The code that ran on the server when the error occurred.
    pub fn context(&self) -> Option<&str> {
        self.field(b'W')
    }

    /// The namespace of the object.
    pub fn schema(&self) -> Option<&str> {
        self.field(b's')
    }

    /// The table.
    pub fn table(&self) -> Option<&str> {
        self.field(b't')
    }

    /// The column.
    pub fn column(&self) -> Option<&str> {
        self.field(b'c')
    }

    /// The data type.
    pub fn data_type(&self) -> Option<&str> {
        self.field(b'd')
    }

    /// The constraint.
    pub fn constraint(&self) -> Option<&str> {
        self.field(b'n')
    }

    /// The routine of the server's source that reported it, which is never translated.
    pub fn routine(&self) -> Option<&str> {
        self.field(b'R')
    }

    /// Whether the server also ends the session.
    pub fn is_fatal(&self) -> bool {
        let severity = self.field(b'V').unwrap_or_else(|| self.severity());
        matches!(severity, "FATAL" | "PANIC")
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.severity(), self.message_without_values())?;
        if let Some(hint) = self.hint() {
            write!(f, " HINT: {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerError({self} (SQLSTATE {}))", self.code())
    }
}

impl std::error::Error for ServerError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_in_no_text() {
        for (code, message, said) in [
            (
                "22P02",
                "invalid input syntax for type integer: \"s3\"cret\"",
                "invalid input syntax for type integer",
            ),
            (
                "22003",
                "value \"99999999999\" is out of range for type integer",
                "value … is out of range for type integer",
            ),
            ("22003", "integer out of range", "integer out of range"),
            (
                "22P02",
                "ungültige Eingabesyntax für Typ integer: „x“",
                "ungültige Eingabesyntax für Typ integer",
            ),
            (
                "42703",
                "column \"a\" does not exist",
                "column \"a\" does not exist",
            ),
        ] {
            let fields = [(b'S', "ERROR"), (b'C', code), (b'M', message)];
            let fields = fields.map(|(kind, value)| (kind, value.into())).into();
            let error = ServerError { fields };
            assert_eq!(error.to_string(), format!("ERROR: {said}"));
            assert_eq!(error.message(), message, "a caller that asks for it has it");
        }
    }

    #[test]
    fn fields_are_found_and_half_a_message_is_none() {
        let body = b"SFEHLER\0VERROR\0C23505\0Mnein\0P7\0\0";
        let error = ServerError::parse(b'E', body).unwrap();
        assert_eq!((error.code(), error.message()), ("23505", "nein"));
        assert_eq!(error.position(), Some(7));
        assert!(!error.is_fatal());
        for length in 0..body.len() {
            assert!(ServerError::parse(b'E', &body[..length]).is_err());
        }
        let fatal = ServerError::parse(b'E', b"SSCHLUSS\0VFATAL\0C57P01\0\0").unwrap();
        assert!(fatal.is_fatal());
        let old = ServerError::parse(b'E', b"SPANIC\0C57P01\0\0").unwrap();
        assert!(old.is_fatal());
        assert!(ServerError::parse(b'E', b"x\0\0").is_err());
    }
}
