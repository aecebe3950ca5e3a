use std::collections::{BTreeMap, BTreeSet};

/// The casts that a server has, by their types as the engine spells them, and other facts about the
/// server that a plan needs. They do not describe a schema, so two values are always equal.
#[derive(Debug, Clone, Default)]
pub struct Casts {
    pub(crate) of_types: BTreeMap<(String, String), CastUse>,
    /// The types beside the engine's own texts that every type can be cast to and from by way of text.
    pub(crate) texts: BTreeSet<String>,
    /// Whether the constraints by which columns refuse NULL have names.
    pub(crate) names_not_null: bool,
}

/// Where a cast is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CastUse {
    /// By itself, where a value is stored.
    Assigned,
    /// Only where it is written.
    Written,
}

impl Casts {
    /// How values of one type become those of another, types being spelled as the engine does.
    /// None: no cast leads there, or the casts of the server are not known.
    pub fn between(&self, from: &str, to: &str) -> Option<CastUse> {
        let known = self.of_types.get(&(from.to_owned(), to.to_owned()));
        let by_text = || {
            if self.texts.contains(to) {
                Some(CastUse::Assigned)
            } else if self.texts.contains(from) {
                Some(CastUse::Written)
            } else {
                None
            }
        };
        known.copied().or_else(by_text)
    }
}

impl PartialEq for Casts {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Casts {}
