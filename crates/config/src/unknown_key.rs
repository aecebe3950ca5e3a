use underpin_core::Error;

use crate::field::FIELDS;
use crate::libpq;
use crate::mistake::{config, nearest};

/// The names of a setting in other programs, and how it is written here.
const ELSEWHERE: [(&str, &str); 24] = [
    ("pgbouncer", "statement_cache_size=0"),
    ("prepare_threshold", "statement_cache_size=0"),
    ("prepared_statement_cache_size", "statement_cache_size"),
    ("statement-cache-capacity", "statement_cache_size"),
    ("default_query_exec_mode", "statement_cache_size=0"),
    ("search_path", "options=-c search_path=NAME"),
    ("schema", "options=-c search_path=NAME"),
    ("currentschema", "options=-c search_path=NAME"),
    ("timezone", "options=-c timezone=ZONE"),
    ("lock_timeout", "options=-c lock_timeout=5s"),
    (
        "idle_in_transaction_session_timeout",
        "options=-c idle_in_transaction_session_timeout=1min",
    ),
    ("connection_limit", "pool_max_size"),
    ("max_connections", "pool_max_size"),
    ("min_connections", "pool_min_size"),
    ("pool_max_conns", "pool_max_size"),
    ("pool_min_conns", "pool_min_size"),
    ("pool_size", "pool_max_size"),
    ("pool_timeout", "acquire_timeout"),
    ("pool_max_conn_lifetime", "max_lifetime"),
    ("pool_max_conn_idle_time", "idle_timeout"),
    ("socket_timeout", "statement_timeout"),
    ("command_timeout", "statement_timeout"),
    ("sslaccept", "sslmode"),
    ("trustservercertificate", "sslmode"),
];

/// A key that no field has. `place` begins the sentence.
pub(crate) fn unknown_key(place: &str, key: &str) -> Error {
    if let Some(error) = libpq::not_a_key(key) {
        return error.with_context(format!("{place}: `{key}` cannot be used."));
    }
    let known = FIELDS
        .iter()
        .flat_map(|field| std::iter::once(&field.key).chain(field.aliases));
    let lower = key.to_ascii_lowercase();
    let elsewhere = ELSEWHERE.iter().find(|(name, _)| *name == lower);
    let hint = match (elsewhere, nearest(&lower, known.copied())) {
        (Some((_, own)), _) => format!("Here it is written `{own}`."),
        (None, Some(nearest)) => format!("The nearest known key is `{nearest}`."),
        (None, None) => "`underpin config` lists the keys.".to_owned(),
    };
    config(format!(
        "{place}: `{key}` is not a key of the configuration."
    ))
    .with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_named() {
        for (key, nearest) in [
            ("pool_max_sze", "pool_max_size"),
            ("hots", "host"),
            ("passwrd", "password"),
            ("pool_recycel", "pool_recycle"),
        ] {
            let error = unknown_key("underpin.toml, line 3", key);
            assert_eq!(
                error.to_string(),
                format!(
                    "underpin.toml, line 3: `{key}` is not a key of the configuration. \
                     The nearest known key is `{nearest}`."
                )
            );
        }
    }
}
