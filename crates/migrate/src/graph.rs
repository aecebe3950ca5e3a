use std::collections::HashMap;

use underpin_core::Result;

use crate::revision::{BranchLabel, Revision, RevisionId};

mod branch;
mod build;
mod error;
mod resolve;
#[cfg(test)]
mod tests;

pub use branch::Branch;
pub use error::{Edge, GraphError, Link};
pub(crate) use error::{labelled, labels};

/// All revisions and what stands on what, by a parent or by a dependency. It has no cycle,
/// nothing that is not there, and no id or label twice; it may be empty, and may have
/// several heads.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// What stands on another comes after it and, of those that could come next, the lowest
    /// id first.
    revisions: Vec<Revision>,
    places: HashMap<RevisionId, usize>,
    labels: HashMap<BranchLabel, usize>,
    /// By parents alone: what is on which branch, and what is a head.
    line: Edges,
    /// By parents and dependencies: what has to be applied before what.
    order: Edges,
    /// Those that run again when they change, in the order in which they do.
    repeatables: Vec<Revision>,
}

/// For each place, the places right below and right above it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edges {
    below: Vec<Vec<usize>>,
    above: Vec<Vec<usize>>,
}

impl Graph {
    /// The graph of these revisions, in whatever order they come. The source of its
    /// errors is a [`GraphError`].
    pub fn new(revisions: Vec<Revision>) -> Result<Self> {
        Ok(build::build(revisions)?)
    }

    /// How many revisions there are.
    pub fn len(&self) -> usize {
        self.revisions.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.revisions.is_empty()
    }

    /// All revisions, each after its parents and what it depends on; of those that could
    /// come next, the one with the lowest id does.
    pub fn topological(&self) -> &[Revision] {
        &self.revisions
    }

    /// The repeatable revisions, which come after all others, in the order in which they run.
    pub fn repeatables(&self) -> &[Revision] {
        &self.repeatables
    }

    /// All revisions, the repeatable ones last.
    pub fn all(&self) -> impl Iterator<Item = &Revision> {
        self.revisions.iter().chain(&self.repeatables)
    }

    /// The revision with this id.
    pub fn get(&self, id: &RevisionId) -> Option<&Revision> {
        let repeatable = || self.repeatables.iter().find(|revision| revision.id == *id);
        let place = self.place(id).map(|place| &self.revisions[place]);
        place.or_else(repeatable)
    }

    /// The revisions that are no other's parent.
    pub fn heads(&self) -> Vec<&Revision> {
        self.at((0..self.len()).filter(|&place| self.line.above[place].is_empty()))
    }

    /// The revisions without a parent.
    pub fn bases(&self) -> Vec<&Revision> {
        self.at((0..self.len()).filter(|&place| self.line.below[place].is_empty()))
    }

    /// The one head; none where there are no revisions. Several are an error that lists them.
    pub fn head(&self) -> Result<Option<&Revision>> {
        let heads = self.heads();
        match heads[..] {
            [] => Ok(None),
            [head] => Ok(Some(head)),
            _ => Err(GraphError::several_heads("head", heads).into()),
        }
    }

    /// The revisions that have this one as a parent.
    pub fn children(&self, id: &RevisionId) -> Vec<&Revision> {
        let places = self.place(id).map(|place| &self.line.above[place]);
        self.at(places.into_iter().flatten().copied())
    }

    /// Its parents and theirs, parents before children.
    pub fn ancestors(&self, id: &RevisionId) -> Vec<&Revision> {
        let Some(start) = self.place(id) else {
            return Vec::new();
        };
        let marked = self.line.with_below([start]);
        self.at((0..start).filter(|&place| marked[place]))
    }

    /// Its children and theirs, parents before children.
    pub fn descendants(&self, id: &RevisionId) -> Vec<&Revision> {
        let Some(start) = self.place(id) else {
            return Vec::new();
        };
        let marked = self.line.with_above([start]);
        self.at((start + 1..self.len()).filter(|&place| marked[place]))
    }

    /// The place of a revision in [`topological`](Self::topological).
    pub(crate) fn place(&self, id: &RevisionId) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// What is on which branch.
    pub(crate) fn line(&self) -> &Edges {
        &self.line
    }

    /// What has to be applied before what.
    pub(crate) fn order(&self) -> &Edges {
        &self.order
    }

    fn at(&self, places: impl IntoIterator<Item = usize>) -> Vec<&Revision> {
        let revisions = places.into_iter().map(|place| &self.revisions[place]);
        revisions.collect()
    }
}

impl Edges {
    pub(crate) fn below(&self, place: usize) -> &[usize] {
        &self.below[place]
    }

    pub(crate) fn above(&self, place: usize) -> &[usize] {
        &self.above[place]
    }

    /// Marks, by place, these revisions and all that they stand on.
    pub(crate) fn with_below(&self, starts: impl IntoIterator<Item = usize>) -> Vec<bool> {
        let mut marked = vec![false; self.below.len()];
        starts.into_iter().for_each(|place| marked[place] = true);
        for place in (0..marked.len()).rev() {
            if marked[place] {
                self.below[place].iter().for_each(|&p| marked[p] = true);
            }
        }
        marked
    }

    /// Marks, by place, these revisions and all that stands on them.
    pub(crate) fn with_above(&self, starts: impl IntoIterator<Item = usize>) -> Vec<bool> {
        let mut marked = vec![false; self.below.len()];
        starts.into_iter().for_each(|place| marked[place] = true);
        for place in 0..marked.len() {
            marked[place] |= self.below[place].iter().any(|&lower| marked[lower]);
        }
        marked
    }
}
