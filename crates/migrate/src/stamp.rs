use underpin_core::Result;

use crate::checksum::Checksum;
use crate::graph::{Graph, GraphError};
use crate::history::{History, State};
use crate::plan::wrong_target;
use crate::revision::RevisionId;
use crate::target::Target;

/// One thing that `stamp` changes in a history. Nothing of any revision is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StampChange {
    /// Records the revision as applied.
    Add {
        /// The revision.
        id: RevisionId,
        /// Its checksum.
        checksum: Checksum,
        /// Its message.
        message: String,
    },
    /// Records a revision that had stopped half-way as wholly applied.
    Finish {
        /// The revision.
        id: RevisionId,
        /// Its checksum as it is now.
        checksum: Checksum,
    },
    /// Takes the entry out of the history, also one whose file is missing.
    Remove {
        /// The revision.
        id: RevisionId,
    },
}

/// What makes the history exactly the target and all that it stands on: first the
/// removals, the last applied first, then the rest, parents before children. A changed
/// checksum of an entry that stays is left alone, for that is the matter of
/// [`repair`](crate::repair). `+n` and `-n` are refused.
pub fn stamp(graph: &Graph, history: &History, target: &Target) -> Result<Vec<StampChange>> {
    let ends = match target {
        Target::Head | Target::Heads if graph.is_empty() && !history.is_empty() => {
            return Err(GraphError::NoRevisions.into());
        }
        Target::Head => graph.head()?.into_iter().collect(),
        Target::Heads => graph.heads(),
        Target::Base => Vec::new(),
        Target::Revision(text) => vec![graph.resolve(text)?],
        Target::Forward(_) | Target::Back(_) => return Err(wrong_target("stamp", target).into()),
    };
    let wanted = graph.with_ancestors(ends.iter().filter_map(|end| graph.place(&end.id)));
    let stays = |id: &RevisionId| graph.place(id).is_some_and(|place| wanted[place]);
    let entries = history.entries().iter().rev();
    let mut changes: Vec<StampChange> = entries
        .filter(|entry| !stays(&entry.id))
        .map(|entry| StampChange::Remove {
            id: entry.id.clone(),
        })
        .collect();
    for revision in graph.topological().iter().filter(|r| stays(&r.id)) {
        let (id, checksum) = (revision.id.clone(), revision.checksum);
        match history.get(&id).map(|entry| entry.state) {
            Some(State::Done) => {}
            Some(State::Partial { .. }) => changes.push(StampChange::Finish { id, checksum }),
            None => changes.push(StampChange::Add {
                id,
                checksum,
                message: revision.message.clone(),
            }),
        }
    }
    Ok(changes)
}
