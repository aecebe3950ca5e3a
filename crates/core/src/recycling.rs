use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// What is undone in a session between one holder of its connection and the next. Settings,
/// roles, locks, temporary tables and the like belong to the holder who made them.
///
/// On every mode, an open transaction is rolled back, and a session whose statements announced a
/// change in their text (`SET`, `LISTEN`, `PRAGMA`) is cleaned, unless `Custom` says how.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Recycling {
    /// A session goes on as it is only after statements that cannot have changed it. After any
    /// other it is cleaned, whether it was changed or not. The default.
    ///
    /// On PostgreSQL, statements that cannot are those that end or bound a transaction,
    /// `SET LOCAL`, `set_config(…, true)`, and reads of plain tables by functions of the server's
    /// own that are known to change nothing. What the names in such a read stand for is asked of
    /// the catalogs: a view, a table with row-level security, a function, an operator or a cast
    /// of the user's makes it one that can. The answer is kept for five seconds, and until this
    /// program changes the schema through the same database. The cleaning is sent
    /// behind the last statement and nobody waits for it: what the next holder sends is
    /// answered behind it, and is not run where the cleaning failed.
    ///
    /// On SQLite the session is restored after each statement that can change it, and the settings
    /// that it had when it was opened are read back. A connection that cannot be restored is
    /// closed.
    #[default]
    Verified,
    /// Only what the text of a statement announces is undone. What functions, triggers and
    /// views have changed reaches the next holder.
    Fast,
    /// The session is cleaned after every holder, as [`Verified`](Recycling::Verified) does it.
    Clean,
    /// The session is made as new after every holder, prepared statements included:
    /// `DISCARD ALL` on PostgreSQL.
    Reset,
    /// These statements run after every holder, in place of anything that is known of the session.
    Custom(Arc<str>),
}

/// What a text that names a custom way begins with.
const CUSTOM: &str = "custom:";

impl Recycling {
    /// The statements are run after every holder.
    pub fn custom(sql: impl Into<Arc<str>>) -> Self {
        Recycling::Custom(sql.into())
    }
}

impl fmt::Display for Recycling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Recycling::Verified => f.write_str("verified"),
            Recycling::Fast => f.write_str("fast"),
            Recycling::Clean => f.write_str("clean"),
            Recycling::Reset => f.write_str("reset"),
            Recycling::Custom(sql) => write!(f, "{CUSTOM} {sql}"),
        }
    }
}

impl FromStr for Recycling {
    type Err = String;

    /// Reads what [`Display`](fmt::Display) writes.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "verified" => Ok(Recycling::Verified),
            "fast" => Ok(Recycling::Fast),
            "clean" => Ok(Recycling::Clean),
            "reset" => Ok(Recycling::Reset),
            _ => match text.strip_prefix(CUSTOM).map(str::trim) {
                Some("") => Err("has no statement after custom:".into()),
                Some(sql) => Ok(Recycling::custom(sql)),
                None => Err(
                    "is neither verified, fast, clean, reset, nor custom: with statements".into(),
                ),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_shows() {
        for recycling in [
            Recycling::Verified,
            Recycling::Fast,
            Recycling::Clean,
            Recycling::Reset,
            Recycling::custom("RESET ALL; UNLISTEN *"),
        ] {
            assert_eq!(recycling.to_string().parse(), Ok(recycling));
        }
        for text in ["", "verify", "custom:", "custom", "RESET ALL"] {
            assert!(text.parse::<Recycling>().is_err(), "{text}");
        }
    }
}
