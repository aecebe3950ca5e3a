use underpin_core::Result;

use crate::config::Config;
use crate::field::Field;
use crate::layer::{Layer, Rank};
use crate::mistake;
use crate::reading::read_file;
use crate::resolve;
use crate::source::Source;
use crate::unknown_key::unknown_key;

/// Names of the old style that are not keys themselves.
const NAMES: [(&str, &str); 10] = [
    ("server_type", "engine"),
    ("db_type", "engine"),
    ("server", "host"),
    ("hostname", "host"),
    ("db_name", "database"),
    ("pool_size", "pool_max_size"),
    ("pool_timeout", "acquire_timeout"),
    ("timeout", "connection_timeout"),
    ("pool_pre_ping", "health_check"),
    ("ssl_mode", "sslmode"),
];

impl Config {
    /// Reads a map in the old style: `server_type`, `server`, `port`, `database`,
    /// `username`, `password`, and any other key of the configuration. A property
    /// without a value counts as absent.
    pub fn from_legacy_properties(
        properties: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Config> {
        let mut layer = Layer::new(Rank::Code);
        for (name, value) in properties {
            let key = name.to_ascii_lowercase();
            let renamed = NAMES
                .iter()
                .find(|(old, _)| *old == key)
                .map(|(_, new)| *new);
            let Some(field) = Field::of_key(renamed.unwrap_or(&key)) else {
                return Err(unknown(&name, &key));
            };
            if !value.trim().is_empty() {
                layer.put(field, &value, Source::Property(name))?;
            }
        }
        layer.check_password()?;
        resolve::resolve(vec![layer], None, &[], None, &read_file)
    }
}

fn unknown(name: &str, key: &str) -> underpin_core::Error {
    match mistake::nearest(key, NAMES.iter().map(|(old, _)| *old)) {
        Some(old) => mistake::config(format!("`{name}` is not a property of a database."))
            .with_hint(format!("The nearest known one is `{old}`.")),
        None => unknown_key("Among the properties", name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(pairs: &[(&str, &str)]) -> Result<Config> {
        let pairs = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Config::from_legacy_properties(pairs.collect::<Vec<_>>())
    }

    #[test]
    fn reads_a_map_in_the_old_style() {
        let config = properties(&[
            ("server_type", "postgresql"),
            ("server", "db1"),
            ("port", "5433"),
            ("database", "shop"),
            ("username", "app"),
            ("password", "hunter2"),
            ("pool_size", "7"),
            ("sslcert", ""),
        ])
        .unwrap();
        assert_eq!(config.endpoints()[0].to_string(), "db1:5433");
        assert_eq!(config.user(), Some("app"));
        assert_eq!(config.password().expose(), "hunter2");
        assert_eq!(config.pool_max_size(), 7);
        assert_eq!(config.source("host").to_string(), "property server");
        let lite = properties(&[("server_type", "sqlite"), ("database", "a.db")]).unwrap();
        assert_eq!(lite.endpoints()[0].to_string(), "a.db");
    }

    #[test]
    fn a_map_in_the_old_style_leads_to_an_access_file() {
        let config = properties(&[
            ("server_type", "Access"),
            ("database", "C:\\data\\old.mdb"),
            ("password", "hunter2"),
            ("server", ""),
            ("pool_size", "5"),
        ])
        .unwrap();
        assert_eq!(config.engine(), underpin_core::Engine::ACCESS);
        assert_eq!(config.endpoints()[0].to_string(), "C:\\data\\old.mdb");
        assert_eq!(config.password().expose(), "hunter2");
        assert_eq!(config.pool_max_size(), 1);
    }

    #[test]
    fn an_unknown_property_names_the_nearest() {
        let error = properties(&[("sever", "db1")]).unwrap_err();
        assert!(error.to_string().contains("`server`"), "{error}");
        let error = properties(&[("usr", "app")]).unwrap_err();
        assert!(error.to_string().contains("`user`"), "{error}");
        let error = properties(&[("server_type", "mssql")]).unwrap_err();
        assert_eq!(error.class(), underpin_core::Class::Unsupported);
    }
}
