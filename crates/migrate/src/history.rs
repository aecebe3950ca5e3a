use std::collections::HashMap;
use std::time::Duration;

use underpin_core::value::TimestampTz;

use crate::checksum::Checksum;
use crate::graph::Graph;
use crate::host::Direction;
use crate::revision::RevisionId;

/// The history of a database: which revisions it has, in the order in which they were
/// applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    entries: Vec<Applied>,
    places: HashMap<RevisionId, usize>,
}

/// One revision that a database has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// The revision.
    pub id: RevisionId,
    /// Checksum of the revision when it ran.
    pub checksum: Checksum,
    /// Its message, if that was recorded.
    pub message: Option<String>,
    /// When it ended.
    pub applied_at: TimestampTz,
    /// How long it took.
    pub duration: Duration,
    /// The version of Underpin that ran it.
    pub version: String,
    /// Whether it ran to its end.
    pub state: State,
    /// If it stopped half-way, a short hash of each statement that ran. Empty if an earlier version
    /// of Underpin ran it.
    pub statements_ran: Vec<String>,
}

/// How far a revision got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// All of its way up ran, or was stamped as if it had.
    Done,
    /// It failed half-way, outside a transaction, and what it had done stands.
    Partial {
        /// How many statements had run, over all its sections for the engine.
        statements_done: usize,
        /// Which way it was run. Down: the way up had run before.
        direction: Direction,
    },
}

impl History {
    /// The history of these entries, in the order in which they were applied. Where an id
    /// is there twice, the later entry counts.
    pub fn new(entries: impl IntoIterator<Item = Applied>) -> Self {
        let mut kept: Vec<Option<Applied>> = Vec::new();
        let mut places = HashMap::new();
        for entry in entries {
            if let Some(earlier) = places.insert(entry.id.clone(), kept.len()) {
                kept[earlier] = None;
            }
            kept.push(Some(entry));
        }
        let entries: Vec<Applied> = kept.into_iter().flatten().collect();
        let ids = entries.iter().map(|entry| entry.id.clone());
        History {
            places: ids.zip(0..).collect(),
            entries,
        }
    }

    /// All entries, in the order in which they were applied.
    pub fn entries(&self) -> &[Applied] {
        &self.entries
    }

    /// The entry of this revision.
    pub fn get(&self, id: &RevisionId) -> Option<&Applied> {
        self.places.get(id).map(|&place| &self.entries[place])
    }

    /// Whether the database has the revision: its way up ran to the end, and its way down
    /// did not. One that stopped halfway up is pending; one that stopped halfway down is
    /// still applied.
    pub fn is_applied(&self, id: &RevisionId) -> bool {
        self.get(id).is_some_and(Applied::is_applied)
    }

    /// The history of the revisions that are in the graph, and those that are not although they ran
    /// to their end: a newer version of the program has applied them.
    pub(crate) fn known_to(&self, graph: &Graph) -> (History, Vec<RevisionId>) {
        let is_known =
            |entry: &&Applied| graph.get(&entry.id).is_some() || entry.state != State::Done;
        let (known, ahead): (Vec<&Applied>, Vec<&Applied>) =
            self.entries.iter().partition(is_known);
        let ahead = ahead.into_iter().map(|entry| entry.id.clone()).collect();
        (History::new(known.into_iter().cloned()), ahead)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is applied, nor half applied.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Applied {
    /// Whether the way up ran to its end, and the way down did not.
    pub fn is_applied(&self) -> bool {
        !matches!(
            self.state,
            State::Partial {
                direction: Direction::Up,
                ..
            }
        )
    }
}
