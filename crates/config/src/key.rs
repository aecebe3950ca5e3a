use std::fmt;

use underpin_core::Engine;

use crate::field::{FIELDS, Field};

/// A key of the configuration, as a reference of all keys shows it.
///
/// ```
/// use underpin_config::ConfigKey;
///
/// let key = ConfigKey::all().find(|key| key.name == "statement_timeout").unwrap();
/// assert_eq!(key.variable, "DB_STATEMENT_TIMEOUT");
/// assert!(key.description().contains("Default: 30 s."));
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct ConfigKey {
    /// Name in a file and in the query of a URL.
    pub name: &'static str,
    /// Name in the environment.
    pub variable: &'static str,
    /// Other names that are understood.
    pub aliases: &'static [&'static str],
    field: &'static Field,
}

impl ConfigKey {
    /// Returns every key, in the order in which they are shown.
    pub fn all() -> impl Iterator<Item = ConfigKey> {
        FIELDS.iter().map(|field| ConfigKey {
            name: field.key,
            variable: field.variable,
            aliases: field.aliases,
            field,
        })
    }

    /// Whether the key means something for an engine.
    pub fn applies_to(&self, engine: Engine) -> bool {
        self.field.applies_to(engine)
    }

    /// Returns the meaning, the unit and the default, as plain text.
    pub fn description(&self) -> String {
        let text = self.field.description;
        let words: Vec<&str> = text.split_whitespace().collect();
        let text = words.join(" ");
        // Links of rustdoc: the name in them is enough.
        let text = text.replace("[`Config::tls`]", "`Config::tls`");
        let link = "[`whole_millis_rounded_up`](crate::whole_millis_rounded_up)";
        text.replace(link, "the time in whole milliseconds, rounded up")
    }
}

impl fmt::Debug for ConfigKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigKey")
            .field("name", &self.name)
            .field("variable", &self.variable)
            .field("aliases", &self.aliases)
            .finish_non_exhaustive()
    }
}
