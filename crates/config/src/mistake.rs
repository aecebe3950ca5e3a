use underpin_core::{Class, Error};

use crate::field::Field;
use crate::kind::Misfit;
use crate::source::Source;

/// An error of configuration.
pub(crate) fn config(message: impl Into<String>) -> Error {
    Error::new(Class::Config, message)
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

/// The known name that looks most like `word`, where one does: at most a third of the word has
/// to change. Of equals, the first.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|name| (strsim::osa_distance(word, name), name))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= allowed)
        .map(|(_, name)| name)
}
