use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Which changes to a session are undone between one holder of its connection and the next.
/// Settings, roles, locks, temporary tables and similar state belong to the holder that created
/// them.
///
/// In every mode, an open transaction is rolled back, and a session whose statements announced a
/// change in their text (`SET`, `LISTEN`, `PRAGMA`) is cleaned, unless `Custom` replaces that.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Recycling {
    /// A session is reused as it is only after statements that cannot have changed it. After any
    /// other statement it is cleaned, whether it was changed or not. The default.
    ///
    /// On PostgreSQL, the statements that cannot change a session are those that begin or end a
    /// transaction, `SET LOCAL`, `set_config(…, true)`, and reads of plain tables with functions of
    /// the server itself that are known to change nothing. The meaning of the names in such a read
    /// is looked up in the catalogs: a user's view, table with row-level security, function,
    /// operator or cast makes it a statement that can. The answer is kept for five seconds, and
    /// until this program changes the schema through the same database. The cleaning is sent behind
    /// the last statement without a wait: the next holder's statements are answered behind it, and
    /// are not run if the cleaning failed.
    ///
    /// On SQLite the session is restored after each statement that can change it, and the settings
    /// that it had when it was opened are read back. A connection that cannot be restored is
    /// closed.
    #[default]
    Verified,
    /// Only changes that the text of a statement announces are undone. Changes by functions,
    /// triggers and views reach the next holder.
    Fast,
    /// The session is cleaned after every holder, like with [`Verified`](Recycling::Verified).
    Clean,
    /// The session is reset completely after every holder, including prepared statements: `DISCARD
    /// ALL` on PostgreSQL.
    Reset,
    /// These statements run after every holder, whatever is known of the session.
    Custom(Arc<str>),
}

/// The prefix of a text with custom statements.
const CUSTOM: &str = "custom:";

impl Recycling {
    /// Runs these statements after every holder.
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

    /// Parses the output of [`Display`](fmt::Display).
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
