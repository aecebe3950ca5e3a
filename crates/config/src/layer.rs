use std::collections::BTreeMap;
use std::path::PathBuf;

use underpin_core::Result;

use crate::field::{FIELDS, Field};
use crate::mistake;
use crate::source::Source;
use crate::values::Values;

/// The values from one place: a file, code, the environment, or the start of the program.
/// A URL in that place is a layer beneath it, of the same rank.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) rank: Rank,
    /// Whether it is a URL, which says the whole place.
    pub(crate) is_url: bool,
    pub(crate) values: Values,
    pub(crate) sources: BTreeMap<&'static str, Source>,
    /// The service of libpq that it asks for, until that was looked up.
    pub(crate) service: Option<Service>,
}

/// A service that a layer asks for.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) name: String,
    /// The file to look it up in, where that was said.
    pub(crate) file: Option<PathBuf>,
    pub(crate) source: Source,
}

/// The layers from the lowest to the highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    Libpq,
    File,
    Code,
    Environment,
    Explicit,
}

impl Layer {
    pub(crate) fn new(rank: Rank) -> Self {
        Layer {
            rank,
            is_url: false,
            values: Values::default(),
            sources: BTreeMap::new(),
            service: None,
        }
    }

    /// Reads a value; saying it twice is an error.
    pub(crate) fn put(&mut self, field: &'static Field, text: &str, source: Source) -> Result<()> {
        if let Some(first) = self.sources.get(field.key) {
            return Err(mistake::twice(field, first, &source));
        }
        (field.read)(&mut self.values, text)
            .map_err(|misfit| mistake::bad_value(field, &source, text, &misfit))?;
        self.sources.insert(field.key, source);
        Ok(())
    }

    /// Both a password and a file with one, in one place, contradict each other.
    pub(crate) fn check_password(&self) -> Result<()> {
        match (
            self.sources.get("password"),
            self.sources.get("password_file"),
        ) {
            (Some(password), Some(file)) => Err(mistake::config(format!(
                "`password` ({password}) and `password_file` ({file}) are both set."
            ))
            .with_hint("Remove one of the two.")),
            _ => Ok(()),
        }
    }

    /// Takes over what another layer says.
    pub(crate) fn take(&mut self, mut other: Layer) {
        for field in FIELDS {
            if (field.is_set)(&other.values) {
                (field.take)(&mut self.values, &mut other.values);
            }
        }
        self.sources.append(&mut other.sources);
    }

    /// Forgets the fields that `which` holds for.
    pub(crate) fn forget(&mut self, which: impl Fn(&Field) -> bool) {
        let mut nowhere = Values::default();
        for field in FIELDS.iter().filter(|field| which(field)) {
            (field.take)(&mut nowhere, &mut self.values);
            self.sources.remove(field.key);
        }
    }
}
