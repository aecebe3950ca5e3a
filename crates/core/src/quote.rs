//! The one place where identifiers are quoted.

use crate::error::{Class, Error, Result};

/// An identifier in double quotes, as standard SQL, PostgreSQL and SQLite read it.
///
/// # Errors
/// [`Class::Config`] for an empty name and for one that holds a NUL byte: no engine has either.
pub fn identifier(name: &str) -> Result<String> {
    if name.is_empty() || name.contains('\0') {
        return Err(Error::new(
            Class::Config,
            format!("The name {name:?} cannot be an identifier: it is empty or holds a NUL byte."),
        ));
    }
    Ok(format!("\"{}\"", name.replace('"', "\"\"")))
}

/// A name that may be qualified, `schema.table`, each part quoted. A part that is
/// already in double quotes is taken as it stands, so that a name can hold a dot.
///
/// # Errors
/// [`Class::Config`] as for [`identifier`], and for a quote that is not closed.
pub fn qualified(name: &str) -> Result<String> {
    let parts = parts(name)?;
    let quoted: Vec<String> = parts
        .iter()
        .map(|part| identifier(part))
        .collect::<Result<_>>()?;
    Ok(quoted.join("."))
}

/// The parts of a name that may be qualified, without quotes.
///
/// # Errors
/// [`Class::Config`] for a quote that is not closed.
pub fn parts(name: &str) -> Result<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        let part = parts.last_mut().expect("there is always a last part");
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                part.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if part.is_empty() => quoted = true,
            '.' if !quoted => parts.push(String::new()),
            c => part.push(c),
        }
    }
    if quoted {
        return Err(Error::new(
            Class::Config,
            format!("The name {name:?} opens a double quote and does not close it."),
        ));
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_would_break_out() {
        assert_eq!(identifier("users").unwrap(), r#""users""#);
        assert_eq!(identifier(r#"a"; DROP"#).unwrap(), r#""a""; DROP""#);
        assert_eq!(qualified("public.users").unwrap(), r#""public"."users""#);
        assert_eq!(qualified(r#""a.b".c"#).unwrap(), r#""a.b"."c""#);
        assert_eq!(qualified(r#""a""b""#).unwrap(), r#""a""b""#);
        for bad in ["", "a\0b", "a.", "\"a"] {
            assert!(qualified(bad).is_err(), "{bad:?}");
        }
    }
}
