use underpin_core::Result;

use crate::checksum::Checksum;
use crate::graph::{Graph, GraphError};
use crate::history::{History, State};
use crate::plan::{is_due, wrong_target};
use crate::revision::{Revision, RevisionId};
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
    /// Records a revision that had stopped halfway as wholly applied.
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
/// removals, the last applied first, then the rest, parents before children. With a branch,
/// what is neither on it nor stands on what goes is left as it is. A changed checksum of an
/// entry that stays is left alone, for that is the matter of [`repair`](crate::repair).
/// `+n` and `-n` are refused.
pub fn stamp(graph: &Graph, history: &History, target: &Target) -> Result<Vec<StampChange>> {
    let (branch, goal) = target.split();
    let ends = match goal {
        Target::Head | Target::Heads if graph.is_empty() && !history.is_empty() => {
            return Err(GraphError::NoRevisions.into());
        }
        Target::Base => Vec::new(),
        _ => match graph.end_places(target)? {
            Some(ends) => ends,
            None => return Err(wrong_target("stamp", target).into()),
        },
    };
    let wanted = graph.order().with_below(ends);
    let gone = match branch {
        None => vec![true; graph.len()],
        Some(_) => {
            let lineage = graph.lineage_of(branch)?;
            let own = (0..graph.len()).filter(|&place| lineage[place] && !wanted[place]);
            graph.order().with_above(own)
        }
    };
    // The repeatable ones come after all others.
    let whole = wanted.iter().all(|wanted| *wanted) && !matches!(goal, Target::Base);
    let repeatables = graph.repeatables().iter().filter(|_| whole);
    let goes = |id: &RevisionId| match graph.place(id) {
        Some(place) => gone[place] && !wanted[place],
        None if whole && graph.get(id).is_some() => false,
        None => branch.is_none(),
    };
    let entries = history.entries().iter().rev();
    let mut changes: Vec<StampChange> = entries
        .filter(|entry| goes(&entry.id))
        .map(|entry| StampChange::Remove {
            id: entry.id.clone(),
        })
        .collect();
    let revisions = graph.topological().iter().zip(wanted);
    let revisions = revisions.filter(|(_, wanted)| *wanted);
    changes.extend(revisions.filter_map(|(revision, _)| apply(revision, history)));
    changes.extend(repeatables.filter_map(|revision| apply(revision, history)));
    Ok(changes)
}

/// What records the revision as applied, if anything has to.
pub(crate) fn apply(revision: &Revision, history: &History) -> Option<StampChange> {
    let (id, checksum) = (revision.id.clone(), revision.checksum);
    match history.get(&id).map(|entry| entry.state) {
        Some(State::Done) if is_due(revision, history) => {
            Some(StampChange::Finish { id, checksum })
        }
        Some(State::Done) => None,
        Some(State::Partial { .. }) => Some(StampChange::Finish { id, checksum }),
        None => Some(StampChange::Add {
            id,
            checksum,
            message: revision.message.clone(),
        }),
    }
}
