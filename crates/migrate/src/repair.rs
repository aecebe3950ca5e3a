use crate::checksum::Checksum;
use crate::graph::Graph;
use crate::history::History;
use crate::revision::{Origin, RevisionId};

/// A checksum that `repair` accepts in the history. Nothing else of the entry changes: a
/// revision that stopped halfway is still half-way, and goes on in the file as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repair {
    /// The revision.
    pub id: RevisionId,
    /// Where it was read.
    pub origin: Origin,
    /// The checksum in the history.
    pub recorded: Checksum,
    /// The checksum of the revision as it is now, which takes its place.
    pub now: Checksum,
}

/// The changes that `repair` would accept, in the order of the history. An entry whose file is missing
/// is left alone, for there is nothing to accept.
pub fn repair(graph: &Graph, history: &History) -> Vec<Repair> {
    let changed = |entry: &crate::history::Applied| {
        let revision = graph.get(&entry.id)?;
        (revision.checksum != entry.checksum).then(|| Repair {
            id: entry.id.clone(),
            origin: revision.origin.clone(),
            recorded: entry.checksum,
            now: revision.checksum,
        })
    };
    history.entries().iter().filter_map(changed).collect()
}
