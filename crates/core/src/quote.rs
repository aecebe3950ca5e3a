//! Names in double quotes, as standard SQL, PostgreSQL and SQLite read them. For other engines, use
//! their [dialect](crate::Engine::dialect).

use underpin_sql::POSTGRES;

use crate::error::Result;

/// An identifier in quotes.
///
/// # Errors
/// [`Class::Config`](crate::Class::Config) for an empty name and for one that contains a NUL byte:
/// no engine allows either.
pub fn identifier(name: &str) -> Result<String> {
    Ok(POSTGRES.identifier(name)?)
}

/// A name that may be qualified, `schema.table`, with each part quoted. A part that is already in
/// double quotes is used as it is, so that a name can contain a dot.
///
/// # Errors
/// [`Class::Config`](crate::Class::Config) as for [`identifier`], and for a quote that is not
/// closed.
pub fn qualified(name: &str) -> Result<String> {
    Ok(POSTGRES.qualified(name)?)
}

/// The parts of a name that may be qualified, without quotes.
///
/// # Errors
/// [`Class::Config`](crate::Class::Config) for a quote that is not closed.
pub fn parts(name: &str) -> Result<Vec<String>> {
    Ok(POSTGRES.parts(name)?)
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
