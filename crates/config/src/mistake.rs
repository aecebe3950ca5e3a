use underpin_core::{Class, Error};

use crate::field::Field;
use crate::fields::FIELDS;
use crate::kind::Misfit;
use crate::source::Source;

/// An error of configuration.
pub(crate) fn config(message: impl Into<String>) -> Error {
    Error::new(Class::Config, message)
}

/// A key that no field has. `place` begins the sentence.
pub(crate) fn unknown_key(place: &str, key: &str) -> Error {
    let known = FIELDS
        .iter()
        .flat_map(|field| std::iter::once(&field.key).chain(field.aliases));
    let nearest = nearest(key, known.copied()).unwrap_or("host");
    config(format!(
        "{place}: `{key}` is not a key of the configuration."
    ))
    .with_hint(format!("The nearest known key is `{nearest}`."))
}

/// A value that its field cannot have.
pub(crate) fn bad_value(field: &Field, source: &Source, text: &str, misfit: &Misfit) -> Error {
    let problem = &misfit.problem;
    let message = match field.is_secret() || text.is_empty() {
        true => format!("`{}` ({source}) {problem}.", field.key),
        false => format!("`{}` ({source}) is `{text}`, which {problem}.", field.key),
    };
    Error::new(misfit.class, message)
}

/// A field that one layer sets more than once.
pub(crate) fn twice(field: &Field, first: &Source, second: &Source) -> Error {
    config(format!(
        "`{}` is set twice: {first}, and {second}.",
        field.key
    ))
    .with_hint("Remove one of the two.")
}

/// The known name that looks most like `word`; of equals, the first.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .min_by_key(|name| strsim::osa_distance(word, name))
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
