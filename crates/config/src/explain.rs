use serde::{Serialize, Serializer};

use underpin_core::Address;

use crate::config::Config;
use crate::field::FIELDS;
use crate::source::Source;

/// One value of a configuration, as `underpin config` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Setting {
    /// The key.
    pub key: &'static str,
    /// The value that holds, `***` for a password.
    pub value: String,
    /// Where it comes from.
    #[serde(serialize_with = "in_words")]
    pub source: Source,
}

/// Where a password is looked up is told by its own source.
const HIDDEN: [&str; 2] = ["passfile", "password_file"];

fn in_words<S: Serializer>(source: &Source, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(source)
}

impl Config {
    /// Every value that means something for the engine, with its source.
    pub fn explain(&self) -> Vec<Setting> {
        let engine = self.settings.engine;
        FIELDS
            .iter()
            .filter(|field| field.applies_to(engine) && !HIDDEN.contains(&field.key))
            .map(|field| Setting {
                key: field.key,
                value: match field.key {
                    "port" => self.shown_ports(),
                    "sslmode" => self.shown_tls_modes(),
                    _ => (field.show)(&self.settings),
                },
                source: self.source(field.key).clone(),
            })
            .collect()
    }

    fn shown_ports(&self) -> String {
        let ports = self
            .endpoints
            .iter()
            .filter_map(|endpoint| match &endpoint.address {
                Address::Tcp { port, .. } | Address::Unix { port, .. } => Some(port.to_string()),
                _ => None,
            });
        once_if_equal(ports.collect())
    }

    fn shown_tls_modes(&self) -> String {
        let modes = self
            .endpoints
            .iter()
            .map(|endpoint| self.tls(endpoint).mode.to_string());
        once_if_equal(modes.collect())
    }
}

fn once_if_equal(mut texts: Vec<String>) -> String {
    if texts.iter().all(|text| *text == texts[0]) {
        texts.truncate(1);
    }
    texts.join(",")
}
