use std::fmt;

use crate::lexis::Quotes;

/// Why a name cannot be quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameError {
    /// It is empty or holds a NUL byte.
    Impossible(String),
    /// It opens a quote and does not close it.
    Open(String, char),
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NameError::Impossible(name) => write!(
                f,
                "The name {name:?} cannot be an identifier: it is empty or contains a NUL byte."
            ),
            NameError::Open(name, '"') => write!(
                f,
                "The name {name:?} opens a double quote and does not close it."
            ),
            NameError::Open(name, quote) => {
                write!(
                    f,
                    "The name {name:?} opens a {quote} and does not close it."
                )
            }
        }
    }
}

impl std::error::Error for NameError {}

/// The name in these quotes.
pub(crate) fn quoted(name: &str, quotes: Quotes) -> Result<String, NameError> {
    if name.is_empty() || name.contains('\0') {
        return Err(NameError::Impossible(name.to_owned()));
    }
    let (open, close) = (char::from(quotes.open), char::from(quotes.close));
    let mut quoted = String::with_capacity(name.len() + 2);
    quoted.push(open);
    for part in name.split_inclusive(close) {
        quoted.push_str(part);
        if part.ends_with(close) {
            quoted.push(close);
        }
    }
    quoted.push(close);
    Ok(quoted)
}

/// The parts of a name between dots, each perhaps in any of these quotes, without them.
pub(crate) fn parts(name: &str, quotes: &[Quotes]) -> Result<Vec<String>, NameError> {
    let mut parts = vec![String::new()];
    let mut within: Option<Quotes> = None;
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        let is = |byte: u8| c == char::from(byte);
        let (part, rest) = match parts.last_mut() {
            Some(part) => (part, &mut chars),
            None => break,
        };
        match within {
            Some(quotes) if is(quotes.close) => {
                if quotes.doubled && rest.next_if_eq(&c).is_some() {
                    part.push(c);
                } else {
                    within = None;
                }
            }
            Some(_) => part.push(c),
            None => match quotes.iter().find(|quotes| is(quotes.open)) {
                Some(quotes) if part.is_empty() => within = Some(*quotes),
                _ if c == '.' => parts.push(String::new()),
                _ => part.push(c),
            },
        }
    }
    match within {
        Some(quotes) => Err(NameError::Open(name.to_owned(), char::from(quotes.open))),
        None => Ok(parts),
    }
}
