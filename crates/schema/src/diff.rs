use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{Change, Schema, Unsupported};

mod access;
mod alike;
mod column;
mod hints;
mod normal;
mod object;
mod part;
mod rename;
mod table;

pub(crate) use access::has_object;
pub use hints::{AccessCompared, Hints, Rename};
pub(crate) use normal::normal_type;
pub(crate) use rename::renamed;

/// The changes from one schema to another.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Diff {
    /// The changes. None: the schemas are the same but for the order of columns.
    pub changes: Vec<Change>,
    /// Possible renames that are, without a hint, dropped and created among the changes.
    pub proposed: Vec<Rename>,
    /// Objects of only one side that no change can be about.
    pub unsupported: BTreeSet<Unsupported>,
    /// Whether owners and privileges were compared. Where they were not, they stay as they are, also
    /// those of objects that have to be recreated.
    pub with_access: bool,
    /// The first schema after the renames, where the hints had it.
    #[serde(skip)]
    pub renamed: Option<Box<Schema>>,
}

/// The changes from one schema to another.
///
/// Types are the same where their normal forms are: `int4` is `integer`. Expressions are the same
/// where their texts are: both sides are the engine's own rendering, and an engine that renders
/// one expression in two ways has to be asked, see [`Hints::renamed_by_engine`]. The order of columns is
/// not compared. What a table has only because
/// another one has it is not a difference, nor is a partition that the second schema does not
/// name while it has the table which is split, unless the hints say that it [names all](Hints::names_partitions). Options that no list of the engine has
/// ([`Schema::unlisted_options`]) are not compared, since no schema can ask for them.
pub fn diff(from: &Schema, to: &Schema, hints: &Hints) -> Diff {
    let mut out = Vec::new();
    let renames = rename::applicable(from, to, hints);
    let renamed_from;
    let from = match (&hints.renamed_by_engine, renames.is_empty()) {
        (Some(renamed), _) => renamed,
        (None, true) => from,
        (None, false) => {
            renamed_from = renamed(from, &renames);
            &renamed_from
        }
    };
    out.extend(renames.into_iter().map(Change::from));
    object::namespaces(from, to, &mut out);
    object::extensions(from, to, hints, &mut out);
    object::enums(from, to, &mut out);
    object::domains(from, to, &mut out);
    object::defined(from, to, &mut out);
    object::sequences(from, to, &mut out);
    object::functions(from, to, &mut out);
    table::tables(from, to, hints, &mut out);
    object::views(from, to, &mut out);
    object::materialized_views(from, to, &mut out);
    access::settings(from, to, &mut out);
    let with_access = match hints.access {
        AccessCompared::Never => false,
        AccessCompared::Always => true,
        AccessCompared::WhereSaid => !to.access.is_empty(),
    };
    if with_access {
        access::access(from, to, hints, &mut out);
    }
    let proposed = alike::proposed(&out);
    let unsupported = from.unsupported.symmetric_difference(&to.unsupported);
    Diff {
        changes: out,
        proposed,
        unsupported: unsupported.cloned().collect(),
        with_access,
        renamed: hints.renamed_by_engine.clone(),
    }
}

impl From<Rename> for Change {
    fn from(rename: Rename) -> Self {
        match rename {
            Rename::Table { from, to } => Change::RenameTable { from, to },
            Rename::Column { table, from, to } => Change::RenameColumn { table, from, to },
            Rename::Label { name, from, to } => Change::RenameLabel { name, from, to },
            Rename::Sequence { from, to } => Change::RenameSequence { from, to },
        }
    }
}

/// The objects of one name on both sides.
enum Sides<'s, V> {
    /// Only the first side has it.
    From(&'s V),
    /// Only the second side has it.
    To(&'s V),
    /// Both have it.
    Both(&'s V, &'s V),
}

/// Every name of two maps, with what it has on each side.
fn sides<'s, K: Ord, V>(
    from: &'s BTreeMap<K, V>,
    to: &'s BTreeMap<K, V>,
) -> impl Iterator<Item = (&'s K, Sides<'s, V>)> {
    let left = from.iter().map(|(name, left)| match to.get(name) {
        Some(right) => (name, Sides::Both(left, right)),
        None => (name, Sides::From(left)),
    });
    let right = to.iter().filter(|(name, _)| !from.contains_key(*name));
    left.chain(right.map(|(name, right)| (name, Sides::To(right))))
}

#[cfg(test)]
mod tests;
